# SPDX-License-Identifier: Apache-2.0
"""A hostile listener against the real vhost and the real router, under the real master. Whatever it says,
the vhost lives, cuts it off, and answers through the next channel; nothing leaves the vhost's root.

Stopper taken away by hand, and what was seen: memfd_map_ring without the comparison of seals:
test_memory_that_is_not_what_it_should_be fails with no-seals, the vhost maps what can shrink under it."""
import fcntl
import os
import socket
import tempfile

import pytest

import codec
from puppets import Theatre
from rings import HEAD, INDEX_BYTES, IN_BYTES, OUT_BYTES, SIZE_SEALS, TAIL, DataEnd
from server import Server, wait_until
from stage import close_all, fd_count, name_of

CREDIT = 32768
RECORD_MAX = 32768  # what is larger finds no place in a ring
SECRET = b"SECRET of another vhost"
SCRIPT = """
files "/" { dir = "public" }
get "/hello" (function(req, res) res:text("hello") end)
get "/echo" (function(req, res) res:header("x-echo", req.headers["x"] or "none"); res:text(req.path) end)
post "/count" (function(req, res)
  local n = 0
  for chunk in req:body() do n = n + #chunk end
  res:text(tostring(n))
end)
post "/stuck" (function(req, res) res:write(("x"):rep(100000)) end)
"""
RING_CASES = [case for case in codec.cases("ring", "listener", "vhost") if len(codec.broken(case)[0]) <= RECORD_MAX]
PAIR_CASES = codec.cases("pair", "listener", "vhost")


class Stage:
    """The listener is played here; everybody else is real."""

    def __init__(self):
        self.server = Server()
        self.root = self.server.add_site("alice", hosts=["alice.test"], files={"vhost.lua": SCRIPT, "public/x": "inside"})
        for place in ("secret", "sites/alice/secret", "sites/secret"):
            (self.server.directory / place).write_bytes(SECRET)
            (self.server.directory / place).chmod(0o644)
        (self.root / "public" / "link").symlink_to("../../secret")
        (self.root / "public" / "absolute").symlink_to(self.server.directory / "secret")
        self.server.write_configuration()
        self.theatre = Theatre(self.server, "listener")
        self.server.spawn()
        self.listener = self.theatre.take("listener")
        _, _, fds = self.listener.receive()
        self.map = os.pread(fds[1], 1 << 20, 0)
        close_all(fds)
        self.listener.send("READY")
        self.router = self.channel("router")
        assert self.server.child.stdout.readline().startswith(b"luttpd: serving ")
        self.vhost = self.server.process("vhost", "alice")
        self.id = codec.parse(self.map[:8 + int.from_bytes(self.map[:4], "little")])[1]["vhost"]
        self.sequence = 0

    def channel(self, peer):
        """The next channel to such a peer."""
        while True:
            _, values, fds = self.listener.receive_until("CHANNEL")
            if values["peer"] == peer:
                return socket.socket(fileno=fds[0])
            close_all(fds)

    def raw_channel(self):
        codec.send(self.router, "CHANNEL_ASK", vhost=self.id)
        return self.channel("vhost")

    def open_channel(self):
        return DataEnd(self.raw_channel(), maker=True)

    def put_open(self, end, path, stream=1 << 16, **values):
        values = {"scheme": "http", "version": "http11", "family": "inet", "address": bytes([127, 0, 0, 1]), "port": 9,
                  "content_length": codec.LENGTH_UNKNOWN, "method": "GET", "authority": "alice.test", **values}
        end.put("OPEN", stream=stream, path=path, **values)
        return stream

    def ask(self, path, end=None, **values):
        """One whole exchange: (status, fields, content); a channel of its own unless given."""
        own = end or self.open_channel()
        stream = self.put_open(own, path, **values)
        own.flush()
        status, fields, content = None, [], b""
        while True:
            name, said = own.read()
            assert said["stream"] == stream
            if name == "HEAD":
                status, fields = said["status"], said["fields"]
            elif name == "BODY":
                content += said["data"]
            elif name in ("END", "RESET"):
                break
            else:
                assert name in ("CREDIT",), name
        if end is None:
            own.close()
        return status, fields, content

    def assert_lives(self):
        assert self.ask("/hello") == (200, self.ask("/hello")[1], b"hello")
        now = self.server.process("vhost", "alice")
        assert now is not None and now.pid == self.vhost.pid, self.server.stderr
        assert self.server.child.poll() is None

    def assert_cut_off(self, end):
        assert end.cut_off(), "the vhost still speaks with it"
        end.close()
        self.assert_lives()

    def close(self):
        self.theatre.close()
        self.server.remove()


@pytest.fixture(scope="module")
def stage():
    one = Stage()
    yield one
    one.close()


def test_there_are_cases():
    assert len(RING_CASES) > 30 and len(PAIR_CASES) > 2


@pytest.mark.parametrize("case", RING_CASES, ids=name_of)
def test_broken_record_cuts_off(stage, case):
    end = stage.open_channel()
    end.put_frame(codec.broken(case)[0])
    end.flush()
    stage.assert_cut_off(end)


