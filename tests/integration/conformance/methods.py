# SPDX-License-Identifier: Apache-2.0
"""Methods and expectations: RFC 9110 sections 9 and 10.1.1."""
from conformance.case import Case, answered, chunked, get, post, refused, seen


def passed(method, **more):
    return Case(method.lower(), "9110 9.1: the vhost's own matter", get("/", method=method), seen(method=method, **more))


CASES = [
    passed("PUT"),
    passed("DELETE"),
    passed("PATCH"),
    passed("OPTIONS"),
    passed("POST", body=""),
    Case("head", "9110 9.3.2", get("/", method="HEAD"), seen(head=True)),
    Case("head-1.0", "9110 9.3.2", get("/", method="HEAD", version="HTTP/1.0"), seen(head=True, after="closed")),
    Case("head-lower", "9110 9.1: methods are case-sensitive", get("/", method="head"), seen(method="head")),
    Case("get-lower", "9110 9.1: methods are case-sensitive, so this is not GET", get("/", method="get"), seen(method="get")),
    Case("unknown", "9110 9.1: the vhost's own matter", get("/", method="BREW"), seen(method="BREW")),
    Case("token", "9110 9.1: every token is a method", get("/", method="!#$%&'*+-.^_`|~0"), seen(method="!#$%&'*+-.^_`|~0")),
    Case("trace", "9110 9.3.8: would show what a browser hides", get("/", method="TRACE"),
         answered(405, after="any", fields={"content-type": "text/html; charset=utf-8"})),
    Case("trace-allow", "9110 15.5.6: 405 says what is allowed", get("/", "Cookie: a=1", method="TRACE"),
         answered(405, after="any", fields={"allow": "GET"})),
    Case("trace-content", "9110 9.3.8: TRACE has no content", get("/", "Content-Length: 3", method="TRACE") + b"abc",
         refused(400)),
    Case("connect", "9110 9.3.6: this is no proxy", get("a:80", method="CONNECT"), refused(501)),
    Case("connect-origin", "9112 3.2.3: CONNECT takes an authority", get("/", method="CONNECT"), refused(400, 501)),
    Case("connect-absolute", "9112 3.2.3", get("http://a/", method="CONNECT"), refused(400, 501)),
    Case("connect-other", "attack: a way into the network of the server", get("10.0.0.1:25", method="CONNECT", host="10.0.0.1"), refused(501)),
    Case("expect-with-content", "9110 10.1.1: 100 may be omitted", post(b"abc", "Expect: 100-continue"), seen(body="abc")),
    Case("expect-case", "9110 10.1.1", post(b"abc", "expect: 100-CONTINUE"), seen(body="abc")),
    Case("expect-chunked", "9110 10.1.1", chunked("1\r\na\r\n0\r\n\r\n", "Expect: 100-continue"), seen(body="a")),
    Case("expect-no-content", "9110 10.1.1: no 100 without content", get("/", "Expect: 100-continue"), seen()),
    Case("expect-1.0", "9110 10.1.1: ignored", post(b"abc", "Expect: 100-continue", version="HTTP/1.0"), seen(body="abc", after="closed")),
    Case("expect-hidden", "9110 10.1.1: was answered here", post(b"abc", "Expect: 100-continue"), seen(fields={"expect": None})),
    Case("expect-unknown", "9110 10.1.1: 417", post(b"abc", "Expect: coffee"), answered(417, after="any")),
    Case("expect-list", "9110 10.1.1: one of them cannot be met", post(b"abc", "Expect: 100-continue, coffee"), answered(417, after="any")),
    Case("expect-parameter", "9110 10.1.1", post(b"abc", "Expect: 100-continue;a=b"), answered(417, after="any")),
]
