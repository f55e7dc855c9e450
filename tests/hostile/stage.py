# SPDX-License-Identifier: Apache-2.0
"""A whole server in which vhosts are played here: "evil" by the test, "honest" by a thread.

    stage = Stage()                       # real master, config, router, listener, logger
    call = stage.call()                   # a client asks evil.test; call.end is evil's channel
    call.end.put("BODY", stream=call.stream, data=b"too early")
    call.end.flush()
    stage.assert_cut_off(call)            # and the listener lives, and honest.test is served

The second half of the file helps the other hostile roles.
"""
import os
import re
import select
import socket
import struct
import threading
import time

import codec
from puppets import Theatre
from rings import ASLEEP, TAIL, DataEnd
from server import PATIENCE, Server, read_all, wait_until

FORGED = b"FORGED"  # in everything that evil says and no client may ever read
# {path} tells the call from all others. POST, since the listener would hand a GET to evil's successor.
POST = "POST {path} HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
GET = "GET {path} HTTP/1.1\r\nHost: evil.test\r\n\r\n"
UPLOAD = "POST {path} HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"
CUT = "broke a rule and is cut off"


class Honest(threading.Thread):
    """Plays an honest vhost: answers every request with its name."""

    def __init__(self, player, name):
        super().__init__(daemon=True)
        self.player, self.text, self.ends, self.done = player, name.encode(), [], False
        self.mute, self.asked = False, threading.Event()
        self.start()

    def wait_asked(self):
        """While mute: returns once somebody waits for an answer."""
        assert self.asked.wait(PATIENCE)
        self.asked.clear()

    def run(self):
        try:
            while not self.done:
                self._turn()
        except (OSError, ValueError):
            pass  # the stage is torn down

    def _turn(self):
        for end in self.ends:
            struct.pack_into("<I", end.memory, end.reader.base + ASLEEP, 1)
            self._answer(end)
        ready, _, _ = select.select([self.player.control, *(end.socket for end in self.ends)], [], [], 0.05)
        for end in [end for end in self.ends if end.socket in ready]:
            if not _next_packet(end.socket):
                self.ends.remove(end)
                end.close()
        if self.player.control in ready:
            self._obey(self.player.receive())

    def _obey(self, message):
        if message is None:
            self.done = True
        elif message[0] == "CHANNEL" and message[1]["peer"] == "listener":
            self.ends.append(DataEnd(socket.socket(fileno=message[2][0]), maker=False))
        else:
            close_all(message[2])

    def _answer(self, end):
        if self.mute and end.reader.get(TAIL) != end.reader.at:
            self.asked.set()
        while not self.mute and (frame := end.reader.read()):
            name, values = codec.parse(frame)
            if name == "OPEN":
                end.put("HEAD", stream=values["stream"], status=200, content_length=len(self.text))
                end.put("BODY", stream=values["stream"], data=self.text)
                end.put("END", stream=values["stream"])
                end.flush()


def _next_packet(sock):
    """Takes one doorbell. False where the peer is gone."""
    try:
        return bool(sock.recv(100))
    except ConnectionResetError:
        return False


def close_all(fds):
    for fd in fds:
        os.close(fd)


class Call:
    """A client's request that has reached evil."""

    def __init__(self, client, end, values):
        self.client, self.end, self.values, self.stream = client, end, values, values["stream"]

    def say(self, name, /, **values):
        """One message on the stream, published."""
        self.end.put(name, **{"stream": self.stream, **values})
        self.end.flush()

    def head(self, status=200, length=codec.LENGTH_UNKNOWN, fields=()):
        self.say("HEAD", status=status, content_length=length, fields=list(fields))

    def reply(self):
        """All that the client gets, until its connection ends."""
        with self.client:
            return read_all(self.client)


