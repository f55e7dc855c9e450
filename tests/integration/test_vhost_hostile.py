# SPDX-License-Identifier: Apache-2.0
"""A hostile listener against the real luttpd-vhost: every way of breaking the vocabulary, and shared
memory that changes while it is read. The vhost lives, says who it was, and serves the honest one."""
import os
import random
import struct

import pytest

import codec
from rings import HEAD, INDEX_BYTES, TAIL
from server import wait_until
from vhost_master import Site

SCRIPT = """
get "/" (function(req, res) res:text(("x"):rep(3000)) end)
post "/" (function(req, res) for chunk in req:body() do res:write(chunk) end end)
"""
RECORD_MAX = 32768  # what is larger finds no place in a ring
RING_CASES = [case for case in codec.cases(via="ring", sender="listener", receiver="vhost")
              if len(codec.broken(case)[0]) <= RECORD_MAX]
PAIR_CASES = codec.cases(via="pair", sender="listener", receiver="vhost")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    one = Site(tmp_path_factory.mktemp("hostile"), {"vhost.lua": SCRIPT, "public/x": "x"})
    yield one.start()
    one.remove()


def names(cases):
    return [f"{case.get('message', 'frame')}-{case['case']}-{case.get('field', '')}-{case.get('value', '')}" for case in cases]


def assert_cut_off(site, evil, number):
    assert evil.cut_off()
    assert f"listener {number} " in site.note()
    assert len(site.ask("GET", "/").body) == 3000


def test_there_are_cases():
    assert len(RING_CASES) > 30 and len(PAIR_CASES) > 2


@pytest.mark.parametrize("case", RING_CASES, ids=names(RING_CASES))
def test_broken_record_cuts_off_its_listener_only(site, case):
    evil = site.new_listener(66)
    evil.put_frame(codec.broken(case)[0])
    evil.flush()
    assert_cut_off(site, evil, 66)
    evil.close()


@pytest.mark.parametrize("case", PAIR_CASES, ids=names(PAIR_CASES))
def test_broken_packet_cuts_off_its_listener_only(site, case):
    before = len(os.listdir(f"/proc/{site.pid}/fd"))  # the vhost takes the channel when it comes to it
    evil = site.new_listener(67)
    frame, count = codec.broken(case)
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
    evil.packet_raw(frame, fds)
    for fd in fds:
        os.close(fd)
    assert_cut_off(site, evil, 67)
    evil.close()
    wait_until(lambda: len(os.listdir(f"/proc/{site.pid}/fd")) <= before, "its descriptors are closed")


@pytest.mark.parametrize("name", ["HEAD", "FILE", "LOG_ACCESS", "START_VHOST", "STOP", "PLAN_VHOST", "DOORBELL"])
def test_message_of_another_way_cuts_off(site, name):
    evil = site.new_listener(68)
    evil.put(name)
    evil.flush()
    assert_cut_off(site, evil, 68)
    evil.close()


@pytest.mark.parametrize("which, value", [
    (TAIL, 1), (TAIL, 2**63), (TAIL, 2**64 - 8), (TAIL, 65536 + 8), (TAIL, 7)])
def test_impossible_index_cuts_off(site, which, value):
    evil = site.new_listener(69)
    evil.writer.set(which, value)
    evil.packet("DOORBELL")
    assert_cut_off(site, evil, 69)
    evil.close()


def test_impossible_index_of_our_own_ring_cuts_off(site):
    evil = site.new_listener(70)
    evil.reader.set(HEAD, 2**64 - 8)
    for number in range(50):
        evil.put("OPEN", stream=number, family="inet", address=bytes(4), method="GET", path="/", authority="a")
    evil.flush()
    assert evil.cut_off()
    assert "listener 70 " in site.note()
    evil.close()


def test_ring_that_comes_twice_cuts_off(site):
    evil = site.new_listener(71)
    fd = os.memfd_create("again")
    evil.packet("RING", [fd])
    os.close(fd)
    assert_cut_off(site, evil, 71)
    evil.close()


def test_scribbled_memory_never_ends_the_process(site):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(60):
        evil = site.new_listener(72)
        frames = [codec.frame("OPEN", stream=number, family="inet", address=bytes(4), method="POST", path="/", authority="a",
                              body=True, fields=[(b"a", b"b" * 50)]) for number in range(20)]
        frames += [codec.frame("BODY", stream=number, data=b"z" * 100) for number in range(20)]
        for frame in frames:
            evil.put_frame(frame)
        for _ in range(chance.randrange(1, 30)):
            at = chance.randrange(INDEX_BYTES, INDEX_BYTES + evil.writer.at)
            evil.memory[at] = chance.randrange(256)
        evil.flush()
        for _ in range(200):
            at = chance.choice([chance.randrange(192), chance.randrange(INDEX_BYTES, len(evil.memory) - 8)])
            struct.pack_into("<Q", evil.memory, at, chance.getrandbits(64))
        evil.packet("DOORBELL")
        evil.close()
    assert len(site.ask("GET", "/").body) == 3000
    assert site.status is None


def test_listener_that_never_reads_costs_the_other_nothing(site):
    evil = site.new_listener(73)
    for number in range(300):
        evil.put("OPEN", stream=number, family="inet", address=bytes(4), method="GET", path="/", authority="a")
    evil.flush()
    for _ in range(50):
        assert len(site.ask("GET", "/").body) == 3000
    evil.close()
