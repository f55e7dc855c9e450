# SPDX-License-Identifier: Apache-2.0
"""A fake master for the real luttpd-config in its cage.

    master = ConfigMaster(tmp_path)
    outcome = master.evaluate('listen "127.0.0.1:80" ...')
    outcome.faults, outcome.plan, outcome.routes, outcome.status

Its control socket is made under config's own user, as where luttpd runs without root: only the empty
root is missing from its cage.
"""
import contextlib
import fcntl
import os
import pathlib
import resource
import signal
import socket
import time

import codec
from server import BUILD, PATIENCE

CONFIG_UID = 1899999901
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE

PASSWD = """root:x:0:0:root:/root:/bin/bash
www-data:x:33:33::/var/www:/usr/sbin/nologin
alice:x:1000:1000:Alice:/home/alice:/bin/bash
bob:x:1001:1001:Bob:/home/bob:/bin/bash
_luttpd-config:x:1950:1950::/:/usr/sbin/nologin
"""
GROUP = "root:x:0:\nusers:x:100:\nalice:x:1000:\nbob:x:1001:\n"


class Outcome:
    """What config said before it ended. status: exit code, or minus the signal; seconds: of CPU
    time, so that other processes of the machine do not count."""

    def __init__(self):
        self.ready, self.faults, self.notes = False, [], []
        self.plan = self.routes = self.policies = None
        self.status, self.seconds = None, 0.0

    def lines(self):
        return [f"{f['file'].decode()}:{f['line']}: {f['key'].decode()}: {f['reason'].decode()}" for f in self.faults]

    def of(self, name):
        """The values of all records of this kind, in plan or route map."""
        return [values for kind, values in self.plan + self.routes if kind == name]

    def policies_of(self, name):
        """The same, in the policies."""
        return [values for kind, values in self.policies if kind == name]


def read_records(fd):
    """The records of a sealed file, after checking that nobody can change it."""
    with open(fd, "rb") as file:
        assert fcntl.fcntl(file, fcntl.F_GET_SEALS) & SEALS == SEALS
        file.seek(0)
        data = file.read()
    records, at = [], 0
    while at < len(data):
        size = 8 + int.from_bytes(data[at:at + 4], "little")
        records.append(codec.parse(data[at:at + size]))
        assert data[at + size:at + (size + 7) // 8 * 8].strip(b"\0") == b""
        at += (size + 7) // 8 * 8
    return records


class ConfigMaster:
    """Starts config as often as asked, over one configuration directory and one table of users."""

    def __init__(self, directory):
        directory = pathlib.Path(directory)
        directory.chmod(0o755)
        self.directory = directory / "etc"
        self.directory.mkdir()
        self.passwd, self.group = directory / "passwd", directory / "group"
        self.passwd.write_text(PASSWD)
        self.group.write_text(GROUP)
        self.users = directory / "automatic-users"
        self.users.write_bytes(b"")

    def write(self, text, name="server.lua"):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o755)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o644)

    def _descriptors(self, users_mode):
        return [os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY), os.open(self.passwd, os.O_RDONLY),
                os.open(self.group, os.O_RDONLY), os.open(self.users, users_mode)]

    @contextlib.contextmanager
    def started(self, queue_bytes=None):
        """The control channel and pid of a config process that waits for START_CONFIG."""
        os.seteuid(CONFIG_UID)
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        finally:
            os.seteuid(0)
        if queue_bytes:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, queue_bytes)
        pid = os.fork()
        if pid == 0:
            _become_config(theirs)
        theirs.close()
        ours.settimeout(PATIENCE)
        ended = []
        try:
            yield ours, lambda: ended.append(_wait(pid)) or ended[0]
        finally:
            ours.close()
            if not ended:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def evaluate(self, text=None, users_mode=os.O_RDWR | os.O_APPEND, queue_bytes=None, before=None, **start):
        """Writes the configuration, has it evaluated, collects what comes back. before: called before
        the first message is read."""
        if text is not None:
            self.write(text)
        values = {"directory": str(self.directory), "file": "server.lua", **start}
        fds = self._descriptors(users_mode)
        begun, outcome = _cpu_of_children(), Outcome()
        with self.started(queue_bytes) as (control, wait):
            codec.send(control, "START_CONFIG", fds=fds, **values)
            for fd in fds:
                os.close(fd)
            if before:
                before()
            while message := codec.receive(control):
                _note(outcome, *message)
            outcome.status = wait()
        outcome.seconds = _cpu_of_children() - begun
        return outcome


def _cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _become_config(control):
    """In the child: what master's spawn does, as far as config can tell."""
    try:
        binary = os.open(BUILD / "bin" / "luttpd-config", os.O_PATH)
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(control.fileno(), 100)
        for fd in (0, 1) if "asan" in str(BUILD) else (0, 1, 2):
            os.dup2(null, fd)
        os.dup2(100, 3)
        os.setgroups([])
        os.setresgid(CONFIG_UID, CONFIG_UID, CONFIG_UID)
        os.setresuid(CONFIG_UID, CONFIG_UID, CONFIG_UID)
        os.umask(0o077)
        os.execve(binary, ["luttpd: config"], {})
    finally:
        os._exit(99)


def _wait(pid):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("config does not end")


def _note(outcome, name, values, fds):
    if name == "READY":
        outcome.ready = True
    elif name == "FAULT":
        outcome.faults.append(values)
    elif name == "NOTE":
        outcome.notes.append(values["text"].decode())
    else:
        assert name == "PLAN" and len(fds) == 3 and outcome.plan is None
        outcome.plan, outcome.routes, outcome.policies = (read_records(fd) for fd in fds)
