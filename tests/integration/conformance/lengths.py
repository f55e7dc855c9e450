# SPDX-License-Identifier: Apache-2.0
"""Content-Length: RFC 9110 section 8.6, RFC 9112 sections 6.2 and 6.3."""
from conformance.case import SILENCE, Case, get, post, refused, seen


def with_length(value, body=b"", *lines, **more):
    return get("/", f"Content-Length: {value}", *lines, method="POST", **more) + body


def taken(name, why, value, body, length=None):
    return Case(name, why, with_length(value, body), seen(method="POST", body=body.decode(), length=length or len(body)))


def refuse(name, why, value, status=400):
    return Case(name, why, with_length(value, b"abcde"), refused(status))


CASES = [
    taken("five", "9112 6.2", "5", b"abcde"),
    taken("zero", "9112 6.2", "0", b"", 0),
    taken("many-zeros", "9110 8.6: 1*DIGIT", "0" * 30, b"", 0),
    taken("leading-zeros", "9110 8.6: 1*DIGIT, decimal", "0010", b"abcdefghij"),
    taken("spaces-around", "9112 5.1", " \t5 \t", b"abcde"),
    taken("body-like-a-request", "9112 6.3: content, whatever it looks like", "27", b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"[:27].replace(b"\r", b".").replace(b"\n", b".")),
    Case("none", "9112 6.3, 7: no length, no content", get("/", method="POST"), seen(method="POST", body="", length=0)),
    Case("on-get", "9110 9.3.1: content without meaning, still framed", get("/", "Content-Length: 3") + b"abc",
         seen(method="GET", body="abc")),
    Case("on-options", "9110 9.3.7", get("/", "Content-Length: 3", method="OPTIONS") + b"abc", seen(method="OPTIONS", body="abc")),
    Case("on-delete", "9110 9.3.5", get("/", "Content-Length: 3", method="DELETE") + b"abc", seen(method="DELETE", body="abc")),
    Case("on-head", "9110 9.3.2", get("/", "Content-Length: 3", method="HEAD") + b"abc", seen(head=True)),
    Case("on-1.0", "1945 7.2.2", with_length("3", b"abc", version="HTTP/1.0"), seen(body="abc", after="closed")),
    Case("name-case", "9110 5.1", get("/", "CONTENT-length:3", method="POST") + b"abc", seen(body="abc")),
    Case("nul-content", "9110 6.4: any bytes", post(b"\0\r\n\xff"), seen(body="<00><0d><0a><ff>")),
    Case("hidden-request", "attack: request smuggling", post(get("/hidden")), seen(path="/", method="POST")),
    Case("cut", "9112 8: an incomplete request", with_length("5", b"abc"), SILENCE),
    Case("cut-before", "9112 8", with_length("5", b""), SILENCE),
    refuse("plus", "9110 8.6", "+5"),
    refuse("minus", "9110 8.6", "-5"),
    refuse("minus-zero", "9110 8.6", "-0"),
    refuse("hex", "9110 8.6", "0x5"),
    refuse("hex-digit", "9110 8.6", "a"),
    refuse("float", "9110 8.6", "5.0"),
    refuse("exponent", "9110 8.6", "5e0"),
    refuse("unit", "9110 8.6", "5B"),
    refuse("empty", "9110 8.6", ""),
    refuse("inner-space", "9110 8.6", "5 5"),
    refuse("inner-tab", "9110 8.6", "5\t5"),
    refuse("underscore", "9110 8.6", "5_0"),
    refuse("semicolon", "9110 8.6", "5;"),
    refuse("quoted", "9110 8.6", '"5"'),
    refuse("list-equal", "9110 8.6: may be refused, attack: request smuggling", "5, 5"),
    refuse("list-different", "9112 6.3", "5, 6"),
    refuse("list-trailing-comma", "9110 8.6", "5,"),
    refuse("other-digits", "9110 8.6: ASCII digits", "\xd9\xa5"),
    refuse("nul", "9110 5.5", "5\0"),
    refuse("vertical-tab", "9110 5.5", "\x0b5"),
    refuse("above-63-bits", "9110 8.6: an integer that overflows", "9223372036854775808"),
    refuse("64-bits", "9110 8.6: an integer that overflows", "18446744073709551616"),
    refuse("64-bits-and-five", "9110 8.6, attack: request smuggling", "18446744073709551621"),
    refuse("32-bits-and-five", "9110 15.5.14: 4 GiB and 5", "4294967301", 413),
    refuse("forty-digits", "9110 8.6", "9" * 40),
    refuse("above-limit", "9110 15.5.14: a byte above 1 GiB", str(2**30 + 1), 413),
    Case("two-equal", "9112 6.3: may be refused, attack: request smuggling", with_length("5", b"abcde", "Content-Length: 5"), refused(400)),
    Case("two-different", "9112 6.3", with_length("5", b"abcde", "Content-Length: 6"), refused(400)),
    Case("two-one-zero", "9112 6.3, attack: request smuggling", with_length("0", b"", "Content-Length: 5"), refused(400)),
    Case("two-apart", "9112 6.3", with_length("5", b"abcde", "X: y", "content-length: 05"), refused(400)),
    Case("space-before-colon", "9112 5.1, attack: request smuggling", get("/", "Content-Length : 5", method="POST") + b"abcde", refused(400)),
    Case("two-on-get", "9112 6.3", get("/", "Content-Length: 0", "Content-Length: 1"), refused(400)),
    Case("bad-on-get", "9112 6.3", get("/", "Content-Length: x"), refused(400)),
    Case("bad-on-1.0", "9112 6.3", with_length("x", version="HTTP/1.0"), refused(400)),
]