@pytest.mark.parametrize("case", PAIR_CASES, ids=name_of)
def test_broken_packet_cuts_off(stage, case):
    end = stage.open_channel()
    frame, count = codec.broken(case)
    before = fd_count(stage.vhost)
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
    end.packet_raw(frame, fds)
    close_all(fds)
    stage.assert_cut_off(end)
    wait_until(lambda: fd_count(stage.vhost) <= before, "its descriptors are closed")


# Exchange rules ------------------------------------------------------------------------------------------


def say(stage, *records, path="/stuck", **values):
    """A channel on which OPEN and these records were said. The stream stays open: the answer to /stuck
    waits for credit."""
    end = stage.open_channel()
    stage.put_open(end, path, method="POST", **values)
    for name, said in records:
        end.put(name, **{"stream": 1 << 16, **said})
    end.flush()
    return end


@pytest.mark.parametrize("records, body", [
    ([("BODY", {"data": b"x"})], False), ([("END", {})], False), ([("END", {}), ("END", {})], True),
    ([("END", {}), ("BODY", {"data": b"x"})], True), ([("BODY", {"data": b"x" * 16384})] * 2 + [("BODY", {"data": b"x"})], True),
    ([("CREDIT", {"bytes": 2**31})], True), ([("CREDIT", {"bytes": 2**32 - 1})], True)], ids=str)
def test_what_may_not_be_said_now_cuts_off(stage, records, body):
    stage.assert_cut_off(say(stage, *records, body=body))


def test_second_open_of_one_slot_cuts_off(stage):
    end = say(stage, body=True)
    stage.put_open(end, "/hello", stream=2 << 16)
    end.flush()
    stage.assert_cut_off(end)


@pytest.mark.parametrize("slot", [16384, 16385, 0x7fff, 0xffff])
@pytest.mark.parametrize("name", ["OPEN", "BODY", "END", "CREDIT", "RESET"])
def test_slot_beyond_the_last_cuts_off(stage, name, slot):
    end = stage.open_channel()
    if name == "OPEN":
        stage.put_open(end, "/hello", stream=slot)
    else:
        end.put(name, stream=slot)
    end.flush()
    stage.assert_cut_off(end)


@pytest.mark.parametrize("name", ["BODY", "END", "CREDIT", "RESET"])
def test_what_crosses_the_end_of_a_stream_does_nothing(stage, name):
    """A stream that the vhost has ended, or that never was: honest listeners may be that late."""
    end = stage.open_channel()
    for stream in (1 << 16, 7, 0xffff0000):
        end.put(name, stream=stream)
    end.flush()
    assert stage.ask("/hello", end)[2] == b"hello"
    end.close()


def test_honest_upload_is_counted(stage):
    """Not hostile: the control of the tests above."""
    end = say(stage, ("BODY", {"data": b"x" * 16384}), ("BODY", {"data": b"x" * 16384}), ("END", {}), path="/count", body=True)
    end.read_until("HEAD")
    assert end.read_until("BODY")["data"] == b"32768"
    end.close()


# Paths and fields ------------------------------------------------------------------------------------------

PATHS = [b"", b"x", b"../secret", b"/../secret", b"/../../secret", b"/./../secret", b"/public/../../secret", b"//../secret",
         b"/../alice/secret", b"/..", b"/.", b"/\0", b"/x\0", b"/x\0/../secret", b"\0", b"/link", b"/absolute", b"/" + b"../" * 50 + b"etc/passwd",
         b"/proc/self/root/etc/passwd", b"/etc/passwd", b"/%2e%2e/secret", b"/..%2fsecret", b"/..\\secret", b"/\xff\xfe",
         b"/" + b"a" * 4095, b"/" + b"a/" * 2047, b"/x/", b"/x/..", b"/\r\nx: y", b"/vhost.lua", b"/../vhost.lua", b"/.../x"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: repr(path[:24]))
def test_no_path_leads_out_of_the_root(stage, path):
    end = stage.open_channel()
    try:
        status, fields, content = stage.ask(path, end)
    except AssertionError:  # or it is cut off for it
        assert end.cut_off(1)
    else:
        assert status in (301, 400, 403, 404, 308), (status, content)
        for text in (SECRET, b"root:", b"files \"/\""):
            assert text not in content
        assert all(b"\r" not in value and b"\n" not in value for _, value in fields)
    end.close()
    stage.assert_lives()


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: x", b"a\0b", b"\n", b"\xff\xfe", b"x" * 16000, b""], ids=lambda value: repr(value[:16]))
def test_field_values_that_no_parser_would_pass_do_no_harm(stage, value):
    """The listener is taken: what it hands on may hold any byte. The answer does not."""
    status, fields, _ = stage.ask("/echo", fields=[(b"x", value), (b"\0", b"y"), (b"", b"z")])
    assert status in (200, 400, 431, 500)
    assert all(b"\r" not in said and b"\n" not in said and b"\0" not in said for _, said in fields), fields
    stage.assert_lives()


