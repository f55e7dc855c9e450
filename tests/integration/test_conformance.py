# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 by the letter: the cases of conformance/ through the whole server, each as bytes on a socket."""
import contextlib
import re
import socket

import pytest

from conformance import CASES
from conformance.case import VHOST, get
from conformance.wire import FOLLOWING, Response, check, exchange, parse
from server import PATIENCE, read_all


@pytest.fixture(autouse=True)
def same_processes(site):
    """Whatever a client or a script does, no process of the server dies of it."""
    before = {process.pid for process in site.processes()}
    yield
    assert before == {process.pid for process in site.processes()}


@pytest.fixture(scope="module")
def site(module_server):
    module_server.add_site("echo", hosts=["a", "echo.test"], default=True, files={"vhost.lua": VHOST})
    module_server.add_site("other", hosts=["other.test", "*.wild.test"], files={"vhost.lua": VHOST})
    module_server.start()
    return module_server


@pytest.mark.parametrize("name", CASES)
def test_case(site, name):
    check(site.port, CASES[name])


# Response splitting, attack 12, byte by byte: what may not stand in a field is never sent, and the process lives

TOKEN = set(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
OTHER_THAN_CONTROL = {9, *range(0x20, 0x7f), *range(0x80, 0x100)}
GOOD = "GET /script/%s/%02x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def answer_of_script(site, place, byte):
    (response,) = parse(site.raw((GOOD % (place, byte)).encode()), [False])
    assert {name for name, _ in response.fields} <= {
        "content-type", "date", "content-length", "connection", "cache-control", "x-made", f"x{chr(byte)}y".lower()}
    return response


@pytest.mark.parametrize("byte", range(256), ids="{:02x}".format)
def test_byte_in_a_value_from_lua(site, byte):  # RFC 9110 5.5
    response = answer_of_script(site, "value", byte)
    if byte in OTHER_THAN_CONTROL:
        assert (response.status, response.one("x-made")) == (200, f"a{chr(byte)}b")
    else:
        assert (response.status, response.one("x-made")) == (500, None)


@pytest.mark.parametrize("byte", range(256), ids="{:02x}".format)
def test_byte_at_both_ends_of_a_value_from_lua(site, byte):  # RFC 9110 5.5: white space around is no part of it
    response = answer_of_script(site, "alone", byte)
    if byte in OTHER_THAN_CONTROL:
        assert (response.status, response.one("x-made")) == (200, chr(byte).strip(" \t"))
    else:
        assert (response.status, response.one("x-made")) == (500, None)


@pytest.mark.parametrize("byte", range(256), ids="{:02x}".format)
def test_byte_in_a_name_from_lua(site, byte):  # RFC 9110 5.1, 5.6.2
    response = answer_of_script(site, "name", byte)
    if byte in TOKEN:
        assert (response.status, response.one(f"x{chr(byte)}y".lower())) == (200, "made")
    else:
        assert response.status == 500


# What is said before the content comes

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def test_http2_preface_is_answered_in_its_own_language(site):  # RFC 9113 3.4, 6.5, 6.8: SETTINGS, then GOAWAY
    reply = site.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + FOLLOWING)
    assert reply[:9] == b"\0\0\0\4\0\0\0\0\0" and reply[9:18] == b"\0\0\x08\7\0\0\0\0\0"
    assert reply[18:] == b"\0\0\0\0\0\0\0\x0d", "HTTP_1_1_REQUIRED, and nothing behind it"


def expect(site, *lines, version="HTTP/1.1"):
    """A connection that has sent a head with an expectation and no content yet."""
    connection = site.connect()
    connection.sendall(get("/", "Content-Length: 3", "Expect: 100-continue", *lines, method="POST", version=version))
    return connection


def test_continue_comes_before_the_content(site):  # RFC 9110 10.1.1, 15.2.1
    with expect(site, "Connection: close") as connection:
        assert connection.recv(1000) == CONTINUE
        connection.sendall(b"abc")
        (response,) = parse(read_all(connection), [False])
        assert response.status == 200 and b'"body":"abc"' in response.body


