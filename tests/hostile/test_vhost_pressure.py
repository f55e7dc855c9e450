# SPDX-License-Identifier: Apache-2.0
"""A hostile vhost that scribbles, floods, or does nothing at all, and what it costs the others.
THREATS 14, 15."""
import http.client
import random
import socket
import struct
import threading
import time

import pytest

import codec
from rings import HEAD, INDEX_BYTES, IN_BYTES, OUT_BYTES, RING_SHARED_BYTES, TAIL
from server import PATIENCE, SANITIZED, read_all, wait_until
from stage import FORGED, GET, POST, Stage, cpu_s

WAIT_MAX = 10  # seconds that a request waits for its vhost: WAIT_MAX_MS of the listener
STREAMS = 1000
SCRIBBLE = 6 if SANITIZED else 3


@pytest.fixture(scope="module")
def stage():
    one = Stage()
    yield one
    one.close()


# Scribbling --------------------------------------------------------------------------------------------


def scribbler(call, until, kinds, seed):
    """Rewrites shared memory while the listener reads it: indices, headers, content."""
    chance = random.Random(seed)
    memory = call.end.memory
    out = INDEX_BYTES + IN_BYTES
    try:
        while time.monotonic() < until:
            kind = chance.choice(kinds)
            if kind == "header":  # of a record that is being read
                at = out + chance.randrange(0, 16384, 8)
                struct.pack_into("<IHH", memory, at, chance.choice([8, 100, 2**32 - 1, OUT_BYTES]), chance.randrange(80), 0)
            elif kind == "data":
                memory[out + chance.randrange(OUT_BYTES)] = chance.randrange(256)
            elif kind == "index":
                at = chance.choice([TAIL, HEAD]) + chance.choice([0, RING_SHARED_BYTES])
                struct.pack_into("<Q", memory, at, chance.choice([chance.getrandbits(64), chance.randrange(0, OUT_BYTES, 8)]))
            else:
                struct.pack_into("<I", memory, RING_SHARED_BYTES * chance.randrange(2) + 128, chance.getrandbits(32))
    except ValueError:
        pass  # the mapping is closed


def call_whoever(stage):
    """A call of evil, or of its successor where master is just replacing it."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            stage.find_evil()
            return stage.call()
        except AssertionError:  # its control channel has ended
            assert time.monotonic() < end
            stage.hang_up()
            time.sleep(0.02)


def serve_scribbled(stage, kinds, seconds, seed):
    """Answers evil's requests honestly while a thread scribbles. Returns how often it was cut off."""
    cuts, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        call = call_whoever(stage)
        thread = threading.Thread(target=scribbler, args=(call, time.monotonic() + 0.3, kinds, seed + cuts))
        thread.start()
        body = b"y" * 1000
        for _ in range(10):
            call.end.put("HEAD", stream=call.stream, status=200, content_length=len(body))
            call.end.put("BODY", stream=call.stream, data=body)
            call.end.put("END", stream=call.stream)
            call.end.flush()
        thread.join()
        call.client.close()
        stage.hang_up()
        cuts += 1
    return cuts


@pytest.mark.parametrize("kinds", [["header"], ["data"], ["index"], ["asleep"], ["header", "data", "index", "asleep"]], ids="-".join)
def test_memory_that_changes_while_it_is_read_harms_nobody(stage, kinds):
    """The listener lives, and what it serves to the clients of others is theirs."""
    seed = random.randrange(2**32)
    print("seed", seed)
    stop = threading.Event()
    replies = []

    def ask():
        while not stop.is_set():
            try:
                replies.append(stage.server.get("/", host="honest.test").body)
            except (OSError, http.client.HTTPException) as error:
                replies.append(error)
                break

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        rounds = serve_scribbled(stage, kinds, SCRIBBLE, seed)
    finally:
        stop.set()
        asker.join()
    assert rounds > 3 and len(replies) > 10 and set(replies) == {b"honest"}
    call_whoever(stage).client.close()
    stage.hang_up()
    stage.cuts = stage.accused()
    stage.assert_served()


# Floods ------------------------------------------------------------------------------------------------


def flood(stage, send, seconds=20):
    """Sends until evil is cut off. Returns (how often, CPU seconds of the listener)."""
    before, sent, end = cpu_s(stage.listener), 0, time.monotonic() + seconds
    while stage.accused() <= stage.cuts:
        assert time.monotonic() < end, f"not cut off after {sent}"
        for _ in range(200):
            send()
        sent += 200
    return sent, cpu_s(stage.listener) - before


