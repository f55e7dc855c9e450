# SPDX-License-Identifier: Apache-2.0
"""The listener where things go wrong around it: descriptors that are late or not used, vhosts that end or
stall, logs of what was cut, descriptors that run out. The vhost is played here (tests/hostile/stage.py)."""
import contextlib
import os
import resource
import socket
import struct
import time

import pytest

import codec
import server as server_module
from puppets import Theatre
from rings import TAIL
from server import PATIENCE, SANITIZED, Server, read_all, wait_until
from stage import GET, POST, Stage, cpu_s, fd_count

BIG = 8 * 1024 * 1024


@pytest.fixture
def stage():
    one = Stage()
    yield one
    one.close()


@contextlib.contextmanager
def site_file(stage, content, name="file"):
    """A descriptor of a file where evil may have it."""
    path = stage.server.site_directory("evil") / name
    path.write_bytes(content)
    fd = os.open(path, os.O_RDONLY)
    yield fd
    os.close(fd)


def reset_by_client(call):
    call.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.client.close()


def abandoned(stage):
    """The id of a stream whose client has gone."""
    call = stage.call(GET)
    reset_by_client(call)
    assert stage.end.read_until("RESET")["stream"] == call.stream
    return call.stream


def read_answer(client, length):
    """One answer with that much content."""
    data = b""
    while b"\r\n\r\n" not in data or len(data.split(b"\r\n\r\n", 1)[1]) < length:
        part = client.recv(65536)
        assert part, data
        data += part
    return data.split(b"\r\n\r\n", 1)[1]


def read_exactly(client, length):
    while length > 0:
        part = client.recv(length)
        assert part
        length -= len(part)


def assert_not_accused(stage):
    stage.assert_served()
    assert stage.accused() == 0, stage.server.stderr


# Descriptors that travel beside the ring -----------------------------------------------------------------


def test_descriptor_of_an_abandoned_stream_may_come_after_the_next_use_of_its_slot(stage):
    """The socket and the ring have no common order."""
    old = abandoned(stage)
    call = stage.call(GET)
    assert call.stream & 0xffff == old & 0xffff
    with site_file(stage, b"content") as fd:
        call.head(200, 7)
        assert call.client.recv(4096)
        stage.end.packet("FILE_DESCRIPTOR", [fd], stream=old)
        stage.end.packet("FILE_DESCRIPTOR", [fd], stream=call.stream)
        call.say("FILE", length=7)
        call.say("END")
        assert call.client.recv(4096) == b"content"
    assert_not_accused(stage)


def test_descriptor_of_the_next_use_may_come_before_late_records(stage):
    old = abandoned(stage)
    call = stage.call(GET)
    assert call.stream & 0xffff == old & 0xffff
    with site_file(stage, b"content") as fd:
        stage.end.packet("FILE_DESCRIPTOR", [fd], stream=call.stream)
        time.sleep(0.2)
        call.end.put("HEAD", stream=old, status=200, content_length=0)
        call.head(200, 7)
        call.say("FILE", length=7)
        call.say("END")
        assert read_answer(call.client, 7) == b"content"
    assert_not_accused(stage)


def unused_descriptor(stage, content):
    """A kept connection on which evil has passed a file without using it."""
    call = stage.call(GET)
    before = fd_count(stage.listener)
    with site_file(stage, content) as fd:
        stage.end.packet("FILE_DESCRIPTOR", [fd], stream=call.stream)
        wait_until(lambda: fd_count(stage.listener) == before + 1, "the descriptor has come")
    call.head(200, 2)
    call.say("BODY", data=b"ok")
    call.say("END")
    assert read_answer(call.client, 2) == b"ok"
    wait_until(lambda: fd_count(stage.listener) == before, "the descriptor is closed", seconds=5)
    return call


def ask_again(stage, client):
    client.sendall(GET.format(path="/again").encode())
    return stage.end.read_until("OPEN")["stream"]


def test_descriptor_that_was_not_used_ends_with_its_stream(stage):
    """It neither becomes the content of another answer on that connection, nor is in its way."""
    call = unused_descriptor(stage, b"stale content")
    stream = ask_again(stage, call.client)
    with site_file(stage, b"fresh content") as fd:
        stage.end.packet("FILE_DESCRIPTOR", [fd], stream=stream)
    stage.end.put("HEAD", stream=stream, status=200, content_length=13)
    stage.end.put("FILE", stream=stream, length=13)
    stage.end.put("END", stream=stream)
    stage.end.flush()
    assert read_answer(call.client, 13) == b"fresh content"
    assert_not_accused(stage)


def test_file_without_descriptor_does_not_get_an_older_one(stage):
    call = unused_descriptor(stage, b"stale content")
    stream = ask_again(stage, call.client)
    stage.end.put("HEAD", stream=stream, status=200, content_length=13)
    stage.end.put("FILE", stream=stream, length=13)
    stage.end.flush()
    assert stage.end.cut_off()
    call.client.settimeout(PATIENCE)
    assert b"stale" not in read_all(call.client)


# Ends -----------------------------------------------------------------------------------------------


