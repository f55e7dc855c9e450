# SPDX-License-Identifier: Apache-2.0
"""A hostile vhost against the real listener: well-made messages that may not be said now, for that
stream, that often, or with that content. THREATS 10, 11, 12, 15.

Stoppers taken away by hand, and what was seen:
  credit     response.c without the comparison with the window: test_body_over_credit and
             test_credit_is_granted_only fail, evil is never cut off
  stream id  find_stream answers 0 for every id: test_second_reset fails, evil is never cut off
  fields     h1_response.c without is_clean: test_field_that_would_split fails, FORGED is on the wire"""
import pytest

from codec import LENGTH_UNKNOWN
from stage import FORGED, GET, POST, UPLOAD, Stage

CREDIT = 32768


@pytest.fixture(scope="module")
def stage():
    one = Stage()
    yield one
    one.close()


# Order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, values", [
    ("BODY", {"data": FORGED}), ("END", {}), ("FILE", {"length": 6}), ("FILE", {"length": 0})], ids=str)
def test_content_before_the_head_cuts_off(stage, name, values):
    call = stage.call()
    call.say(name, **values)
    stage.assert_cut_off(call)


def test_second_head_cuts_off(stage):
    call = stage.call()
    call.head(200)
    call.head(200, fields=[(b"x", FORGED)])
    stage.assert_cut_off(call, answer=False)


@pytest.mark.parametrize("name, values", [
    ("HEAD", {"status": 200}), ("BODY", {"data": FORGED}), ("END", {}), ("FILE", {"length": 0}), ("RESET", {}),
    ("CREDIT", {"bytes": 1})], ids=str)
def test_anything_after_the_end_cuts_off(stage, name, values):
    """Also where the client is still being served, and where its next request has the same slot."""
    call = stage.call()
    call.head(200, 5)
    call.say("BODY", data=b"clean")
    call.say("END")
    assert call.reply().endswith(b"\r\n\r\nclean")
    call.say(name, **values)
    stage.assert_cut_off()


def test_content_in_one_go_with_the_end_cuts_off(stage):
    call = stage.call()
    for name, values in (("HEAD", {"status": 200, "content_length": LENGTH_UNKNOWN}), ("END", {}), ("BODY", {"data": FORGED})):
        call.end.put(name, stream=call.stream, **values)
    call.end.flush()
    stage.assert_cut_off(call, answer=False)


def test_second_reset_cuts_off(stage):
    call = stage.call()
    call.say("RESET", reason="internal")
    assert call.reply().startswith(b"HTTP/1.1 500 ")
    call.say("RESET", reason="internal")
    stage.assert_cut_off()


# Streams -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [1, -1, 1 << 16, -(1 << 16), 511, 512, 0xffff, 0xffff0000], ids=hex)
def test_stream_that_is_not_open_cuts_off(stage, change):
    """The victim's bytes are those of nobody else: its request was never answered."""
    call = stage.call()
    call.say("HEAD", stream=(call.stream + change) % 2**32, status=200, fields=[(b"x", FORGED)])
    stage.assert_cut_off(call)


def test_stale_stream_cuts_off_and_leaves_its_successor_alone(stage):
    old = stage.call()
    old.head(200, 0)
    old.say("END")
    old.reply()
    new = stage.call()
    assert new.stream & 0xffff == old.stream & 0xffff and new.stream != old.stream
    new.say("HEAD", stream=old.stream, status=200, fields=[(b"x", FORGED)])
    stage.assert_cut_off(new)


def test_answer_on_a_new_channel_to_a_stream_of_the_old_one_cuts_off(stage):
    old = stage.call()
    stage.hang_up()
    assert old.reply().startswith(b"HTTP/1.1 502 ")
    new = stage.call()
    stage.end.put("HEAD", stream=new.stream + (1 << 16), status=200, fields=[(b"x", FORGED)])
    stage.end.flush()
    stage.assert_cut_off(new)