class Stage:
    def __init__(self, server=None, roles=("vhost",), options=None):
        self.server = server or Server()
        self.server.listens = ['listen { "127.0.0.1:0", limits = { address_connections = 0 } }']
        for name in ("evil", "honest"):
            self.server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": "", "public/x": "x"},
                                 **(options or {}))
        self.server.write_configuration()
        self.theatre = Theatre(self.server, *roles)
        self.server.spawn()
        self.evil = self.enter("vhost", "evil")
        self.generation = 1
        self.honest = Honest(self.enter("vhost", "honest"), "honest")
        self.server.addresses = self.server.child.stdout.readline().decode().split()[2:]
        assert self.server.addresses, self.server.stderr
        self.listener = self.server.process("listener")
        self.end, self.cuts, self.calls = None, 0, 0

    def enter(self, role, label=None):
        """The next process of this role, ready."""
        player = self.theatre.take(role, label)
        player.start = player.receive()
        player.send("READY")
        return player

    # Requests

    def connect(self, request):
        client = self.server.connect()
        client.sendall(request)
        return client

    def call(self, request=POST):
        """Sends a request for evil.test and waits until evil has it."""
        self.calls += 1
        path = f"/call/{self.calls}"
        client = self.connect(request.format(path=path).encode())
        if self.end is None:
            self.end = self.channel()
        values = self.end.read_until("OPEN")
        while values["path"] != path.encode():
            values = self.end.read_until("OPEN")
        return Call(client, self.end, values)

    def channel(self):
        """Evil's next data channel."""
        while True:
            _, values, fds = self.evil.receive_until("CHANNEL")
            if values["peer"] == "listener":
                return DataEnd(socket.socket(fileno=fds[0]), maker=False)
            close_all(fds)

    def hang_up(self):
        """Evil closes its channel; the next call gets a new one."""
        if self.end is not None:
            self.end.close()
        self.end = None

    # What must be so afterwards

    def assert_served(self):
        """Nobody else has noticed anything."""
        assert self.server.get("/", host="honest.test").body == b"honest"
        now = self.server.process("listener")
        assert now is not None and now.pid == self.listener.pid, self.server.stderr
        assert self.server.child.poll() is None

    def accused(self):
        """Lines that say that evil was cut off."""
        return len(re.findall(rf"vhost evil, generation \d+, {CUT}", self.server.stderr))

    def assert_cut_off(self, call=None, answer=True):
        """Evil has lost its channel, once and with one line in the log; its client has got an honest
        error, or a cut where it had got a head before. answer: no head was said before."""
        assert self.end.cut_off(), "the listener still speaks with evil"
        self.hang_up()
        self.cuts += 1
        self.settle()
        if call is not None:
            reply = call.reply()
            assert FORGED not in reply, reply
            if answer:
                assert reply.startswith(b"HTTP/1.1 502 "), reply
        self.assert_served()

    def settle(self):
        """Waits for the line in the log, then takes evil's successor where master has replaced it. The
        listener accuses before it reports: once its line is there, master has decided. Returns whether
        it has replaced evil."""
        wait_until(lambda: self.accused() >= self.cuts, f"the line in the log\n{self.server.stderr}")
        assert self.accused() == self.cuts, self.server.stderr
        return self.find_evil()

    def find_evil(self):
        """Takes evil's successor where master has replaced it. Returns whether it has."""
        if f"vhost evil[{self.evil.pid}]: accused" not in self.server.stderr:
            return False
        wait_until(lambda: not self.evil.alive(), "evil's end")
        self.evil.close()
        self.evil = self.enter("vhost", "evil")
        self.generation += 1
        assert self.evil.start[1]["generation"] == self.generation
        return True

    def close(self):
        self.honest.done = True
        self.hang_up()
        self.theatre.close()
        self.server.remove()


def fd_count(process):
    return len(os.listdir(process.proc / "fd"))


def cpu_s(process):
    fields = (process.proc / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")




def name_of(case):
    return f"{case.get('message', 'frame')}-{case['case']}-{case.get('field', '')}-{case.get('value', '')}"
