# SPDX-License-Identifier: Apache-2.0
"""One end of a data channel in Python: writes and reads its rings, honestly or not.

    vhost = DataEnd(socket, maker=False)      # waits for the listener's RING
    name, values = vhost.read()               # waits for a record
    vhost.put("HEAD", stream=values["stream"], status=200)
    vhost.flush()                             # publishes, and rings whether the peer sleeps or not

Layout and rules: runtime/channel/channel.c and ring.h.
"""
import fcntl
import mmap
import os
import socket
import struct
import time

import codec

INDEX_BYTES, IN_BYTES, OUT_BYTES = 4096, 65536, 262144
SIZE_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
TAIL, HEAD, ASLEEP = 0, 64, 128
RING_SHARED_BYTES = 192
PATIENCE = 20


def load(memory, at):
    """Eight bytes in one go: struct moves them one by one, and an index must never be seen half written."""
    with memoryview(memory) as view, view.cast("Q") as words:
        return words[at // 8]


def store(memory, at, value):
    with memoryview(memory) as view, view.cast("Q") as words:
        words[at // 8] = value


class Ring:
    """The indices at base and the data at start of a mapping."""

    def __init__(self, memory, base, start, size):
        self.memory, self.base, self.start, self.size = memory, base, start, size
        self.at = 0  # our own index: head of a reader, tail of a writer

    def get(self, which):
        return load(self.memory, self.base + which)

    def set(self, which, value):
        store(self.memory, self.base + which, value & (2**64 - 1))

    def read(self):
        """The next frame, or None."""
        while self.at < self.get(TAIL):
            offset = self.start + self.at % self.size
            size, kind, _ = struct.unpack_from("<IHH", self.memory, offset)
            frame = bytes(self.memory[offset:offset + 8 + size])
            self.at += 8 + size + -size % 8
            self.set(HEAD, self.at)
            if kind != 0:
                return frame
        return None

    def write(self, frame):
        whole = len(frame) + -len(frame) % 8
        rest = self.size - self.at % self.size
        if rest < whole:
            struct.pack_into("<IHH", self.memory, self.start + self.at % self.size, rest - 8, 0, 0)
            self.at += rest
        offset = self.start + self.at % self.size
        self.memory[offset:offset + len(frame)] = frame
        self.at += whole

    def publish(self):
        self.set(TAIL, self.at)


class DataEnd:
    """One end of a data channel. maker: this end makes the rings, as a listener does."""

    def __init__(self, sock, maker):
        self.socket = sock
        self.socket.settimeout(PATIENCE)
        if maker:
            fd = os.memfd_create("ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            os.ftruncate(fd, INDEX_BYTES + IN_BYTES + OUT_BYTES)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SIZE_SEALS)
            codec.send(self.socket, "RING", [fd])
        else:
            name, _, (fd,) = codec.receive(self.socket)
            assert name == "RING"
        self.memory = mmap.mmap(fd, INDEX_BYTES + IN_BYTES + OUT_BYTES)
        os.close(fd)
        into = Ring(self.memory, 0, INDEX_BYTES, IN_BYTES)
        out = Ring(self.memory, RING_SHARED_BYTES, INDEX_BYTES + IN_BYTES, OUT_BYTES)
        self.writer, self.reader = (into, out) if maker else (out, into)

    def read(self, seconds=PATIENCE):
        """(name, values) of the next record."""
        end = time.monotonic() + seconds
        while True:
            frame = self.reader.read()
            if frame is not None:
                return codec.parse(frame)
            assert time.monotonic() < end, "nothing came through the ring"
            time.sleep(0.001)

    def read_until(self, name, seconds=PATIENCE):
        while True:
            got, values = self.read(seconds)
            if got == name:
                return values

    def put_frame(self, frame):
        self.writer.write(frame)

    def put(self, name, /, **values):
        self.put_frame(codec.frame(name, **values))

    def flush(self):
        """Publishes and rings. A peer that has cut us off is no error here."""
        self.writer.publish()
        self.packet("DOORBELL")

    def packet(self, name, /, fds=(), **values):
        try:
            codec.send(self.socket, name, fds=fds, **values)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def packet_raw(self, data, fds=()):
        try:
            socket.send_fds(self.socket, [data], list(fds))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def cut_off(self, seconds=PATIENCE):
        """Whether the peer closes the channel within that time."""
        end = time.monotonic() + seconds
        self.socket.settimeout(0.2)
        while time.monotonic() < end:
            try:
                if not self.socket.recv(100):
                    return True
            except TimeoutError:
                continue
            except ConnectionResetError:
                return True
        return False

    def close(self):
        self.socket.close()
        self.memory.close()