def test_stream_of_another_vhost_is_out_of_reach(stage):
    """Ids belong to channels: the number that an honest stream has on its channel names evil's own
    stream, or none, on this one."""
    with stage.server.connect() as victim:
        stage.honest.mute = True
        victim.sendall(b"GET / HTTP/1.1\r\nHost: honest.test\r\nConnection: close\r\n\r\n")
        stage.honest.wait_asked()
        call = stage.call()
        for slot in range(4):
            for sequence in range(1, 5):
                call.end.put("HEAD", stream=sequence << 16 | slot, status=200, fields=[(b"x", b"evil's own")])
        call.end.flush()
        stage.honest.mute = False
        stage.assert_cut_off(call, answer=False)
        parts = b""
        while part := victim.recv(4096):
            parts += part
        assert parts.endswith(b"\r\n\r\nhonest") and b"evil's own" not in parts


def test_answers_out_of_order_reach_their_own_clients(stage):
    """Not hostile: the control of the tests above."""
    calls = [stage.call() for _ in range(5)]
    for number, call in reversed(list(enumerate(calls))):
        text = f"answer {number}".encode()
        call.head(200, len(text))
        call.say("BODY", data=text)
        call.say("END")
    for number, call in enumerate(calls):
        assert call.reply().endswith(f"\r\n\r\nanswer {number}".encode())


# Amounts -------------------------------------------------------------------------------------------


