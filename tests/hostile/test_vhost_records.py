# SPDX-License-Identifier: Apache-2.0
"""A hostile vhost against the real listener: records and packets that break the vocabulary, ring
indices that cannot be, headers that lie. THREATS 13, 14, 16.

Stoppers taken away by hand, and what was seen:
  header  ring.c believes a size beyond the tail: test_record_that_reaches_beyond fails, FORGED is sent
  head    link.c without ring_reader_is_honest: test_forged_head fails, evil only seems slow"""
import os
import struct

import pytest

import codec
from rings import HEAD, OUT_BYTES, TAIL
from server import wait_until
from stage import FORGED, Stage, close_all, fd_count, name_of

RECORD_MAX = 32768  # what is larger finds no place in a ring
RING_CASES = [case for case in codec.cases("ring", "vhost", "listener") if len(codec.broken(case)[0]) <= RECORD_MAX]
PAIR_CASES = codec.cases("pair", "vhost", "listener")


@pytest.fixture(scope="module")
def stage():
    one = Stage()
    yield one
    one.close()


def test_there_are_cases():
    assert len(RING_CASES) > 25 and len(PAIR_CASES) > 3


@pytest.mark.parametrize("case", RING_CASES, ids=name_of)
def test_broken_record_cuts_off(stage, case):
    call = stage.call()
    call.end.put_frame(codec.broken(case)[0])
    call.end.flush()
    stage.assert_cut_off(call)


@pytest.mark.parametrize("case", PAIR_CASES, ids=name_of)
def test_broken_packet_cuts_off(stage, case):
    call = stage.call()
    frame, count = codec.broken(case)
    before = fd_count(stage.listener)
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
    call.end.packet_raw(frame, fds)
    close_all(fds)
    stage.assert_cut_off(call)
    wait_until(lambda: fd_count(stage.listener) <= before, "its descriptors are closed")


@pytest.mark.parametrize("name", ["OPEN", "LOG_ACCESS", "LOG_ERROR", "READY", "NOTE", "PLAN_VHOST", "ROUTE", "CHANNEL",
                                  "DOORBELL", "RING", "FILE_DESCRIPTOR", "BLAME", "STOP"])
def test_message_of_another_way_cuts_off(stage, name):
    call = stage.call()
    call.end.put(name)
    call.end.flush()
    stage.assert_cut_off(call)


@pytest.mark.parametrize("name", ["READY", "NOTE", "RING", "CHANNEL", "HEAD", "BLAME", "ROUTE"])
def test_packet_of_another_way_cuts_off(stage, name):
    call = stage.call()
    fds = [os.open("/dev/null", os.O_RDONLY)] * codec.MESSAGES[name]["fds"]
    call.end.packet(name, fds=fds)
    close_all(set(fds))
    stage.assert_cut_off(call)


# Indices and headers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [
    7, 12, OUT_BYTES + 8, 2 * OUT_BYTES, 2**32, 2**63, 2**64 - 8, 2**64 - 1],
    ids=lambda tail: f"tail-{tail:#x}")
def test_impossible_tail_cuts_off(stage, tail):
    call = stage.call()
    call.end.writer.set(TAIL, tail)
    call.end.packet("DOORBELL")
    stage.assert_cut_off(call)


def test_tail_that_goes_back_cuts_off(stage):
    call = stage.call()
    call.head(200, 6)
    wait_until(lambda: call.end.writer.get(HEAD) == call.end.writer.at, "the head is read")
    call.end.writer.set(TAIL, call.end.writer.at - 8)
    call.end.packet("DOORBELL")
    stage.assert_cut_off(call, answer=False)


@pytest.mark.parametrize("head", [1, 2**20, 2**63, 2**64 - 8], ids=hex)
def test_forged_head_of_the_ring_that_it_reads_cuts_off(stage, head):
    """Evil says that it has read what was never written: at its next request the listener sees."""
    call = stage.call()
    call.end.reader.set(HEAD, head)
    large = b"POST / HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 0\r\nX: " + b"x" * 7000 + b"\r\n\r\n"
    others = [stage.connect(large) for _ in range(20)]  # it looks again once its own count says full
    stage.assert_cut_off(call)
    for other in others:
        other.close()


def raw_record(end, header_size, kind, reserved=0, content=b""):
    """A header that says what it likes, with the tail as a reader would want it."""
    end.writer.write(struct.pack("<IHH", header_size, kind, reserved) + content)
    end.flush()


@pytest.mark.parametrize("size, kind, content", [
    (2**32 - 1, 73, b""), (2**31, 73, b""), (OUT_BYTES, 73, b""), (32761, 73, b""), (4096, 73, b""), (8, 73, b""),
    (2**32 - 1, 0, b""), (OUT_BYTES, 0, b""), (16, 0, b""), (OUT_BYTES - 8, 0, b""), (1, 0, bytes(8)),
    (0, 65535, b"")],
    ids=str)
def test_header_that_lies_cuts_off(stage, size, kind, content):
    """A record larger than its maximum or than what was published; padding that ends elsewhere."""
    call = stage.call()
    raw_record(call.end, size, kind, content=content)
    stage.assert_cut_off(call)


def test_record_that_reaches_beyond_what_was_published_cuts_off(stage):
    """It would be a good one: only the tail says that it is not there yet."""
    call = stage.call()
    begin = call.end.writer.at
    call.end.put("HEAD", stream=call.stream, status=200, fields=[(b"x", FORGED)])
    call.end.writer.set(TAIL, begin + 8)
    call.end.packet("DOORBELL")
    stage.assert_cut_off(call)


def test_padding_that_fills_the_ring_for_ever_does_not_hold_up_the_others(stage):
    """Paddings are no records: a ring full of nothing but them moves on, or ends."""
    call = stage.call()
    end = call.end
    for _ in range(50):
        rest = OUT_BYTES - end.writer.at % OUT_BYTES
        end.writer.write(codec.raw_frame(0, bytes(rest - 8)))
        end.flush()
        stage.assert_served()
        if end.writer.get(HEAD) != end.writer.at:
            break
    stage.hang_up()
    assert FORGED not in call.reply()
