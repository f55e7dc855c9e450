# SPDX-License-Identifier: Apache-2.0
"""The default limits, at their last byte and one beyond: 414, 431, 400, 413; RFC 6585 section 5."""
from conformance.case import Case, answered, chunked, get, refused, seen

TARGET_MAX = 8192
PATH_MAX = 4096
HEAD_MAX = 16384
FIELDS_MAX = 128
EXTENSIONS_MAX = 4096
TRAILER_MAX = 4096


def head_of(size):
    """A request of exactly so many bytes."""
    return get("/", "X: " + "a" * (size - len(get("/", "X: "))))


def fields_of(count):
    """A request with so many field lines, Host among them."""
    return get("/", *(f"f{i}: {i}" for i in range(count - 1)))


def extensions_of(size):
    return chunked("1;" + "e" * (size - 1) + "\r\na\r\n0\r\n\r\n")


def trailer_of(size):
    """A trailer section of so many bytes, the empty line at its end counted (which it need not be)."""
    return chunked("1\r\na\r\n0\r\nx: " + "t" * (size - 7) + "\r\n\r\n")


CASES = [
    Case("target", "9110 4.1: 8000 bytes at least", get("/" + "a" * (PATH_MAX - 1) + "?" + "q" * (TARGET_MAX - PATH_MAX - 1)),
         seen(path="/" + "a" * (PATH_MAX - 1), query="q" * (TARGET_MAX - PATH_MAX - 1))),
    Case("path-above", "9110 15.5.15: no longer than the name of a file", get("/" + "a" * PATH_MAX), answered(414, after="any")),
    Case("target-above", "9110 15.5.15", get("/" + "a" * TARGET_MAX), refused(414)),
    Case("target-query-above", "9110 15.5.15", get("/?" + "a" * (TARGET_MAX - 1)), refused(414)),
    Case("target-endless", "9110 15.5.15", b"GET /" + b"a" * 60000, refused(414)),
    Case("head", "6585 5", head_of(HEAD_MAX), seen(path="/")),
    Case("head-above", "6585 5", head_of(HEAD_MAX + 1), refused(431)),
    Case("head-many-fields", "6585 5", get("/", *("X: " + "a" * 1000 for _ in range(20))), refused(431)),
    Case("head-one-field", "6585 5", get("/", "X: " + "a" * 60000), refused(431)),
    Case("head-name", "6585 5", get("/", "x" * 60000 + ": a"), refused(431)),
    Case("fields", "6585 5", fields_of(FIELDS_MAX), seen(fields={"f126": "126"})),
    Case("fields-above", "6585 5", fields_of(FIELDS_MAX + 1), refused(431)),
    Case("extensions", "9112 7.1.1", extensions_of(EXTENSIONS_MAX), seen(body="a")),
    Case("extensions-above", "9112 7.1.1: bounded", extensions_of(EXTENSIONS_MAX + 1), refused(400)),
    Case("extensions-in-sum", "9112 7.1.1: of all chunks together", chunked(("1;" + "e" * 99 + "\r\na\r\n") * 42 + "0\r\n\r\n"), refused(400)),
    Case("trailer", "9112 7.1.2", trailer_of(TRAILER_MAX), seen(body="a")),
    Case("trailer-above", "6585 5", trailer_of(TRAILER_MAX + 3), refused(431)),
    Case("chunk-above", "9110 15.5.14: a chunk of more than 1 GiB", chunked("40000001\r\nabc"), refused(413)),
    Case("chunks-above", "9110 15.5.14: with the chunk before it", chunked("3\r\nabc\r\n3ffffffe\r\nabc"), refused(413)),
    Case("method", "9110 15.6.2", get("/", method="M" * 40), refused(501)),
]
