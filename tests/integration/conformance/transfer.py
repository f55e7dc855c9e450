# SPDX-License-Identifier: Apache-2.0
"""Transfer-Encoding, chunks and trailers: RFC 9112 sections 6.1, 6.3 and 7.1."""
from conformance.case import SILENCE, Case, as_bytes, chunked, get, refused, seen

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def taken(name, why, body, content, **more):
    return Case(name, why, chunked(body), seen(method="POST", body=content, length=False, **more))


def refuse(name, why, body, status=400):
    return Case(name, why, chunked(body), refused(status))


def coding(name, why, *lines, status=400, version="HTTP/1.1"):
    return Case(name, why, get("/", *lines, method="POST", version=version) + b"3\r\nabc\r\n0\r\n\r\n", refused(status))


def trailer(name, why, line, status=400):
    return Case(name, why, chunked(b"1\r\na\r\n0\r\n" + as_bytes(line) + b"\r\n\r\n"), refused(status))


CASES = [
    taken("one", "9112 7.1", "3\r\nabc\r\n0\r\n\r\n", "abc"),
    taken("two", "9112 7.1", "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n", "abcdefg"),
    taken("many", "9112 7.1: each size by itself", "1\r\na\r\n" * 20 + "0\r\n\r\n", "a" * 20),
    taken("none", "9112 7.1", "0\r\n\r\n", ""),
    taken("hex", "9112 7.1", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    taken("hex-upper", "9112 7.1", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    taken("two-digits", "9112 7.1", "10\r\n0123456789abcdef\r\n0\r\n\r\n", "0123456789abcdef"),
    taken("leading-zeros", "9112 7.1", "0003\r\nabc\r\n0\r\n\r\n", "abc"),
    taken("last-with-zeros", "9112 7.1: 1*\"0\"", "3\r\nabc\r\n00000\r\n\r\n", "abc"),
    taken("content-like-framing", "9112 7.1: content, whatever it looks like", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "<0d><0a>0<0d><0a><0d><0a>"),
    taken("extension", "9112 7.1.1: ignored", "3;a\r\nabc\r\n0\r\n\r\n", "abc"),
    taken("extension-value", "9112 7.1.1", "3;a=b;c=d\r\nabc\r\n0;e\r\n\r\n", "abc"),
    taken("extension-quoted", "9112 7.1.1", '3;a="b;c, d"\r\nabc\r\n0\r\n\r\n', "abc"),
    taken("extension-blank", "9112 7.1.1: bad white space", "3 \t; a = b\r\nabc\r\n0\r\n\r\n", "abc"),
    taken("trailer", "9112 7.1.2: may be thrown away", "3\r\nabc\r\n0\r\nX: y\r\n\r\n", "abc", fields={"x": None}),
    taken("trailer-authorization", "9110 6.5.1: not merged", "1\r\na\r\n0\r\nAuthorization: b\r\nCookie: c\r\n\r\n", "a",
          fields={"authorization": None, "cookie": None}),
    *(trailer(f"trailer-{name.lower()}", why, f"{name}: {value}") for name, value, why in [
        ("Content-Length", "99", "9110 6.5.1: framing is none of theirs"), ("Transfer-Encoding", "chunked", "9110 6.5.1"),
        ("Host", "other.test", "9110 6.5.1: nor is routing"), ("Connection", "close", "9110 6.5.1"), ("TE", "x", "9110 6.5.1"),
        ("Expect", "100-continue", "9110 6.5.1"), ("Luttpd-Bot", "no", "attack: a tag of the parsing policy"),
        ("X-Forwarded-For", "10.0.0.1", "attack: a claim behind what a proxy wrote")]),
    Case("coding-case", "9112 7: codings are case-insensitive", get("/", "Transfer-Encoding: CHUNKED", method="POST") + b"1\r\na\r\n0\r\n\r\n", seen(body="a")),
    Case("coding-spaces", "9112 5.1", get("/", "transfer-encoding: \t chunked \t", method="POST") + b"1\r\na\r\n0\r\n\r\n", seen(body="a")),
    Case("on-get", "9110 9.3.1", get("/", "Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\n\r\n", seen(method="GET", body="a")),
    Case("on-head", "9110 9.3.2", get("/", "Transfer-Encoding: chunked", method="HEAD") + b"1\r\na\r\n0\r\n\r\n", seen(head=True)),
    # Sizes
    refuse("size-none", "9112 7.1", "\r\nabc\r\n0\r\n\r\n"),
    refuse("size-letter", "9112 7.1", "g\r\nabc\r\n0\r\n\r\n"),
    refuse("size-plus", "9112 7.1", "+3\r\nabc\r\n0\r\n\r\n"),
    refuse("size-minus", "9112 7.1", "-3\r\nabc\r\n0\r\n\r\n"),
    refuse("size-prefix", "9112 7.1", "0x3\r\nabc\r\n0\r\n\r\n"),
    refuse("size-underscore", "9112 7.1", "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
    refuse("size-float", "9112 7.1", "3.0\r\nabc\r\n0\r\n\r\n"),
    refuse("size-space-before", "9112 7.1", " 3\r\nabc\r\n0\r\n\r\n"),
    refuse("size-space-behind", "9112 7.1: white space only before an extension", "3 \r\nabc\r\n0\r\n\r\n"),
    refuse("size-space-inside", "9112 7.1", "1 0\r\n0123456789abcdef\r\n0\r\n\r\n"),
    refuse("size-extension-alone", "9112 7.1", ";a\r\nabc\r\n0\r\n\r\n"),
    refuse("size-nul", "9112 7.1", "3\0\r\nabc\r\n0\r\n\r\n"),
    refuse("size-latin", "9112 7.1", "\xb3\r\nabc\r\n0\r\n\r\n"),
    refuse("size-64-bits", "9112 7.1: overflow", "ffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    refuse("size-64-bits-and-three", "9112 7.1, attack: request smuggling", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
    refuse("size-sum-overflows", "9112 7.1: overflow", "3\r\nabc\r\n7fffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    refuse("size-twenty-zeros", "9112 7.1: bounded", "0" * 20 + "3\r\nabc\r\n0\r\n\r\n"),
    # Ends of lines
    refuse("size-bare-lf", "9112 2.2, 7.1", "3\nabc\r\n0\r\n\r\n"),
    refuse("size-bare-cr", "9112 2.2, 7.1", "3\rabc\r\n0\r\n\r\n"),
    refuse("size-two-cr", "9112 2.2, 7.1", "3\r\r\nabc\r\n0\r\n\r\n"),
    refuse("data-bare-lf", "9112 7.1", "3\r\nabc\n0\r\n\r\n"),
    refuse("data-bare-cr", "9112 7.1", "3\r\nabc\r0\r\n\r\n"),
    refuse("data-no-end", "9112 7.1", "3\r\nabc0\r\n\r\n"),
    refuse("data-longer", "9112 7.1", "3\r\nabcd\r\n0\r\n\r\n"),
    refuse("data-other-end", "9112 7.1, attack: request smuggling (two bytes of any kind skipped)", "3\r\nabcXX0\r\n\r\n"),
    refuse("last-bare-lf", "9112 7.1", "3\r\nabc\r\n0\n\r\n"),
    refuse("last-end-bare-lf", "9112 7.1", "3\r\nabc\r\n0\r\n\n"),
    refuse("last-end-bare-cr", "9112 7.1", "3\r\nabc\r\n0\r\n\rX"),
    refuse("last-end-none", "9112 7.1: what follows is a trailer", "3\r\nabc\r\n0\r\nGET / HTTP/1.1\r\n\r\n"),
    refuse("extension-bare-lf", "9112 7.1.1, attack: request smuggling (TERM.EXT)", "3;a\nabc\r\n0\r\n\r\n"),
    refuse("extension-bare-cr", "9112 7.1.1, attack: request smuggling", "3;a\rb\r\nabc\r\n0\r\n\r\n"),
    refuse("extension-nul", "9112 7.1.1", "3;a\0\r\nabc\r\n0\r\n\r\n"),
    refuse("extension-lf-in-quotes", "9112 7.1.1, attack: request smuggling", '3;a="\n"\r\nabc\r\n0\r\n\r\n'),
    # Trailers
    trailer("trailer-no-colon", "9112 7.1.2", "x"),
    trailer("trailer-no-name", "9112 7.1.2", ": x"),
    trailer("trailer-space-before-colon", "9112 5.1", "X : y"),
    trailer("trailer-fold", "9112 5.2", "X: y\r\n z"),
    trailer("trailer-nul", "9110 5.5", "X: a\0"),
    trailer("trailer-bare-lf", "9112 2.2", "X: a\nY: b"),
    trailer("trailer-bare-cr", "9112 2.2", "X: a\rY: b"),
    trailer("trailer-latin-name", "9110 5.1", "\xe9: a"),
    # Which codings
    coding("gzip", "9112 6.3: chunked is not last", "Transfer-Encoding: gzip"),
    coding("gzip-chunked", "9112 6.1: not implemented", "Transfer-Encoding: gzip, chunked", status=501),
    coding("chunked-gzip", "9112 6.3", "Transfer-Encoding: chunked, gzip"),
    coding("twice-in-list", "9112 6.1: chunked once", "Transfer-Encoding: chunked, chunked"),
    coding("twice", "9112 6.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    coding("two-lines", "9112 6.1, attack: request smuggling", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    coding("two-lines-other-order", "9112 6.1, attack: request smuggling", "Transfer-Encoding: x", "Transfer-Encoding: chunked"),
    coding("identity", "9112 6.3: gone since 7230", "Transfer-Encoding: identity"),
    coding("identity-chunked", "9112 6.1", "Transfer-Encoding: identity, chunked", status=501),
    coding("empty", "9112 6.1", "Transfer-Encoding:"),
    coding("trailing-comma", "may be ignored (9110 5.6.1.2), attack: request smuggling", "Transfer-Encoding: chunked,"),
    coding("leading-comma", "may be ignored (9110 5.6.1.2), attack: request smuggling", "Transfer-Encoding: , chunked"),
    coding("parameter", "9112 7: chunked has none", "Transfer-Encoding: chunked;a=b"),
    coding("quoted", "9112 6.1", 'Transfer-Encoding: "chunked"'),
    coding("prefix", "9112 6.3", "Transfer-Encoding: xchunked"),
    coding("suffix", "9112 6.3", "Transfer-Encoding: chunkedx"),
    coding("vertical-tab", "9110 5.5, attack: request smuggling", "Transfer-Encoding: \x0bchunked"),
    coding("nul", "9110 5.5, attack: request smuggling", "Transfer-Encoding: chunked\0"),
    coding("latin", "9112 6.1, attack: request smuggling", "Transfer-Encoding: chunked\xff"),
    coding("folded", "9112 5.2, attack: request smuggling", "Transfer-Encoding:\r\n chunked"),
    coding("space-before-colon", "9112 5.1, attack: request smuggling", "Transfer-Encoding : chunked"),
    coding("on-1.0", "9112 6.1: framing is in doubt", "Transfer-Encoding: chunked", version="HTTP/1.0"),
    coding("on-1.0-kept", "9112 6.1", "Transfer-Encoding: chunked", "Connection: keep-alive", version="HTTP/1.0"),
    # Beside a length
    coding("length-before", "9112 6.3, attack: request smuggling (CL.TE)", "Content-Length: 3", "Transfer-Encoding: chunked"),
    coding("length-behind", "9112 6.3, attack: request smuggling (TE.CL)", "Transfer-Encoding: chunked", "Content-Length: 13"),
    coding("length-zero", "9112 6.3, attack: request smuggling (TE.0)", "Transfer-Encoding: chunked", "Content-Length: 0"),
    coding("length-and-gzip", "9112 6.3", "Transfer-Encoding: gzip", "Content-Length: 13"),
    Case("cl-te", "attack: request smuggling (CL.TE)",
         get("/", "Content-Length: 4", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n" + SMUGGLED, refused(400)),
    Case("te-cl", "attack: request smuggling (TE.CL)",
         get("/", "Transfer-Encoding: chunked", "Content-Length: 5", method="POST") + b"0\r\n\r\n" + SMUGGLED, refused(400)),
    Case("te-obfuscated", "attack: request smuggling (TE.TE)",
         get("/", "Content-Length: 5", "Transfer-Encoding: xchunked", method="POST") + b"0\r\n\r\n" + SMUGGLED, refused(400)),
    # The end is missing
    Case("cut-head", "9112 8", chunked(""), SILENCE),
    Case("cut-size", "9112 8", chunked("3"), SILENCE),
    Case("cut-data", "9112 8", chunked("3\r\nab"), SILENCE),
    Case("cut-last", "9112 8", chunked("3\r\nabc\r\n"), SILENCE),
    Case("cut-end", "9112 8", chunked("3\r\nabc\r\n0\r\n"), SILENCE),
    Case("cut-trailer", "9112 8", chunked("3\r\nabc\r\n0\r\nX: y\r\n"), SILENCE),
]
