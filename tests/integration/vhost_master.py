# SPDX-License-Identifier: Apache-2.0
"""A fake master, listener and logger for the real luttpd-vhost in its cage.

    site = Site(tmp_path, {"vhost.lua": 'get "/" (function(req, res) res:text "hi" end)'})
    site.start()
    assert site.ask("GET", "/").body == b"hi"
    site.log()                                the lines of the owner's error log so far
    site.listener.put("OPEN", ...)            the exchange by hand

The control socket is made under the vhost's own user, as where luttpd runs without root: only the empty
root is missing from its cage.
"""
import contextlib
import fcntl
import mmap
import os
import pathlib
import signal
import socket
import time

import codec
from rings import INDEX_BYTES, IN_BYTES, SIZE_SEALS, DataEnd, Ring
from server import BUILD, PATIENCE, SANITIZED

VHOST_UID = 1899000777
MEGABYTE = 1024 * 1024


class Answer:
    """What came back on one stream."""

    def __init__(self):
        self.status, self.length, self.fields, self.body = None, None, [], b""
        self.file, self.reset, self.ended = None, None, False

    def __getitem__(self, name):
        values = [value.decode() for key, value in self.fields if key == name.encode()]
        return ", ".join(values) if values else None

    def text(self):
        return self.body.decode()


