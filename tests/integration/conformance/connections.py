# SPDX-License-Identifier: Apache-2.0
"""Persistence and pipelining: RFC 9112 section 9."""
from conformance.case import SILENCE, Case, answered, chunked, get, post, refused, seen


def one(name, why, lines, after, version="HTTP/1.1"):
    return Case(name, why, get("/", *lines, version=version), seen(after=after))


CASES = [
    one("default", "9112 9.3", [], "open"),
    one("keep-alive", "9112 9.3", ["Connection: keep-alive"], "open"),
    one("unknown-option", "9110 7.6.1", ["Connection: whatever"], "open"),
    one("close", "9112 9.6", ["Connection: close"], "closed"),
    one("close-case", "9110 7.6.1", ["connection: CLOSE"], "closed"),
    one("close-in-list", "9112 9.6", ["Connection: x, close ,y"], "closed"),
    one("close-in-second-line", "9110 5.3", ["Connection: x", "Connection: close"], "closed"),
    one("close-wins", "9112 9.3: close is looked at first", ["Connection: keep-alive, close"], "closed"),
    one("close-inside-option", "9110 7.6.1: another option", ["Connection: closed, close-not"], "open"),
    one("1.0", "9112 9.3", [], "closed", "HTTP/1.0"),
    one("1.0-keep-alive", "9112 9.3", ["Connection: keep-alive"], "open", "HTTP/1.0"),
    one("1.0-keep-alive-case", "9112 9.3", ["Connection: Keep-Alive"], "open", "HTTP/1.0"),
    one("1.0-both", "9112 9.3", ["Connection: keep-alive, close"], "closed", "HTTP/1.0"),
    one("1.0-proxy-connection", "9112 C.2.2: not for this server", ["Proxy-Connection: keep-alive"], "closed", "HTTP/1.0"),
    one("keep-alive-field", "9112 C.2.2: nothing but parameters", ["Keep-Alive: timeout=1, max=1"], "open"),
    Case("two", "9112 9.3.2", get("/1") + get("/2"), seen(path="/1") + seen(path="/2")),
    Case("three-mixed", "9112 9.3.2", get("/1") + post(b"abc", target="/2") + chunked("1\r\nd\r\n0\r\n\r\n"),
         seen(path="/1") + seen(path="/2", body="abc") + seen(path="/", body="d")),
    Case("seven", "9112 9.3.2", b"".join(get(f"/{i}") for i in range(7)), sum((seen(path=f"/{i}") for i in range(1, 7)), seen(path="/0"))),
    Case("head-between", "9112 9.3.2, 9110 9.3.2", get("/1") + get("/2", method="HEAD") + get("/3"),
         seen(path="/1") + seen(head=True) + seen(path="/3")),
    Case("no-content-between", "9112 9.3.2, 6.3", get("/1") + get("/script/status/204") + get("/3"),
         seen(path="/1") + answered(204, body=b"") + seen(path="/3")),
    Case("vhosts-in-turn", "each request by its own Host", get("/1") + get("/2", host="other.test") + get("/3"),
         seen(site="echo") + seen(site="other", path="/2") + seen(site="echo", path="/3")),
    Case("empty-line-between", "9112 2.2: behind content, from old clients", post(b"abc") + b"\r\n" + get("/2"),
         seen(body="abc") + seen(path="/2")),
    Case("bad-second", "9112 9.3: only the second is refused", get("/1") + b"GET  /2 HTTP/1.1\r\n\r\n", seen(path="/1") + refused(400)),
    Case("bad-second-content", "9112 9.3", get("/1") + chunked("x"), seen(path="/1") + refused(400)),
    Case("close-then-more", "9112 9.6: no more is read", get("/1", "Connection: close") + get("/2"), seen(path="/1", after="closed")),
    Case("1.0-then-more", "9112 9.3", get("/1", version="HTTP/1.0") + get("/2"), seen(path="/1", after="closed")),
    Case("keep-alive-1.0-then-1.1", "9112 9.3", get("/1", "Connection: keep-alive", version="HTTP/1.0") + get("/2"),
         seen(path="/1") + seen(path="/2")),
    Case("smuggled-by-length", "attack: request smuggling", post(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n") + get("/2"),
         seen(body="GET /x HTTP/1.1<0d><0a>Host: a<0d><0a><0d><0a>") + seen(path="/2")),
    Case("length-too-short", "9112 9.3: the rest is no request", post(b"abc") + b"{}", seen(body="abc") + refused(400)),
    Case("unread-content", "9112 9.3: content that nobody read is no request",
         post(get("/x"), target="/script/unread"), answered(200, after="any", body=b"content")),
    Case("nothing", "9112 9.4: a connection without a request", b"", SILENCE),
    Case("half-line", "9112 8", b"GET / HT", SILENCE),
    Case("half-field", "9112 8", b"GET / HTTP/1.1\r\nHost: a\r\nX: y", SILENCE),
    Case("no-end", "9112 8", b"GET / HTTP/1.1\r\nHost: a\r\n", SILENCE),
    Case("half-end", "9112 8", b"GET / HTTP/1.1\r\nHost: a\r\n\r", SILENCE),
    Case("empty-line-alone", "9112 2.2", b"\r\n", SILENCE),
    Case("half-second", "9112 8: the first is answered", get("/1") + b"GET /2", seen(path="/1") + SILENCE),
]
