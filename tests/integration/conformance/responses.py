# SPDX-License-Identifier: Apache-2.0
"""What a script can do to an answer: content where none may be, framing fields, attacks 12 and 23 (response splitting).

Each byte in each place is in test_conformance.py."""
from conformance.case import Case, answered, get, script


def made(path):
    return get("/script/" + path)


def splits(name, text, place="value"):
    """What a script hands on must not become a line of its own: 500, and nothing of it on the wire."""
    return Case(name, "attack 12: response splitting", made(f"{place}/{text.encode('latin-1').hex()}"),
                answered(500, fields={"x-made": None, "x-forged": None, "set-cookie": None, "location": None}))


SERVERS = {"transfer-encoding": None, "connection": None, "upgrade": None, "trailer": None, "te": None, "keep-alive": None,
           "proxy-connection": None}

CASES = [
    Case("length", "9112 6.2", made("text"), script(200, b"content", content_length="7", transfer_encoding=None)),
    Case("chunked", "9112 6.1", made("stream/200"), script(200, b"part1part2part3", transfer_encoding="chunked", content_length=None)),
    Case("chunked-1.0", "9112 6.1: no chunks for 1.0", get("/script/stream/200", version="HTTP/1.0"),
         script(200, b"part1part2part3", after="closed", transfer_encoding=None, content_length=None)),
    Case("chunked-1.0-kept", "9112 9.3: without a length it ends with the connection",
         get("/script/stream/200", "Connection: keep-alive", version="HTTP/1.0"),
         script(200, b"part1part2part3", after="closed", transfer_encoding=None)),
    Case("head", "9110 9.3.2", get("/script/text", method="HEAD"), script(200, b"", head=True, content_length="7")),
    Case("head-streamed", "9110 9.3.2", get("/script/stream/200", method="HEAD"), script(200, b"", head=True)),
    Case("head-of-error", "9110 9.3.2", get("/script/page/418", method="HEAD"), script(418, b"", head=True)),
    Case("head-of-refusal", "9110 9.3.2", get("https://a/", method="HEAD"), script(421, b"", head=True, after="any")),
    Case("head-of-redirect", "9110 9.3.2", get("/script/to/2f62", method="HEAD"), script(302, b"", head=True, location="/b")),
    Case("204", "9110 15.3.5: no content, whatever the script says", made("status/204"),
         script(204, b"", content_length=None, transfer_encoding=None)),
    Case("204-streamed", "9110 15.3.5", made("stream/204"), script(204, b"", content_length=None, transfer_encoding=None)),
    Case("204-head", "9110 15.3.5", get("/script/status/204", method="HEAD"), script(204, b"", head=True, content_length=None)),
    Case("204-1.0", "9110 15.3.5", get("/script/stream/204", "Connection: keep-alive", version="HTTP/1.0"),
         script(204, b"", transfer_encoding=None)),
    Case("205", "9110 15.3.6", made("status/205"), script(205, b"", content_length="0", transfer_encoding=None)),
    Case("205-streamed", "9110 15.3.6", made("stream/205"), script(205, b"", content_length="0", transfer_encoding=None)),
    Case("304", "9110 15.4.5", made("status/304"), script(304, b"", transfer_encoding=None)),
    Case("304-streamed", "9110 15.4.5", made("stream/304"), script(304, b"", transfer_encoding=None)),
    Case("bare-status", "9110 15.3.5", made("bare/204"), script(204, b"", content_length=None)),
    Case("bare-201", "9112 6.3: content of no bytes is framed too", made("bare/201"), script(201, b"", content_length="0")),
    Case("unknown-status", "9110 15: treated as x00, sent as it is", made("status/299"), script(299, b"content")),
    Case("last-status", "9110 15", made("status/599"), script(599, b"content")),
    *(Case(f"status-{n}", why, made(f"status/{n}"), answered(500)) for n, why in [
        (100, "9110 15.2: an interim answer is the server's"), (101, "9110 15.2.2: as is a change of protocol"),
        (103, "8297 2: and hints"), (199, "9110 15.2"), (0, "9110 15"), (99, "9110 15"), (600, "9110 15"), (1200, "9110 15"),
        (-200, "9110 15"), ("200.5", "9110 15"), ("nan", "9110 15"), ("4294967496", "9110 15: 2^32 + 200")]),
    Case("status-text", "attack 12: response splitting", made("statustext/" + b"200 OK\r\nX-Forged: y".hex()),
         answered(500, fields={"x-forged": None})),
    # Framing is the server's: a script that sets it is mistaken, and what it said is never sent
    *(Case(f"own-{name}{tail}", why, made(f"field{tail}/{name}?v={value}"), answered(500, fields=SERVERS))
      for name, tail, value, why in [
          ("content-length", "", "99", "9112 6.2"), ("content-length", "stream", "99", "9112 6.2"),
          ("CONTENT-length", "", "7", "9110 5.1"), ("transfer-encoding", "", "chunked", "9112 6.1"),
          ("transfer-encoding", "stream", "chunked", "9112 6.1"), ("connection", "", "close", "9112 9.6"),
          ("connection", "stream", "keep-alive", "9112 9.3"), ("date", "", "never", "9110 6.6.1"),
          ("upgrade", "", "h2c", "9110 7.8"), ("trailer", "", "x", "9110 6.6.2"), ("te", "", "x", "9110 10.1.4"),
          ("keep-alive", "", "x", "9112 C.2.2"), ("proxy-connection", "", "x", "9112 C.2.2")]),
    Case("large-head", "a head that no client would take: 500, and the process lives", made("large"), answered(200, 500)),
    Case("cookies", "6265 3: a line for each", made("cookies"), script(200, b"content", set_cookie=["a=1", "b=2"])),
    Case("dies", "9112 7.1, 8: cut off, so that nobody takes it for complete", made("dies"), script(200, None, after="cut")),
    Case("no-answer", "9110 15.6.1", made("silent"), answered(500)),
    # Splitting
    splits("crlf", "x\r\nX-Forged: y"),
    splits("lf", "x\nX-Forged: y"),
    splits("cr", "x\rX-Forged: y"),
    splits("crlf-body", "x\r\n\r\n<script>"),
    splits("crlf-response", "x\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Forged: y\r\n\r\n"),
    splits("crlf-end", "x\r\n"),
    splits("fold", "x\r\n y"),
    splits("nul", "x\0y"),
    splits("name-crlf", ": x\r\nX-Forged", "name"),
    splits("name-colon", ":", "name"),
    splits("name-space", " ", "name"),
    Case("name-empty", "9110 5.1: a name is a token", made("nameless"), answered(500)),
    splits("name-status-line", "HTTP/1.1 200 OK\r\nx-made", "whole"),
    splits("list-crlf", "x\r\nX-Forged: y", "list"),
    splits("type-crlf", "text/html\r\nX-Forged: y", "kind"),
    Case("redirect-crlf", "attack 12: what is no URI is escaped or refused", made("to/" + b"/b\r\nX-Forged: y".hex()),
         answered(302, 500, fields={"x-forged": None, "set-cookie": None})),
    Case("redirect-unicode", "attack 12: bytes that some clients cut to CR LF", made("to/" + "/b嘊嘍X-Forged: y".encode().hex()),
         answered(302, 500, fields={"x-forged": None})),
    Case("value-latin", "9110 5.5: obs-text passes", made("value/e9"), script(200, b"content", x_made="a\xe9b")),
    Case("value-utf8", "9110 5.5", made("value/c3a9"), script(200, b"content", x_made="a\xc3\xa9b")),
    Case("value-tab", "9110 5.5", made("value/09"), script(200, b"content", x_made="a\tb")),
]