class LogEnd:
    """The logger's end of a log channel. size: of the ring, which is larger for a listener."""

    def __init__(self, sock, size=IN_BYTES):
        fd = os.memfd_create("log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, INDEX_BYTES + size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SIZE_SEALS)
        codec.send(sock, "RING", [fd])
        self.socket, self.memory = sock, mmap.mmap(fd, INDEX_BYTES + size)
        self.ring = Ring(self.memory, 0, INDEX_BYTES, size)
        os.close(fd)

    def read(self):
        frame = self.ring.read()
        return frame and codec.parse(frame)


@contextlib.contextmanager
def effective_user(uid):
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def _become_vhost(binary, control):
    """In the child: what master's spawn does, as far as a vhost can tell. Never returns."""
    try:
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(control, 100)
        for fd in (0, 1) if SANITIZED else (0, 1, 2):
            os.dup2(null, fd)
        os.dup2(100, 3)
        os.setgroups([])
        os.setresgid(VHOST_UID, VHOST_UID, VHOST_UID)
        os.setresuid(VHOST_UID, VHOST_UID, VHOST_UID)
        os.umask(0o077)
        os.execve(binary, ["luttpd: vhost test"], {})
    finally:
        os._exit(99)


class Site:
    """One vhost process over a directory of its own."""

    def __init__(self, directory, files=(), **start):
        pathlib.Path(directory).chmod(0o755)
        self.root = pathlib.Path(directory) / "site"
        self.root.mkdir(exist_ok=True)
        os.chown(self.root, VHOST_UID, VHOST_UID)
        self.values = {"vhost": 7, "generation": 3, "name": "test", "memory_bytes": 64 * MEGABYTE, "cpu_ms": 200,
                       "wall_ms": 10000, "hardened": False, "role_uids": [0, 11, 12, 13, 0, 15, 0, 0], **start}
        self.notes, self._log, self.pid, self.status, self.sequence = [], [], None, None, 0
        for name, content in dict(files).items():
            self.write(name, content)

    def write(self, name, content):
        path = self.root / name
        for folder in reversed(path.relative_to(self.root).parents[:-1]):
            if not (self.root / folder).exists():
                (self.root / folder).mkdir()
                os.chown(self.root / folder, VHOST_UID, VHOST_UID)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.chown(path, VHOST_UID, VHOST_UID)
        return path

    def start(self):
        with effective_user(VHOST_UID):
            self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        binary = os.open(BUILD / "bin" / "luttpd-vhost", os.O_PATH)
        begun = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            _become_vhost(binary, theirs.fileno())
        theirs.close()
        os.close(binary)
        self.control.settimeout(PATIENCE)
        root = os.open(self.root, os.O_PATH | os.O_DIRECTORY)
        codec.send(self.control, "START_VHOST", [root], **self.values)
        os.close(root)
        self._await_ready()
        self.seconds_to_ready = time.monotonic() - begun
        self.logger = LogEnd(self._introduce("logger", 0))
        self.listener = self.new_listener(1)
        return self

    def _await_ready(self):
        while True:
            message = codec.receive(self.control)
            assert message, f"the vhost ended: {self.notes}"
            if message[0] == "READY":
                return
            assert message[0] == "NOTE", message
            self.notes.append(message[1]["text"].decode())

    def _introduce(self, peer, number):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        codec.send(self.control, "CHANNEL", [theirs.fileno()], peer=peer, id=number)
        theirs.close()
        return ours

    def new_listener(self, number):
        return DataEnd(self._introduce("listener", number), maker=True)

    # Requests ------------------------------------------------------------------------------------------

    def open(self, method, path, query=b"", fields=(), body=False, length=None, listener=None, **more):
        """Puts OPEN and returns its stream. body: BODY and END will follow."""
        self.sequence += 1
        stream = (self.sequence & 0xffff) << 16 | self.sequence % 64
        length = codec.LENGTH_UNKNOWN if length is None else length
        (listener or self.listener).put(
            "OPEN", stream=stream, scheme="http", version="http11", family="inet", address=bytes([192, 0, 2, 7]),
            port=4711, body=body, content_length=length, method=method, authority=b"test.example",
            path=path, query=query, fields=[(n.encode(), v.encode()) for n, v in fields], **more)
        return stream

    def collect(self, stream, grant=True, seconds=PATIENCE):
        """Reads one stream to its end, granting credit as it goes. Other streams must be silent."""
        answer = Answer()
        while not answer.ended:
            name, values = self.listener.read(seconds)
            assert values["stream"] == stream, (name, values)
            self._take(answer, name, values)
            if name == "BODY" and grant:
                self.listener.put("CREDIT", stream=stream, bytes=len(values["data"]))
                self.listener.flush()
        return answer

    def _take(self, answer, name, values):
        if name == "HEAD":
            assert answer.status is None
            answer.status, answer.length, answer.fields = values["status"], values["content_length"], values["fields"]
        elif name == "BODY":
            answer.body += values["data"]
        elif name == "FILE":
            answer.file = self._take_descriptor(values)
        elif name == "RESET":
            answer.reset, answer.ended = values["reason"], True
        elif name == "END":
            assert answer.status is not None
            answer.ended = True
        else:
            assert name == "CREDIT", name

    def _take_descriptor(self, values):
        while True:
            name, told, fds = codec.receive(self.listener.socket)
            if name == "FILE_DESCRIPTOR":
                assert told["stream"] == values["stream"]
                with os.fdopen(fds[0], "rb") as file:
                    return os.pread(file.fileno(), values["length"], values["offset"])
            assert name == "DOORBELL"

    def ask(self, method, path, content=None, **more):
        """One whole exchange."""
        stream = self.open(method, path, body=content is not None, length=None if content is None else len(content), **more)
        if content is not None:
            for at in range(0, len(content), 16384):
                self.listener.put("BODY", stream=stream, data=content[at:at + 16384])
            self.listener.put("END", stream=stream)
        self.listener.flush()
        return self.collect(stream)

    # What it says --------------------------------------------------------------------------------------

    def log(self):
        """All lines of the owner's error log so far, as one text."""
        while record := self.logger.read():
            name, values = record
            assert name == "LOG_ERROR", record
            self._log.append(values["level"] + ": " + values["text"].decode())
        return "\n".join(self._log)

    def await_log(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.log():
            assert time.monotonic() < end, f"{text!r} is not in the log:\n{self.log()}"
            time.sleep(0.01)

    def note(self):
        """The next line for the server's own log."""
        while True:
            name, values, _ = codec.receive(self.control)
            assert name == "NOTE"
            return values["text"].decode()

    def wait(self):
        """The exit code of the process, or minus its signal."""
        end = time.monotonic() + PATIENCE
        while self.status is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.status = os.waitstatus_to_exitcode(status)
            assert ended or time.monotonic() < end, "the vhost does not end"
            time.sleep(0.002)
        return self.status

    def remove(self):
        if self.pid and self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
