# SPDX-License-Identifier: Apache-2.0
"""Everyone that the logger talks to: a fake master, and producers, honest or not.

    logger = Logger(directory, {1: "alice"}, "both")     the real binary in its real cage
    listener = logger.producer("listener", 1)
    listener.put("LOG_ACCESS", vhost=1, status=200, ...)
    logger.stop()

The logger runs as LOGGER_UID. Its control socket is made under the same user, as where luttpd runs
without root: only chroot is missing from its cage.
"""
import contextlib
import fcntl
import json
import mmap
import os
import pathlib
import re
import signal
import socket
import struct
import time

import codec
from rings import load, store
from server import BUILD, PATIENCE, wait_until

LOGGER_UID = 1899999905
OWNER_GID = 1899000123

INDEX_BYTES, RING_BYTES, ACCESS_RING_BYTES = 4096, 65536, 1 << 20
TAIL, HEAD = 0, 64  # offsets of the ring's indices in its shared page
F_ADD_SEALS, SEALS = 1033, 0x1 | 0x2 | 0x4 | 0x8


def sealed_file(content):
    fd = os.memfd_create("map", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    fcntl.fcntl(fd, F_ADD_SEALS, SEALS)
    return fd


def route_map(sites):
    frames = [codec.frame("ROUTE_VHOST", vhost=vhost, name=name) for vhost, name in sites.items()]
    return b"".join(frame + b"\0" * (-len(frame) % 8) for frame in frames)


@contextlib.contextmanager
def effective_user(uid):
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def make_directories(directory, sites):
    """What master does: each site's logs belong to the logger, and its owner's group may read."""
    for name in ["_server", *sites.values()]:
        path = pathlib.Path(directory) / name
        path.mkdir(exist_ok=True)
        os.chown(path, LOGGER_UID, OWNER_GID)
        path.chmod(0o2750)


def _become_logger(binary, control):
    """In the child: what master's spawn does. Never returns."""
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1) if "asan" in BUILD.name else (0, 1, 2):
        os.dup2(null, fd)
    os.dup2(control, 3)
    os.closerange(4, binary)
    os.closerange(binary + 1, 65536)
    os.setgroups([])
    os.setresgid(LOGGER_UID, LOGGER_UID, LOGGER_UID)
    os.setresuid(LOGGER_UID, LOGGER_UID, LOGGER_UID)
    os.umask(0o077)
    os.execve(binary, ["luttpd: logger"], {})


class Producer:
    """One end of a log channel, writing what it likes into the ring."""

    def __init__(self, logger, peer, number):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        codec.send(logger.control, "CHANNEL", [theirs.fileno()], peer=peer, id=number,
                   generation=1 if peer == "vhost" else 0)
        theirs.close()
        self.socket.settimeout(PATIENCE)
        name, _, fds = codec.receive(self.socket)
        assert name == "RING" and len(fds) == 1
        self.bytes = ACCESS_RING_BYTES if peer == "listener" else RING_BYTES
        self.memory = mmap.mmap(fds[0], INDEX_BYTES + self.bytes)
        os.close(fds[0])
        self.tail = 0

    def index(self, which):
        return load(self.memory, which)

    def _write(self, frame):
        offset = self.tail % self.bytes
        whole = len(frame) + -len(frame) % 8
        if self.bytes - offset < whole:
            struct.pack_into("<IHH", self.memory, INDEX_BYTES + offset, self.bytes - offset - 8, 0, 0)
            self.tail += self.bytes - offset
            offset = 0
        start = INDEX_BYTES + offset
        self.memory[start:start + len(frame)] = frame
        self.tail += whole

    def room(self):
        return self.bytes - (self.tail - self.index(HEAD))

    def publish(self):
        store(self.memory, TAIL, self.tail)

    def put_frame(self, frame):
        """Writes and publishes; rings and waits where the ring is too full for it. A frame that is
        larger than any record may be is written as far as the ring goes."""
        frame = frame[:self.bytes]
        if self.tail and self.room() < 2 * len(frame) + 16:
            self.ring()
            wait_until(lambda: self.room() >= 2 * len(frame) + 16, "room in the ring")
        self._write(frame)
        self.publish()

    def put(self, name, **values):
        self.put_frame(codec.frame(name, **values))

    def ring(self):
        codec.send(self.socket, "DOORBELL")

    def cut_off(self, seconds=PATIENCE):
        """Whether the logger, rung once, closes the channel within that time."""
        self.socket.settimeout(seconds)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.ring()
        try:
            return self.socket.recv(100) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.memory.close()
        self.socket.close()