def test_answer_that_has_ended_outlives_its_vhost(stage):
    """Everything is said and the file is here: the client needs nobody else."""
    call = stage.call(GET)
    content = os.urandom(BIG)
    with site_file(stage, content) as fd:
        stage.end.packet("FILE_DESCRIPTOR", [fd], stream=call.stream)
    call.head(200, BIG)
    call.say("FILE", length=BIG)
    call.say("END")
    assert call.client.recv(1)
    stage.hang_up()
    time.sleep(0.3)
    assert read_answer(call.client, BIG) == content
    call.client.sendall(GET.format(path="/next").encode())  # the connection is kept, too
    stage.end = stage.channel()
    assert stage.end.read_until("OPEN")["path"] == b"/next"


def test_all_that_a_vhost_said_before_its_end_counts(stage):
    """However many records that is."""
    call = stage.call(GET)
    call.end.put("HEAD", stream=call.stream, status=200, content_length=3000)
    for _ in range(3000):
        call.end.put("BODY", stream=call.stream, data=b"x")
    call.end.put("END", stream=call.stream)
    call.end.writer.publish()
    stage.hang_up()
    assert read_answer(call.client, 3000) == b"x" * 3000


def access_log(stage):
    path = stage.server.logs / "evil" / "access.log"
    return path.read_text() if path.exists() else ""


def test_answer_that_is_cut_short_is_logged_once(stage):
    call = stage.call(GET)
    call.head(200, 100)
    call.say("BODY", data=b"a beginning")
    assert read_answer(call.client, 11) == b"a beginning"
    stage.hang_up()
    assert call.client.recv(100) == b""
    wait_until(lambda: call.values["path"].decode() in access_log(stage), "the record")
    other = stage.call(POST)
    other.head(204, 0)
    other.say("END")
    other.reply()
    wait_until(lambda: other.values["path"].decode() in access_log(stage), "the record")
    lines = access_log(stage).splitlines()
    assert [line.split('"')[1].split()[1] for line in lines] == ["/call/1", "/call/2"]
    assert '" 200 11 ' in lines[0]


# Vhosts that stall -------------------------------------------------------------------------------------


def test_vhost_that_stalls_is_not_filled_with_credit(stage):
    """However much credit it has coming, there is room to tell it of every client that goes."""
    calls = [stage.call(GET) for _ in range(20)]
    reader, ring = calls[0], stage.end.reader
    reader.head(200, 1 << 40)
    read_answer(reader.client, 0)
    calls_end = time.monotonic() + 20
    while time.monotonic() < calls_end:  # each granted window is used, no record is read
        tail = ring.get(TAIL)
        reader.say("BODY", data=bytes(16384))
        read_exactly(reader.client, 16384)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: ring.get(TAIL) != tail, "credit", seconds=0.3)  # pylint: disable=cell-var-from-loop
        if ring.get(TAIL) == tail:
            break
    for call in calls[1:]:
        reset_by_client(call)
    time.sleep(1.5)
    assert_not_accused(stage)
    assert "does not read its ring" not in stage.server.stderr
    ends = [stage.end.read_until("RESET")["stream"] for _ in calls[1:]]
    assert sorted(ends) == sorted(call.stream for call in calls[1:])


def test_upload_goes_on_once_a_silent_vhost_has_read(stage):
    """Nobody rings for room in the ring."""
    upload = stage.connect(b"POST / HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 5000\r\n\r\n")
    stage.end = stage.channel()
    stream = stage.end.read_until("OPEN")["stream"]
    fields = b"X: " + b"x" * 7000 + b"\r\nY: " + b"y" * 7000
    others = [stage.connect(b"GET / HTTP/1.1\r\nHost: evil.test\r\n" + fields + b"\r\n\r\n") for _ in range(3)]
    wait_until(lambda: stage.end.reader.get(TAIL) - stage.end.reader.at > 42000, "the ring is nearly full")
    time.sleep(0.2)
    upload.sendall(bytes(5000))
    time.sleep(0.2)
    values = stage.end.read_until("BODY", seconds=3)
    assert values["stream"] == stream and len(values["data"]) == 5000
    for client in (upload, *others):
        client.close()


# Descriptors run out -------------------------------------------------------------------------------------


@pytest.fixture
def on_shared_memory(monkeypatch):
    """A server in a file system that cannot say whether a page is cached."""
    monkeypatch.setattr(server_module.tempfile, "tempdir", "/dev/shm")
    one = Server()
    yield one
    one.remove()


HELLO = 'get "/hello" (function(req, res) res:text "hello" end)'
FILES = HELLO + '\nfiles "/" { dir = "public" }'


def test_slow_client_of_an_uncached_file_costs_no_cpu(on_shared_memory):
    server = on_shared_memory
    server.add_site("alice", default=True, files={"vhost.lua": FILES, "public/big.bin": bytes(4 * BIG)})
    server.start()
    listener = server.process("listener")
    with server.connect() as client:
        client.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert client.recv(1000)
        time.sleep(0.5)
        before = cpu_s(listener)
        time.sleep(2)
        assert cpu_s(listener) - before < 0.3
        assert len(read_all(client)) > 4 * BIG - 10000