@pytest.mark.parametrize("values", [
    {"method": ""}, {"method": "G\r\nT"}, {"method": "X" * 32}, {"authority": ""}, {"authority": "\r\nx"}, {"query": b"\0\xff"},
    {"address": b""}, {"address": b"1" * 16}, {"address": b"123"}, {"family": "unix"}, {"port": 0}, {"scheme": "https"},
    {"raw_path": b"\0\r\n"}, {"content_length": 0}, {"content_length": 2**63}], ids=str)
def test_odd_requests_do_no_harm(stage, values):
    end = stage.open_channel()
    try:
        status, _, _ = stage.ask("/hello", end, **values)
        assert 200 <= status <= 599
    except AssertionError:
        assert end.cut_off(1)
    end.close()
    stage.assert_lives()


# Memory -----------------------------------------------------------------------------------------------------


def memfd(size, seals):
    fd = os.memfd_create("ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def regular(size):
    fd, name = tempfile.mkstemp()
    os.unlink(name)
    os.ftruncate(fd, size)
    return fd


def reopened(size, seals):
    fd = memfd(size, seals)
    again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    os.close(fd)
    return again


SIZE = INDEX_BYTES + IN_BYTES + OUT_BYTES
MEMORIES = {
    "no-seals": lambda: memfd(SIZE, 0), "may-shrink": lambda: memfd(SIZE, SIZE_SEALS & ~fcntl.F_SEAL_SHRINK),
    "may-grow": lambda: memfd(SIZE, SIZE_SEALS & ~fcntl.F_SEAL_GROW), "may-unseal": lambda: memfd(SIZE, SIZE_SEALS & ~fcntl.F_SEAL_SEAL),
    "small": lambda: memfd(SIZE - 4096, SIZE_SEALS), "empty": lambda: memfd(0, SIZE_SEALS), "large": lambda: memfd(SIZE + 4096, SIZE_SEALS),
    "huge": lambda: memfd(1 << 40, SIZE_SEALS), "write-sealed": lambda: memfd(SIZE, SIZE_SEALS | fcntl.F_SEAL_WRITE),
    "regular": lambda: regular(SIZE), "read-only": lambda: reopened(SIZE, SIZE_SEALS), "directory": lambda: os.open("/", os.O_RDONLY),
    "zero": lambda: os.open("/dev/zero", os.O_RDWR), "socket": lambda: socket.socket().detach(),
}


@pytest.mark.parametrize("kind", MEMORIES)
def test_memory_that_is_not_what_it_should_be_cuts_off(stage, kind):
    before = fd_count(stage.vhost)
    sock = stage.raw_channel()
    sock.settimeout(20)
    fd = MEMORIES[kind]()
    codec.send(sock, "RING", [fd])
    os.close(fd)
    try:
        assert sock.recv(100) == b""
    except ConnectionResetError:
        pass
    sock.close()
    stage.assert_lives()
    wait_until(lambda: fd_count(stage.vhost) <= before, "its descriptors are closed")


@pytest.mark.parametrize("tail", [7, IN_BYTES + 8, 2**63, 2**64 - 8], ids=hex)
def test_impossible_tail_cuts_off(stage, tail):
    end = stage.open_channel()
    end.writer.set(TAIL, tail)
    end.packet("DOORBELL")
    stage.assert_cut_off(end)


@pytest.mark.parametrize("head", [4, 2**63, 2**64 - 8], ids=hex)
def test_forged_head_cuts_off(stage, head):
    """It says that it has read what the vhost has yet to write, or half a word."""
    end = stage.open_channel()
    end.reader.set(HEAD, head)
    for number in range(10):  # until the vhost looks: when its own count says half full
        stage.put_open(end, "/stuck", method="POST", stream=(1 << 16) + number)
    end.flush()
    stage.assert_cut_off(end)


# The router ---------------------------------------------------------------------------------------------------


def test_listener_that_breaks_the_routers_rules_is_replaced_and_the_vhost_serves_its_successor():
    stage = Stage()
    router = stage.server.process("router")
    codec.send(stage.router, "CHANNEL_ASK", vhost=stage.id + 1)
    old = stage.listener
    stage.listener = stage.theatre.take("listener")
    assert not old.alive()
    stage.listener.receive()
    stage.listener.send("READY")
    stage.router = stage.channel("router")
    stage.assert_lives()
    assert stage.server.process("router").pid == router.pid
    assert "accused of a broken rule by router" in stage.server.stderr
    stage.close()


def test_floods_of_questions_and_wishes_cost_the_others_nothing(stage):
    stage.router.settimeout(0.2)
    sent = 0
    try:
        for sent in range(20000):  # the answers are not read: at some time the router takes no more
            codec.send(stage.router, "ROUTE_ASK", ask=sent, authority="alice.test")
    except TimeoutError:
        pass
    assert sent > 10
    stage.router.settimeout(20)
    while codec.receive(stage.router)[1]["ask"] != sent - 1:
        pass
    for _ in range(500):
        codec.send(stage.router, "CHANNEL_ASK", vhost=stage.id)
    stage.assert_lives()
