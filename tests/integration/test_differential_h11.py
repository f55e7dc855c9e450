# SPDX-License-Identifier: Apache-2.0
"""The codec beside another strict parser, python3-h11 in its server's role: 20,000 requests of a grammar with mutations,
and the conformance cases. Where the two differ, a reason must be written here, with its section of the RFC."""
import collections
import re
import struct
import subprocess

import h11
import pytest

from conformance import CASES
from grammar_h1 import requests
from server import BUILD

SEED, COUNT = 20261123, 20000
NO_LIMIT = 1 << 20

Done = collections.namedtuple("Done", "method target version keep framing consumed body fields")
Refused = collections.namedtuple("Refused", "status reason")
More = collections.namedtuple("More", "part")


def of_hex(text):
    return b"" if text == "-" else bytes.fromhex(text)


def read_line(line):
    words = line.split("\t")
    if words[0] == "refused":
        return Refused(int(words[1]), words[2])
    if words[0] != "done":
        return More(words[0])
    method, target, version, keep, framing, consumed, body, *fields = words[1:]
    fields = [of_hex(text) for text in fields]
    return Done(of_hex(method), of_hex(target), version, keep == "1", framing, int(consumed), of_hex(body),
                sorted(zip(fields[::2], fields[1::2]), key=lambda field: field[0]))


def ask_luttpd(cases):
    """What the codec makes of each."""
    framed = b"".join(struct.pack("<I", len(case)) + case for case in cases)
    done = subprocess.run([BUILD / "tests" / "h1_lines"], input=framed, capture_output=True, check=True, timeout=60)
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(cases), done.stderr
    return [read_line(line) for line in lines]


