# SPDX-License-Identifier: Apache-2.0
"""Cases on the wire: sent whole, answers read strictly and held against what was to come."""
import json
import re
import socket

from conformance.case import get
from server import PATIENCE, read_all

FOLLOWING = get("/following")
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\x20-\x7e]*)")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)")
NO_CONTENT = (204, 304)


class Cut(Exception):
    """The response ends before its framing says so."""


class Response:
    """One response, taken off the front of text. Raises AssertionError for what is no response."""

    def __init__(self, text, head_only):
        end = text.find(b"\r\n\r\n")
        assert end >= 0, f"no whole head in {text[:300]!r}"
        lines = text[:end].split(b"\r\n")
        match = STATUS_LINE.fullmatch(lines[0])
        assert match, f"no status line: {lines[0]!r}"
        self.status, self.fields = int(match[1]), []
        for line in lines[1:]:
            match = FIELD_LINE.fullmatch(line)
            assert match, f"no field line: {line!r}"
            self.fields.append((match[1].decode().lower(), match[2].decode("latin-1")))
        self.body, self.rest = self.take_body(text[end + 4:], head_only)

    def all(self, name):
        return [value for key, value in self.fields if key == name]

    def one(self, name):
        values = self.all(name)
        assert len(values) <= 1, f"{name} {len(values)} times"
        return values[0] if values else None

    def length(self):
        """The bytes of content that the head announces."""
        return int(self.one("content-length") or 0)

    def take_body(self, text, head_only):
        """RFC 9112 section 6.3, from the client's side."""
        length, coding = self.one("content-length"), self.one("transfer-encoding")
        assert coding in (None, "chunked") and not (coding and length), self.fields
        if self.status < 200 or self.status in NO_CONTENT:
            assert not (self.status < 200 or self.status == 204) or not (length or coding), "framing without content: 9110 8.6"
            return b"", text
        if head_only:
            return b"", text
        if coding:
            return self.take_chunks(text)
        if length is None:
            assert self.one("connection") == "close", "neither a length nor an end"
            return text, b""
        if len(text) < int(length):
            raise Cut(text)
        return text[:int(length)], text[int(length):]

    @staticmethod
    def take_chunks(text):
        body = b""
        while True:
            match = re.match(rb"([0-9a-fA-F]+)\r\n", text)
            if not match:
                raise Cut(body)
            size = int(match[1], 16)
            data, end, text = text[match.end():][:size], text[match.end() + size:][:2], text[match.end() + size + 2:]
            if end != b"\r\n":
                raise Cut(body)
            if size == 0:
                return body, text
            body += data


def parse(text, heads):
    """All final responses in text; heads: which of them answer HEAD. Interim ones are dropped."""
    responses = []
    while text:
        response = Response(text, len(responses) < len(heads) and heads[len(responses)])
        text = response.rest
        if response.status >= 200:
            responses.append(response)
    return responses


def exchange(port, sent, ends):
    """Sends; where ends is set, closes that half. Returns all bytes until the server has closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def compare_saw(expected, told):
    for key, value in expected.items():
        if key != "fields":
            assert told[key] == value, f"the vhost saw {key} {told[key]!r}"
    for name, value in expected.get("fields", {}).items():
        assert told["fields"].get(name) == value, f"the vhost saw {name}: {told['fields'].get(name)!r}"


def compare(answer, response):
    assert response.status in answer.status, f"status {response.status}: {response.body[:200]!r}"
    assert len(response.all("date")) == 1, "9110 6.6.1: one Date"
    for name, value in answer.fields.items():
        if isinstance(value, list):
            assert response.all(name) == value
        elif name == "allow":
            assert value in re.split(", *", response.one(name) or ""), response.fields
        else:
            assert response.one(name) == value, f"{name}: {response.one(name)!r}"
    if answer.body is not None:
        assert response.body == answer.body
    if answer.saw is not None:
        compare_saw(answer.saw, json.loads(response.body))


def check_cut(port, case):
    """An answer that cannot be finished: the client must see that something, or all of it, is missing."""
    text = exchange(port, case.sent, False)
    if not text:
        return
    try:
        response = Response(text, False)
    except Cut:
        return
    raise AssertionError(f"looks complete: {response.body!r}")


def check(port, case):
    """Sends the case and one more request, and compares."""
    answers, after = case.outcome.answers, case.outcome.after
    if after == "cut":
        check_cut(port, case)
        return
    text = exchange(port, case.sent + (b"" if after == "ended" else FOLLOWING), after != "closed")
    responses = parse(text, [answer.head for answer in answers])
    assert len(responses) >= len(answers), f"{len(responses)} responses: {text[:500]!r}"
    for answer, response in zip(answers, responses):
        compare(answer, response)
    more = responses[len(answers):]
    if after in ("closed", "ended"):
        assert not more, f"another response: {text[:1000]!r}"
        assert after == "ended" or responses[-1].one("connection") == "close", "9112 9.6: who closes says so"
    elif after == "open" or more:
        assert len(more) == 1, f"{len(more)} responses behind: {text[:1000]!r}"
        compare_saw({"method": "GET", "path": "/following", "body": ""}, json.loads(more[0].body))