class Logger:
    def __init__(self, directory, sites, log_format="combined"):
        self.directory, self.sites, self.format = pathlib.Path(directory), sites, log_format
        self.notes, self.pid, self.control = [], None, None

    def start(self):
        with effective_user(LOGGER_UID):  # the kernel stamps the pair with its maker
            self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        binary = os.open(BUILD / "bin" / "luttpd-logger", os.O_PATH | os.O_CLOEXEC)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _become_logger(binary, theirs.fileno())
            finally:
                os._exit(99)
        theirs.close()
        os.close(binary)
        self.control.settimeout(PATIENCE)
        log_directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        map_fd = sealed_file(route_map(self.sites))
        codec.send(self.control, "START_LOGGER", [log_directory, map_fd], format=self.format)
        os.close(log_directory)
        os.close(map_fd)
        name, values, _ = codec.receive(self.control)
        assert name == "READY", (name, values)
        return self

    def producer(self, peer, number=0):
        return Producer(self, peer, number)

    def read_notes(self):
        """All lines that the logger has told master so far."""
        while True:
            try:
                self.control.setblocking(False)
                message = codec.receive(self.control)
            except BlockingIOError:
                return self.notes
            finally:
                self.control.setblocking(True)
            if message is None:
                return self.notes
            if message[0] == "NOTE":
                self.notes.append(message[1]["text"].decode())

    def wait_note(self, pattern):
        return wait_until(lambda: [note for note in self.read_notes() if re.search(pattern, note)], pattern)

    def reopen(self):
        codec.send(self.control, "REOPEN")

    def wait_exit(self, seconds=PATIENCE):
        """The exit code; the negative signal where one ended it."""
        def reap():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return [os.waitstatus_to_exitcode(status)] if pid else None
        code = wait_until(reap, "the logger's end", seconds)[0]
        self.pid = None
        return code

    def stop(self, drain_ms=5000):
        codec.send(self.control, "STOP", drain_ms=drain_ms)
        code = self.wait_exit()
        self.read_notes()
        self.control.close()
        return code

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self.wait_exit()
        self.control.close()

    def is_alive(self):
        return os.waitpid(self.pid, os.WNOHANG) == (0, 0)

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def remove(self):
        if self.pid is not None:
            self.kill()

    def log(self, name):
        """The bytes of a log; empty where there is none."""
        try:
            return (self.directory / name).read_bytes()
        except FileNotFoundError:
            return b""

    def wait_log(self, name, condition, seconds=PATIENCE):
        """The log once condition(log) is true."""
        return wait_until(lambda: [log for log in [self.log(name)] if condition(log)], name, seconds)[0]


COMBINED = re.compile(
    rb'(?P<address>[0-9a-f.:]+|-) - - \[(?P<time>\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000)\] '
    rb'"(?:-|(?P<method>[!-~]+) (?P<target>[!-~]+) (?P<version>HTTP/1\.[01]))" (?P<status>\d+) (?P<bytes>\d+) '
    rb'"(?P<referer>[^"]*)" "(?P<agent>[^"]*)" "(?P<request>[0-9a-f]{16}|-)"')


def unescape(field):
    """Undoes what combined format does to a field."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), field)


def parse_combined(log):
    """[{field: bytes}] of every line. Fails where a line has another shape."""
    assert log.endswith(b"\n") or log == b""
    found = [COMBINED.fullmatch(line) for line in log.split(b"\n")[:-1]]
    assert all(found), "a line of another shape"
    return [{key: unescape(value or b"") for key, value in match.groupdict().items()} for match in found]


def parse_json(log):
    return [json.loads(line) for line in log.split(b"\n")[:-1]]


def now_us():
    return time.time_ns() // 1000


def access(vhost=1, **values):
    """The frame of a plain LOG_ACCESS with these values."""
    fields = {"time_us": now_us(), "status": 200, "family": "inet", "address": bytes([127, 0, 0, 1]),
              "version": "http11", "method": b"GET", "target": b"/"}
    return codec.frame("LOG_ACCESS", vhost=vhost, **{**fields, **values})


def error(text, level="error"):
    return codec.frame("LOG_ERROR", time_us=now_us(), level=level, text=text)