def ask_h11(case):
    """What h11 makes of it."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=NO_LIMIT)
    request, body = None, b""
    try:
        connection.receive_data(case) if case else None
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                return More("body" if request else "head")
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                break
    except h11.RemoteProtocolError as error:
        return Refused(error.error_status_hint, str(error))
    assert isinstance(event, h11.EndOfMessage)
    fields = sorted(((bytes(name), bytes(value)) for name, value in request.headers), key=lambda field: field[0])
    names = dict(fields)
    framing = "chunked" if b"transfer-encoding" in names else "length" if int(names.get(b"content-length", 0)) else "none"
    return Done(bytes(request.method), bytes(request.target), request.http_version.decode(),
                connection.their_state is not h11.MUST_CLOSE, framing, len(case) - len(connection.trailing_data[0]), body, fields)


# Where luttpd takes what h11 refuses: (name, section and reason, whether it explains this case)

MORE_LENIENT = [
    ("empty line before", "9112 2.2: a server SHOULD ignore one empty line before the request line; h11 takes none",
     lambda case, theirs: (case.startswith(b"\r\n") and theirs.reason == "no request line received") or case == b"\r"),
    ("white space before an extension", "9112 7.1.1: a recipient MUST parse bad white space before the semicolon of a chunk "
     "extension; h11 allows it only behind the extensions",
     lambda case, theirs: re.match(r"illegal chunk header: bytearray\(b'[0-9A-Fa-f]+( |\\t)+;", theirs.reason)),
]


# Where both take it and do not say the same: (name, section and reason, what h11's answer is to luttpd), or None

def minor(ours, theirs):
    if theirs.version in ("1.2", "1.9", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8"):
        return theirs._replace(version="1.1")
    return None


def target_authority(theirs):
    match = re.match(rb"https?://([^/?]*)", theirs.target, re.IGNORECASE)
    return match[1] if match else None


def with_host(theirs, change):
    return theirs._replace(fields=[(name, change(value) if name == b"host" else value) for name, value in theirs.fields])


def absolute_target(ours, theirs):
    authority = target_authority(theirs)
    if authority is None or authority == authority.lower():
        return None
    scheme, slashes, rest = theirs.target.partition(b"//")
    return theirs._replace(target=scheme + slashes + authority.lower() + rest[len(authority):])


def absolute_host(ours, theirs):
    authority = target_authority(theirs)
    return with_host(theirs, lambda value: authority) if authority is not None else None


def host_case(ours, theirs):
    return with_host(theirs, bytes.lower)


def coding_case(ours, theirs):
    return theirs._replace(fields=[
        (name, next(value for key, value in ours.fields if key == name) if name == b"transfer-encoding" else value)
        for name, value in theirs.fields]) if theirs.framing == "chunked" else None


def options(theirs):
    return {option.strip().lower() for name, value in theirs.fields if name == b"connection" for option in value.split(b",")}


def old_keep_alive(ours, theirs):
    if theirs.version == "1.0" and b"keep-alive" in options(theirs) and b"close" not in options(theirs):
        return theirs._replace(keep=True)
    return None


def upgrade(ours, theirs):
    if b"upgrade" in dict(theirs.fields):
        wanted = b"close" not in options(theirs) and (theirs.version != "1.0" or b"keep-alive" in options(theirs))
        return theirs._replace(keep=wanted)
    return None


DISAGREEMENTS = [
    ("minor version", "9110 2.5: a request of a later minor version is served as one of ours", minor),
    ("keep-alive of 1.0", "9112 9.3: Connection: keep-alive keeps an HTTP/1.0 connection; h11 closes it", old_keep_alive),
    ("upgrade", "9110 7.8: an offer to upgrade may be ignored, so the connection persists as if there were none; h11 waits", upgrade),
    ("authority's case in the target", "9110 4.2.3: host names are case-insensitive; ours is in lower case", absolute_target),
    ("authority of the target", "9112 3.2.2: it replaces the value of Host; h11 leaves that to its caller", absolute_host),
    ("host's case", "9110 4.2.3: host names are case-insensitive; ours is in lower case", host_case),
    ("coding's case", "9112 7: names of codings are case-insensitive; h11 lower-cases the field", coding_case),
]


# Where luttpd refuses what h11 takes, or would still wait for: reason in the log, section, and why

STRICTER = {
    "CONNECT: this server is no proxy": "9110 9.3.6: h11 leaves methods to its caller",
    "Connection names an end-to-end field": "9110 7.6.1: a sender MUST NOT; proxies made to strip such fields",
    "Content-Length beside Transfer-Encoding": "9112 6.1, 6.3: ought to be handled as an error; request smuggling",
    "Content-Length is not a number": "9110 8.6: a list of equal numbers may be refused; h11 folds it",
    "Content-Length too large": "9110 8.6: overflow; h11 counts without end",
    "TRACE with content": "9110 9.3.8: a client MUST NOT send content in TRACE",
    "Transfer-Encoding beside Content-Length": "9112 6.1, 6.3: ought to be handled as an error; request smuggling",
    "Transfer-Encoding on HTTP/1.0": "9112 6.1: such framing is faulty, the connection must close",
    "asterisk form without OPTIONS": "9112 3.2.4: h11 does not look at the target",
    "backslash in the path": "3986 3.3: no byte of a path, and taken for a slash; h11 does not look",
    "bare CR": "9112 2.2: h11 waits for the end of the head, or takes it in front of a LF",
    "bare CR in a chunk line": "9112 2.2: h11 takes it inside an extension",
    "bare CR in the trailers": "9112 2.2: h11 waits for the end of the trailers",
    "broken percent-encoding in the path": "3986 2.1: h11 does not look at the target",
    "byte that no path may contain": "3986 3.3: h11 does not look at the target",
    "byte that no query may contain": "3986 3.4: h11 does not look at the target",
    "chunk extensions too large": "9112 7.1.1: a server ought to limit them",
    "chunk without a size": "9112 7.1: h11 waits for the end of the line",
    "chunk size too large": "9112 7.1: overflow; h11 counts without end",
    "content too large": "9112 7.1: overflow; h11 counts without end",
    "control byte in a field value": "9110 5.5: h11 takes control bytes other than NUL and white space",
    "control byte in a trailer field": "9110 5.5: h11 takes control bytes other than NUL and white space",
    "control byte in the path": "no honest name has one once decoded; h11 does not decode",
    "empty Content-Length": "9110 8.6: at least one digit; h11 waits for the end of the head",
    "encoded slash in the path": "3986 2.2: not the same as a slash, and taken for one; a policy may keep it",
    "field that may not stand in the trailers": "9110 6.5.1: framing, routing and the like are for the head",
    "framing field with underscores": "another field by 9110 5.1, but CGI reads _ as -: request smuggling",
    "head too large": "6585 5: a limit; the test gives h11 none",
    "invalid Host": "9112 3.2: an invalid value MUST be answered with 400; h11 does not look at it",
    "invalid authority in the request-target": "9110 4.2.4, 9112 3.2: h11 does not look at the target",
    "line folding": "9112 5.2: a server MUST refuse it or replace it; h11 replaces it",
    "malformed Connection": "9110 7.6.1: options are tokens; h11 does not look at others than close",
    "malformed Transfer-Encoding": "9112 5.2: folded; h11 replaces the fold",
    "malformed chunk extension": "9112 7.1.1: h11 takes any bytes behind a semicolon, and white space behind a size",
    "malformed chunk size": "9112 7.1: h11 waits for the end of the line",
    "malformed field name": "9112 2.2: a lone LF may be taken for the end of a line, and is by h11; or h11 waits for more",
    "malformed method": "9110 9.1: h11 waits for the end of the head",
    "malformed request-target": "9112 3.2: h11 waits for the end of the head",
    "malformed trailer field": "9112 5.2: folded; h11 replaces the fold; or h11 waits for more",
    "malformed version": "9112 2.2: a lone LF may be taken for the end of a line, and is by h11; or h11 waits for more",
    "method too long": "9110 15.6.2: longer than any method of the server; h11 leaves methods to its caller",
    "more than one Content-Length field": "9110 8.6: equal ones may be refused; request smuggling; h11 folds them",
    "more than one Host field": "9112 3.2: h11 waits for the end of the head",
    "more than one Transfer-Encoding field": "9112 6.1: h11 waits for the end of the head",
    "no Host field": "9112 3.2: h11 asks for it in 1.1 only, not in a later minor version",
    "path above the root": "3986 5.2.4: h11 does not look at the target",
    "request-target of no known form": "9112 3.2: h11 does not look at the target",
    "request-target too long": "9110 15.5.15: a limit; the test gives h11 none",
    "too many connection options": "9110 5.6.1.2: a reasonable number of empty members",
    "too many field lines": "6585 5: a limit; h11 has none",
    "transfer coding not implemented": "9112 6.1: h11 waits for the end of the head",
    "trailers too large": "6585 5: a limit; the test gives h11 none",
    "Transfer-Encoding does not end with chunked": "9112 6.3: h11 waits for the end of the head",
    "unknown expectation": "9110 10.1.1: 417 may be answered; h11 does not look at others than 100-continue",
    "version not supported": "9110 15.6.6: h11 takes every digit for a version",
}


# What luttpd refuses as soon as it comes, and h11 when it is complete.
UNFINISHED = [head + b"\r\n" for head in (
    b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
    b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip", b"GET / HTTP/1.1\r\nContent-Length:", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a")]
UNFINISHED += [b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk for chunk in (b"\n", b"g")]


@pytest.fixture(scope="module")
def verdicts():
    """[(bytes, luttpd's answer, h11's)]"""
    cases = requests(SEED, COUNT) + [case.sent for case in CASES.values()] + UNFINISHED
    return [(case, ours, ask_h11(case)) for case, ours in zip(cases, ask_luttpd(cases))]


def of_kinds(verdicts, ours, theirs):
    return [row for row in verdicts if isinstance(row[1], ours) and isinstance(row[2], theirs)]


def test_the_grammar_is_neither_too_right_nor_too_wrong(verdicts):
    assert len(of_kinds(verdicts, Done, Done)) > COUNT / 3
    assert len(of_kinds(verdicts, Refused, Refused)) > COUNT / 10
    framings = collections.Counter(ours.framing for _, ours, _ in of_kinds(verdicts, Done, Done))
    assert min(framings[framing] for framing in ("none", "length", "chunked")) > 1000


def test_what_h11_refuses_is_refused_or_has_a_reason(verdicts):
    used, unexplained = set(), []
    for case, ours, theirs in of_kinds(verdicts, (Done, More), Refused):
        names = [name for name, _, explains in MORE_LENIENT if explains(case, theirs)]
        used.update(names)
        if not names:
            unexplained.append((case, ours, theirs))
    assert not unexplained, f"{len(unexplained)}, such as {unexplained[:3]}"
    assert used == {name for name, _, _ in MORE_LENIENT}, "a reason without a case"


def test_both_want_more_of_the_same(verdicts):
    rows = of_kinds(verdicts, More, More) + of_kinds(verdicts, Done, More) + of_kinds(verdicts, More, Done)
    assert len(rows) > 100
    assert [row for row in rows if row[1] != row[2]] == []


def test_what_both_take_is_the_same_request_or_has_a_reason(verdicts):
    used, unexplained = set(), []
    for case, ours, theirs in of_kinds(verdicts, Done, Done):
        for name, _, change in DISAGREEMENTS:
            changed = change(ours, theirs) if ours != theirs else None
            if changed is not None and changed != theirs:
                used.add(name)
                theirs = changed
        if ours != theirs:
            unexplained.append((case, ours, theirs))
    assert not unexplained, f"{len(unexplained)}, such as {unexplained[:3]}"
    assert used == {name for name, _, _ in DISAGREEMENTS}, "a reason without a case"


def test_what_only_luttpd_refuses_has_a_reason(verdicts):
    counts = collections.Counter(ours.reason for _, ours, _ in of_kinds(verdicts, Refused, (Done, More)))
    for reason, count in sorted(counts.items()):
        print(f"{count:6} {reason}")
    assert not counts.keys() - STRICTER.keys(), "a refusal without a reason"
    assert not STRICTER.keys() - counts.keys(), "a reason without a case"


def test_framing_never_differs(verdicts):
    """What both take leaves the same bytes for the next request: the one thing that smuggling lives on."""
    for case, ours, theirs in of_kinds(verdicts, Done, Done):
        assert (ours.consumed, ours.body, ours.framing) == (theirs.consumed, theirs.body, theirs.framing), case