def test_body_over_credit_cuts_off(stage):
    call = stage.call()
    call.end.put("HEAD", stream=call.stream, status=200, content_length=LENGTH_UNKNOWN)
    for size in (CREDIT // 2, CREDIT // 2, 1):
        call.end.put("BODY", stream=call.stream, data=b"x" * size)
    call.end.flush()
    stage.assert_cut_off(call, answer=False)


def test_credit_is_granted_only_for_what_the_client_has_taken(stage):
    """A client that reads nothing: evil gets no more than what the kernel's buffers take, then none."""
    call = stage.call()
    call.head(200)
    sent = 0
    allowance = CREDIT
    while allowance >= 16384:
        call.say("BODY", data=b"x" * 16384)
        sent, allowance = sent + 16384, allowance - 16384
        try:
            allowance += call.end.read_until("CREDIT", 0.5)["bytes"]
        except AssertionError:
            pass
        assert sent < 64 << 20
    call.say("BODY", data=b"x" * 16384)
    call.say("BODY", data=b"x" * 16384)
    stage.assert_cut_off(call, answer=False)


@pytest.mark.parametrize("sizes", [[6], [5, 1], [1] * 6, [16384]], ids=str)
def test_more_content_than_announced_cuts_off(stage, sizes):
    call = stage.call()
    call.end.put("HEAD", stream=call.stream, status=200, content_length=5)
    for size in sizes:
        call.end.put("BODY", stream=call.stream, data=b"x" * size)
    call.end.flush()
    stage.assert_cut_off(call, answer=False)


@pytest.mark.parametrize("sent", [0, 4])
def test_end_before_all_announced_content_cuts_off(stage, sent):
    call = stage.call()
    call.head(200, 5)
    call.say("BODY", data=b"x" * sent)
    call.say("END")
    stage.assert_cut_off(call, answer=False)


@pytest.mark.parametrize("amount", [0, 1, CREDIT, CREDIT + 1, 2**31, 2**32 - 1])
def test_credit_above_the_window_cuts_off(stage, amount):
    call = stage.call(UPLOAD)
    call.say("CREDIT", bytes=amount)
    stage.assert_cut_off(call)


@pytest.mark.parametrize("amount", [CREDIT + 1, 2**32 - 1])
def test_impossible_credit_for_a_request_without_content_cuts_off(stage, amount):
    call = stage.call()
    call.say("CREDIT", bytes=amount)
    stage.assert_cut_off(call)


# What goes to the wire ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 99, 100, 101, 103, 199, 600, 999, 65535])
def test_impossible_status_cuts_off(stage, status):
    call = stage.call()
    call.head(status, 0)
    stage.assert_cut_off(call)


SPLITS = [(b"x", b"1\r\nx-forged: FORGED"), (b"x", b"1\nx-forged: FORGED"), (b"x", b"1\rx-forged: FORGED"), (b"x", b"1\r\n\r\nFORGED"),
          (b"x", b"\0FORGED"), (b"x", b"FORGED\x7f"), (b"x", b"FORGED\x1b[31m"), (b"x", b"\r\nFORGED"), (b"x", b"FORGED\r"),
          (b"x: FORGED\r\ny", b"1"), (b"x\r\n\r\nFORGED", b"1"), (b"x\0", FORGED), (b"x ", FORGED), (b" x", FORGED), (b"x:", FORGED),
          (b"", FORGED), (b"x\ty", FORGED), (b"x\x80", FORGED), (b"x(y)", FORGED)]


@pytest.mark.parametrize("name, value", SPLITS, ids=str)
def test_field_that_would_split_the_response_cuts_off(stage, name, value):
    call = stage.call()
    call.head(200, 0, [(b"good", b"1"), (name, value), (b"last", b"1")])
    stage.assert_cut_off(call)


@pytest.mark.parametrize("name, value", [
    (b"content-length", b"99999"), (b"transfer-encoding", b"chunked"), (b"connection", b"upgrade"), (b"upgrade", b"FORGED"),
    (b"date", b"FORGED"), (b"keep-alive", b"FORGED"), (b"proxy-connection", b"FORGED"), (b"trailer", b"FORGED"), (b"te", b"FORGED"),
    (b"Content-Length", b"99999"), (b"TRANSFER-ENCODING", b"chunked"), (b"cOnNeCtIoN", b"upgrade"), (b"Date", b"FORGED")],
    ids=str)
def test_framing_is_never_the_vhosts(stage, name, value):
    call = stage.call()
    call.head(200, 5, [(name, value)])
    call.say("BODY", data=b"clean")
    call.say("END")
    head, body = call.reply().split(b"\r\n\r\n", 1)
    assert body == b"clean" and FORGED not in head
    lines = head.lower().split(b"\r\n")
    assert b"content-length: 5" in lines and b"connection: close" in lines
    assert sum(line.startswith((b"content-length", b"transfer-encoding", b"connection", b"date")) for line in lines) == 3


@pytest.mark.parametrize("request_head, status", [
    ("HEAD {path} HTTP/1.1\r\nHost: evil.test\r\n\r\n", 200), (GET, 204), (GET, 304)], ids=str)
def test_content_where_none_may_be_never_reaches_the_wire(stage, request_head, status):
    """Else it would be the head of the next response on that connection."""
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: FORGED\r\n\r\n"
    call = stage.call(request_head)
    call.head(status)
    call.say("BODY", data=forged)
    call.say("END")
    call.client.sendall(b"GET /honest HTTP/1.1\r\nHost: honest.test\r\nConnection: close\r\n\r\n")
    reply = call.reply()
    assert FORGED not in reply and reply.endswith(b"\r\n\r\nhonest") and reply.count(b"HTTP/1.1 ") == 2
    stage.assert_served()


def test_chunk_framing_inside_content_stays_content(stage):
    call = stage.call()
    call.head(200)
    call.say("BODY", data=b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
    call.say("END")
    assert call.reply().endswith(b"\r\n\r\n18\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n\r\n0\r\n\r\n".replace(b"18", b"18"))


def test_vhost_that_dies_in_the_middle_leaves_no_complete_response(stage):
    call = stage.call()
    call.head(200)
    call.say("BODY", data=b"half")
    stage.hang_up()
    assert not call.reply().endswith(b"0\r\n\r\n")
    stage.assert_served()


def test_repeatable_request_is_repeated_once_only(stage):
    """Evil breaks a rule on whatever it is asked: the client of a GET has its answer after two processes."""
    call = stage.call(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
    for _ in range(2):
        call.say("HEAD", status=99)
        assert call.end.cut_off()
        stage.hang_up()
        stage.cuts += 1
        stage.settle()
        if _ == 0:
            stage.end = call.end = stage.channel()
            call.stream = call.end.read_until("OPEN")["stream"]
    assert call.reply().startswith(b"HTTP/1.1 502 ")
    stage.assert_served()


def test_post_is_never_repeated(stage):
    call = stage.call(POST)
    call.say("HEAD", status=99)
    stage.assert_cut_off(call)
