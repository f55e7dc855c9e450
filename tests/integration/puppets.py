# SPDX-License-Identifier: Apache-2.0
"""Lets a test be one of luttpd's processes: real master, puppet role.

    theatre = Theatre(server, "config", "listener")     # these roles are played by the test
    server.spawn()
    config = theatre.take("config")                      # master has started it
    name, values, fds = config.receive()                 # START_CONFIG
    config.send("READY")
    config.send("PLAN", fds=[sealed(plan), sealed(routes), sealed(policies())])
    config.exit(0)

    cast = Cast(theatre, ["alice", "bob"])               # every role but master is a puppet, and it serves
    cast["router"].send("INTRODUCE", listener=0, vhost=1)
    values, end = cast.channel("listener", "vhost")      # with listeners=2 the second is "listener 1"

The puppet runs under the role's user with its limits, but closes no cage.
"""
import fcntl
import os
import pathlib
import shutil
import socket
import struct
import time

import codec
from server import BUILD, PATIENCE, Process

SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def sealed(content, seals=SEALS):
    """A memfd that holds these bytes."""
    fd = os.memfd_create("puppet", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def records(*frames):
    """A file of records: each frame padded to eight bytes."""
    return b"".join(frame + b"\0" * (-len(frame) % 8) for frame in frames)


class Puppet:
    """The test's end of one role's control channel."""

    def __init__(self, link, pid, title, control):
        self.link, self.pid, self.title, self.control = link, pid, title, control
        self.control.settimeout(PATIENCE)

    def send(self, name, /, fds=(), **values):
        codec.send(self.control, name, fds=fds, **values)
        for fd in fds:
            os.close(fd)

    def send_raw(self, data, fds=()):
        socket.send_fds(self.control, [data], list(fds))

    def receive(self):
        """(name, values, fds), or None where master has closed the channel."""
        return codec.receive(self.control)

    def receive_until(self, name):
        """Skips messages (closing their descriptors) until one of this name comes."""
        while True:
            message = self.receive()
            assert message is not None, f"{self.title}: the channel ended before {name}"
            if message[0] == name:
                return message
            for fd in message[2]:
                os.close(fd)

    def exit(self, status):
        """Ends the process with this status; 128 + n: by signal n."""
        self.link.send(bytes([status]))
        self.close()

    def close(self):
        """Forgets the channel; the process goes on without it."""
        self.control.close()
        self.link.close()

    def alive(self):
        try:
            return Process(self.pid).alive()
        except (FileNotFoundError, ProcessLookupError):
            return False


class Theatre:
    """A copy of the executables in which some roles are puppets."""

    def __init__(self, server, *roles, build=BUILD):
        self.server = server
        self.binaries = server.directory / "build" / "bin"
        self.binaries.mkdir(parents=True)
        for source in (pathlib.Path(build) / "bin").iterdir():
            puppet = source.name.removeprefix("luttpd-") in roles
            self._install(pathlib.Path(build) / "tests" / "puppet" if puppet else source, source.name)
        for role in roles:
            if not (self.binaries / f"luttpd-{role}").exists():
                self._install(pathlib.Path(build) / "tests" / "puppet", f"luttpd-{role}")
        server.build = server.directory / "build"
        self.stage = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.stage.bind(str(self.binaries / "puppets"))
        (self.binaries / "puppets").chmod(0o777)
        self.stage.listen(64)
        self.waiting = []

    def _install(self, source, name):
        target = self.binaries / name
        shutil.copyfile(source, target)
        target.chmod(0o755 if source.name == "puppet" else source.stat().st_mode & 0o777)

    def take(self, role, label=None, seconds=PATIENCE):
        """The next puppet of this role (and label) that master starts."""
        title = f"luttpd: {role}" + (f" {label}" if label else "")
        end = time.monotonic() + seconds
        while True:
            for puppet in self.waiting:
                if puppet.title == title or (label is None and puppet.title.startswith(title)):
                    self.waiting.remove(puppet)
                    return puppet
            assert time.monotonic() < end, f"master starts no {title}\n{self.server.stderr}"
            self._accept(end - time.monotonic())

    def _accept(self, seconds):
        self.stage.settimeout(max(seconds, 0.01))
        try:
            link, _ = self.stage.accept()
        except TimeoutError:
            return
        data, fds, _, _ = socket.recv_fds(link, 4096, 1)
        pid = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        control = socket.socket(fileno=fds[0])
        self.waiting.append(Puppet(link, pid, data[8:].decode(), control))

    def close(self):
        self.stage.close()
        for puppet in self.waiting:
            puppet.close()


# Plans ---------------------------------------------------------------------------------------------


def plan_vhost(server, vhost=1, name="alice", **changes):
    """A good PLAN_VHOST whose root exists."""
    root = server.site_directory(name)
    root.mkdir(parents=True, exist_ok=True)
    values = {"vhost": vhost, "name": name, "uid": 1910000000 + vhost, "gid": 1910000000 + vhost, "automatic": True,
              "root": str(root), "memory_bytes": 64 << 20, "cpu_ms": 100, "wall_ms": 10000, "processes": 8}
    return {**values, **changes}


def plan_listen(**changes):
    return {"family": "inet", "address": socket.inet_aton("127.0.0.1"), "port": 0, "processes": 1, **changes}


def plan(server, vhosts, listens=None, /, **changes):
    """The bytes of a plan."""
    listens = [plan_listen()] if listens is None else listens
    head = {"logs": str(server.logs), "listens": len(listens), "vhosts": len(vhosts), **changes}
    return records(codec.frame("PLAN_SERVER", **head),
                   *(codec.frame("PLAN_LISTEN", **listen) for listen in listens),
                   *(codec.frame("PLAN_VHOST", **vhost) for vhost in vhosts))


def routes(vhosts):
    """The bytes of the route map that fits these vhosts: NAME.test leads to NAME."""
    return records(*(codec.frame("ROUTE_VHOST", vhost=v["vhost"], name=v["name"]) for v in vhosts),
                   *(codec.frame("ROUTE_HOST", kind="exact", host=f"{v['name']}.test", vhost=v["vhost"]) for v in vhosts))


def policies(listens=1):
    """The bytes of policies that limit little."""
    listen = {"head_bytes": 16384, "target_bytes": 8192, "fields": 128, "trailer_bytes": 4096, "extension_bytes": 4096,
              "head_ms": 10000, "idle_ms": 60000, "requests": 10000}
    return records(codec.frame("POLICY_PARSING", policy=1),
                   *(codec.frame("POLICY_LISTEN", listen=number, policy=1, **listen) for number in range(listens)))


class Cast:
    """A server of puppets that is serving."""

    def __init__(self, theatre, names=("alice",), ready=True, listeners=1):
        self.theatre, self.server, self.listeners = theatre, theatre.server, listeners
        self.vhosts = [plan_vhost(self.server, number + 1, name) for number, name in enumerate(names)]
        self.server.spawn()
        config = theatre.take("config")
        config.receive()
        config.send("READY")
        config.send("PLAN", fds=[sealed(plan(self.server, self.vhosts, [plan_listen(processes=listeners)])),
                                 sealed(routes(self.vhosts)), sealed(policies())])
        config.exit(0)
        self.players = {}
        for role in ("logger", "router"):
            self.enter(role, ready=ready)
        for number in range(listeners):
            self.enter("listener", str(number), ready=ready)
        for name in names:
            self.enter("vhost", name, ready=ready)
        if ready:
            line = self.server.child.stdout.readline()
            assert line.startswith(b"luttpd: serving http://127.0.0.1:"), line

    def enter(self, role, label=None, ready=True):
        """The next process of this role; its START is taken."""
        player = self.theatre.take(role, label)
        player.start = player.receive()
        assert player.start[0].startswith("START_"), player.start
        if ready:
            player.send("READY")
        player.channels = []
        name = label or role
        if role == "listener":  # the first is called by its role alone
            name = role if label in (None, "0") else f"listener {label}"
        self.players[name] = player
        return player

    def __getitem__(self, name):
        return self.players[name]

    def channel(self, name, peer):
        """The next CHANNEL of this player to that kind of peer: (values, socket)."""
        channels = self[name].channels
        while not any(values["peer"] == peer for values, _ in channels):
            _, values, fds = self[name].receive_until("CHANNEL")
            channels.append((values, socket.socket(fileno=fds[0])))
        return channels.pop([values["peer"] for values, _ in channels].index(peer))