def test_no_continue_for_http10(site):  # RFC 9110 10.1.1
    with expect(site, version="HTTP/1.0") as connection:
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(20)
        connection.sendall(b"abc")
        assert Response(read_all(connection), False).status == 200


def test_refusal_comes_instead_of_continue(site):  # RFC 9110 10.1.1: a final status at once
    with expect(site, "Transfer-Encoding: chunked") as connection:
        assert Response(read_all(connection), False).status == 400


# The same bytes in other pieces are the same request

SHORT = {name: case.sent for name, case in CASES.items() if 1 < len(case.sent) <= 400}
EACH_TURN = 400  # connections at once


def normal(text):
    """Without what may differ: the date, the id, and 100 (Continue), which may be omitted: RFC 9110 10.1.1."""
    text = re.sub(rb"\r\nDate: [^\r]*", b"", text)
    return re.sub(rb"\b[0-9a-f]{16}\b", b"ID", text).replace(CONTINUE, b"")


class Pieces:
    """Many connections at once, each with bytes in pieces; the server has read each before the next is sent."""

    def __init__(self, port, source):
        self.port, self.source, self.connections = port, source, []
        self.witness = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def open(self, count):
        for _ in range(count):
            self.connections.append(socket.create_connection(("127.0.0.1", self.port), PATIENCE, (self.source, 0)))
            self.connections[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, pieces):
        """A piece for each connection, None for none. Returns when the listener has looked at all: it serves what is
        ready in turn, and answers OPTIONS * itself."""
        for connection, piece in zip(self.connections, pieces):
            if piece:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(piece)
        self.witness.sendall(get("*", method="OPTIONS"))
        answer = b""
        while not (end := answer.find(b"\r\n\r\n") + 4) >= 4 or len(answer) < end + Response(answer[:end], True).length():
            answer += self.witness.recv(4096)

    def finish(self):
        """Ends all and returns what each has received."""
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        texts = [read_all(connection) for connection in self.connections]
        for connection in (*self.connections, self.witness):
            connection.close()
        return texts


@pytest.fixture(scope="module")
def whole(site):
    """What each short case is answered when sent in one piece."""
    return {name: normal(exchange(site.port, sent, True)) for name, sent in SHORT.items()}


def test_split_in_two_anywhere_is_the_same(site, whole):
    splits = [(name, at) for name, sent in SHORT.items() for at in range(1, len(sent))]
    assert len(splits) > 20000
    wrong, interim = [], 0
    for turn, first in enumerate(range(0, len(splits), EACH_TURN)):
        these = splits[first:first + EACH_TURN]
        pieces = Pieces(site.port, f"127.0.1.{turn % 250 + 1}")
        pieces.open(len(these))
        pieces.send(SHORT[name][:at] for name, at in these)
        pieces.send(SHORT[name][at:] for name, at in these)
        texts = pieces.finish()
        interim += sum(text.startswith(CONTINUE) for text in texts)
        wrong += [(name, at, text) for (name, at), text in zip(these, texts) if normal(text) != whole[name]]
    assert not wrong, f"{len(wrong)} differ, such as {wrong[:3]} and not {whole[wrong[0][0]]!r}"
    assert interim >= 4, "the server has not seen the pieces one by one: it would have asked for content"


def test_byte_by_byte_is_the_same(site, whole):
    names = list(SHORT)
    wrong = []
    for turn, first in enumerate(range(0, len(names), EACH_TURN)):
        these = names[first:first + EACH_TURN]
        pieces = Pieces(site.port, f"127.0.2.{turn % 250 + 1}")
        pieces.open(len(these))
        for at in range(max(len(SHORT[name]) for name in these)):
            pieces.send(SHORT[name][at:at + 1] for name in these)
        wrong += [(name, text, whole[name]) for name, text in zip(these, pieces.finish()) if normal(text) != whole[name]]
    assert not wrong, f"{len(wrong)} differ, such as {wrong[:3]}"