def test_slow_downloads_do_not_use_up_the_descriptors(server):
    """Each holds two: nobody is blamed for descriptors that find no room, and new processes are met."""
    server.add_site("alice", default=True, files={"vhost.lua": FILES, "public/big.bin": bytes(BIG)})
    server.add_site("bob", hosts=["bob.test"], files={"vhost.lua": FILES, "public/big.bin": bytes(BIG)})
    server.open_files = 400
    server.start()
    listener, vhost = server.process("listener"), server.process("vhost", "alice")
    assert server.get("/hello", host="bob.test").text == "hello"
    clients = []
    for _ in range(350):
        client = server.connect()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        clients.append(client)
    time.sleep(2)
    bob = server.process("vhost", "bob")
    bob.kill()
    server.wait_for_successor(bob)
    for client in clients[100:]:
        client.close()
    assert server.get("/hello", host="bob.test").text == "hello"
    assert server.process("listener").pid == listener.pid, server.stderr
    assert server.process("vhost", "alice").pid == vhost.pid, server.stderr
    assert "broke a rule" not in server.stderr
    for client in clients[:100]:
        client.close()


def limit(process, what, most):
    """Sets a soft limit of a running process, which only its own user may."""
    child = os.fork()
    if child == 0:
        os.setresgid(*[process.gids()[0]] * 3)
        os.setresuid(*[process.uids()[0]] * 3)
        _, hard = resource.prlimit(process.pid, what)
        resource.prlimit(process.pid, what, (most, hard))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_accepts_again_after_descriptors_ran_out_without_a_connection(server):
    server.add_site("alice", default=True, files={"vhost.lua": HELLO})
    server.start()
    listener = server.process("listener")
    assert server.get("/hello").text == "hello"
    time.sleep(0.2)
    used = sorted(int(number) for number in os.listdir(listener.proc / "fd"))
    first_free = min(set(range(len(used) + 1)) - set(used))
    limit(listener, resource.RLIMIT_NOFILE, first_free)
    with server.connect() as client:
        assert client.recv(10) == b""  # shed
    limit(listener, resource.RLIMIT_NOFILE, 1000)
    assert server.get("/hello").text == "hello"


def test_second_channel_to_the_same_process_ends_no_stream(server):
    """Two routers, one after the other, may ask for it: it is in nobody's way."""
    server.add_site("alice", default=True, files={
        "vhost.lua": 'post "/" (function(req, res) res:text(#req:read_all(1000) .. " bytes") end)'})
    theatre = Theatre(server, "router")
    server.write_configuration()
    server.spawn()
    router = theatre.take("router")
    _, _, (route_map, _) = router.receive()
    _, vhost = codec.parse(os.pread(route_map, 8 + struct.unpack("<I", os.pread(route_map, 4, 0))[0], 0))
    router.send("READY")
    os.close(route_map)
    _, stamp, (fd,) = router.receive_until("CHANNEL")
    while stamp["peer"] != "listener":
        os.close(fd)
        _, stamp, (fd,) = router.receive_until("CHANNEL")
    asker = socket.socket(fileno=fd)
    asker.settimeout(PATIENCE)
    server.addresses = server.child.stdout.readline().decode().split()[2:]
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf ")
        name, values, _ = codec.receive(asker)
        assert name == "ROUTE_ASK"
        codec.send(asker, "ROUTE", ask=values["ask"], verdict="vhost", choices=1,
                   vhosts=[vhost["vhost"], *[0] * 7], weights=[1, *[0] * 7], reuse="once")
        name, values, _ = codec.receive(asker)
        assert name == "CHANNEL_ASK"
        for _ in range(3):
            router.send("INTRODUCE", listener=stamp["id"], vhost=values["vhost"])
            time.sleep(0.3)
        client.sendall(b"done!")
        reply = read_all(client)
    asker.close()
    theatre.close()
    assert reply.endswith(b"10 bytes"), reply


@pytest.mark.skipif(SANITIZED, reason="the sanitizer ends a process that has no memory")
def test_shortage_of_memory_costs_connections_and_no_more(server):
    server.add_site("alice", default=True, files={"vhost.lua": HELLO})
    server.start()
    assert server.get("/hello").text == "hello"
    listener = server.process("listener")
    limit(listener, resource.RLIMIT_AS, (int(listener.status()["VmSize"].split()[0]) + 1000) * 1024)
    clients, begun = [server.connect() for _ in range(400)], b"GET /hello HTTP/1.1\r\nHost: a\r\nX: "
    for client in clients:
        client.sendall(begun)
    time.sleep(0.3)
    answers = 0
    for client in clients:
        with contextlib.suppress(OSError):
            client.sendall(b"y\r\nConnection: close\r\n\r\n")
        answers += read_all(client).endswith(b"hello")
        client.close()
    assert 0 < answers < len(clients), "some had to go"
    limit(listener, resource.RLIMIT_AS, resource.RLIM_INFINITY)
    assert server.get("/hello").text == "hello"
    assert server.process("listener").pid == listener.pid, server.stderr