def test_doorbells_without_records_are_cut_off(stage):
    call = stage.call()
    _, cpu = flood(stage, lambda: call.end.packet("DOORBELL"))
    assert cpu < (10 if SANITIZED else 2)
    stage.assert_cut_off(call)


@pytest.mark.parametrize("name, values", [("BODY", {}), ("CREDIT", {"bytes": 1})], ids=str)
def test_records_that_carry_nothing_are_cut_off(stage, name, values):
    call = stage.call()
    call.head(200)
    frame = codec.frame(name, stream=call.stream, **values)

    def send():
        wait_until(lambda: call.end.writer.at - call.end.writer.get(HEAD) < OUT_BYTES // 2 or stage.accused() > stage.cuts,
                   "room", pause=0.0005)
        for _ in range(40):
            call.end.put_frame(frame)
        call.end.flush()

    sent, cpu = flood(stage, send, 60)
    assert sent * 40 >= 50000 and cpu < (30 if SANITIZED else 5)
    stage.assert_cut_off(call, answer=False)


def test_bells_of_an_honest_vhost_are_no_flood(stage):
    """Not hostile: one doorbell for each of many answers on many streams."""
    for _ in range(300):
        call = stage.call()
        call.head(200, 0)
        call.say("END")
        assert call.reply().startswith(b"HTTP/1.1 200 ")
    assert stage.accused() == stage.cuts


# Silence -----------------------------------------------------------------------------------------------


def test_ring_that_is_never_read_gets_503_and_delays_nobody(stage):
    """Its ring fills, then requests wait for at most WAIT_MAX; the others are as fast as ever."""
    calm = median_ms(stage)
    call = stage.call()
    request = f"POST / HTTP/1.1\r\nHost: evil.test\r\nX: {'x' * 7000}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    began = time.monotonic()
    waiting = [stage.connect(request.encode()) for _ in range(30)]
    assert median_ms(stage) < 2 * calm + 5
    replies = []
    for client in waiting[12:]:  # the first ones lie in the ring
        with client:
            replies.append(client.recv(100))
    took = time.monotonic() - began
    assert all(reply.startswith(b"HTTP/1.1 503 ") for reply in replies), replies
    assert WAIT_MAX - 1 < took < WAIT_MAX + 5, took
    stage.assert_served()
    for client in waiting[:12]:
        client.close()
    stage.hang_up()
    assert FORGED not in call.reply()


def median_ms(stage):
    times = []
    for _ in range(50):
        began = time.monotonic()
        assert stage.server.get("/", host="honest.test").body == b"honest"
        times.append((time.monotonic() - began) * 1000)
    return sorted(times)[25]


def test_a_thousand_clients_that_vanish_at_once_are_a_thousand_resets(stage):
    """Their slots are used again, each with a number of its own."""
    call = stage.call()
    clients = [stage.connect(POST.format(path="/many").encode()) for _ in range(STREAMS - 1)]
    streams = [call.stream] + [call.end.read_until("OPEN")["stream"] for _ in clients]
    assert {stream & 0xffff for stream in streams} == set(range(STREAMS))
    for client in clients:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    assert {call.end.read_until("RESET")["stream"] for _ in clients} == set(streams[1:])
    again = [stage.connect(POST.format(path="/again").encode()) for _ in range(STREAMS - 1)]
    reused = [call.end.read_until("OPEN")["stream"] for _ in again]
    assert {stream & 0xffff for stream in reused} == set(range(1, STREAMS)) and not set(reused) & set(streams)
    stage.assert_served()
    for client in again:
        client.close()
    stage.hang_up()
    assert FORGED not in call.reply()


@pytest.mark.parametrize("request_text", [POST, GET], ids=["post", "get"])
def test_vhost_that_takes_a_request_and_dies_costs_one_error(stage, request_text):
    client = stage.connect(request_text.format(path="/gone").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).encode())
    for _ in range(2 if request_text == GET else 1):
        end = stage.channel()
        end.read_until("OPEN")
        end.close()
    client.settimeout(WAIT_MAX + 5)
    assert read_all(client).split()[1] in (b"502", b"503")
    stage.assert_served()
