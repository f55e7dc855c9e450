# SPDX-License-Identifier: Apache-2.0
"""Host: RFC 9110 section 7.2, RFC 9112 section 3.2."""
from conformance.case import Case, get, refused, seen


def with_host(*lines, target="/", version="HTTP/1.1"):
    return get(target, *lines, host=None, version=version)


def asks(name, why, value, host, **more):
    return Case(name, why, with_host(f"Host: {value}"), seen(host=host, **more))


def refuse(name, why, *values):
    return Case(name, why, with_host(*(f"Host: {value}" for value in values)), refused(400))


CASES = [
    asks("plain", "9110 7.2", "other.test", "other.test", site="other"),
    asks("port", "9110 7.2", "other.test:8080", "other.test:8080", site="other"),
    asks("port-zero", "3986 3.2.3", "other.test:0", "other.test:0", site="other"),
    asks("port-empty", "3986 3.2.3: a port may be empty", "other.test:", "other.test:", site="other"),
    asks("case", "3986 6.2.2.1", "OTHER.Test", "other.test", site="other"),
    asks("final-dot", "1034 3.1: the root", "other.test.", "other.test.", site="other"),
    asks("wildcard", "9110 7.2", "x.wild.test", "x.wild.test", site="other"),
    asks("address", "3986 3.2.2", "127.0.0.1:80", "127.0.0.1:80", site="echo"),
    asks("address-6", "3986 3.2.2", "[2001:DB8::1]:80", "[2001:db8::1]:80", site="echo"),
    asks("underscore", "3986 3.2.2", "a_b", "a_b"),
    asks("longest", "1035 2.3.4", ".".join(["a" * 63] * 3 + ["b" * 63]), ".".join(["a" * 63] * 3 + ["b" * 63])),
    Case("lower-name", "9110 5.1", with_host("hOsT: b"), seen(host="b")),
    Case("no-space", "9112 5", with_host("Host:b"), seen(host="b")),
    Case("spaces-around", "9112 5", with_host("Host: \t b \t "), seen(host="b")),
    Case("later", "9110 5.3: order does not matter", with_host("X: y", "Host: b"), seen(host="b", fields={"x": "y"})),
    Case("none-1.0", "9112 3.2: only 1.1 needs one", with_host(version="HTTP/1.0"), seen(site="echo", after="closed")),
    Case("one-1.0", "9112 3.2", with_host("Host: other.test", version="HTTP/1.0"), seen(site="other", after="closed")),
    Case("two-1.0", "9112 3.2", with_host("Host: a", "Host: b", version="HTTP/1.0"), refused(400)),
    Case("none", "9112 3.2", with_host(), refused(400)),
    refuse("two", "9112 3.2", "a", "b"),
    refuse("two-equal", "9112 3.2", "a", "a"),
    refuse("two-one-empty", "9112 3.2", "a", ""),
    refuse("empty", "9110 4.2.1: http has no empty host", ""),
    refuse("blank", "9110 4.2.1", "  \t "),
    refuse("port-alone", "9110 7.2", ":80"),
    refuse("port-text", "3986 3.2.3", "a:b"),
    refuse("port-sign", "3986 3.2.3", "a:-1"),
    refuse("port-hex", "3986 3.2.3", "a:0x50"),
    refuse("port-large", "9110 7.2", "a:65536"),
    refuse("port-huge", "9110 7.2", "a:4294967376"),
    refuse("two-ports", "3986 3.2.3", "a:80:80"),
    refuse("userinfo", "9110 7.2: uri-host and port only", "u@a"),
    refuse("list", "9110 7.2", "a, b"),
    refuse("space", "3986 3.2.2", "a b"),
    refuse("tab", "3986 3.2.2", "a\tb"),
    refuse("scheme", "9110 7.2", "http://a"),
    refuse("path", "9110 7.2", "a/b"),
    refuse("query", "9110 7.2", "a?b"),
    refuse("fragment", "9110 7.2", "a#b"),
    refuse("backslash", "hosts read in two ways", "a\\b"),
    refuse("percent", "hosts read in two ways", "%61"),
    refuse("quoted", "9110 7.2", '"a"'),
    refuse("latin", "3986 3.2.2", "\xe9"),
    refuse("utf8", "3986 3.2.2", "\xc3\xa9.test"),
    refuse("nul", "9110 5.5", "a\0b"),
    refuse("two-dots", "1034 3.1: no empty label", "a..b"),
    refuse("first-dot", "1034 3.1", ".a"),
    refuse("only-dot", "1034 3.1", "."),
    refuse("bare-address-6", "3986 3.2.2: in brackets", "::1"),
    refuse("open-bracket", "3986 3.2.2", "[::1"),
    refuse("close-bracket", "3986 3.2.2", "::1]"),
    refuse("empty-brackets", "3986 3.2.2", "[]"),
    refuse("no-address", "3986 3.2.2", "[::g]"),
    refuse("zone", "6874: zones are not for the wire", "[fe80::1%25eth0]"),
    refuse("future-address", "3986 3.2.2: of no version that is known", "[v9.a]"),
    refuse("behind-bracket", "3986 3.2.2", "[::1]a"),
    refuse("too-long", "1035 2.3.4", "a" * 256),
    refuse("wildcard-sent", "a pattern is no name", "*.wild.test"),
    Case("space-before-colon", "9112 5.1", with_host("Host : a"), refused(400)),
    Case("folded", "9112 5.2", with_host("Host: a\r\n b"), refused(400)),
    Case("hidden-behind-fold", "9112 5.2", with_host("X: y\r\n\tHost: a"), refused(400)),
    Case("underscored-name", "9112 3.2: Host_ is another field", with_host("Host_: a"), refused(400)),
]
