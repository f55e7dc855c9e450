# SPDX-License-Identifier: Apache-2.0
"""Field lines: RFC 9112 section 5, RFC 9110 sections 5 and 7.6.1; and what no client may say."""
from conformance.case import Case, answered, get, post, refused, seen


def value(name, why, sent, got):
    return Case(name, why, get("/", f"X: {sent}"), seen(fields={"x": got}))


def refuse(name, why, *lines):
    return Case(name, why, get("/", *lines), refused(400))


def dropped(name, why, line, *more):
    """The vhost does not see the field."""
    return Case(name, why, get("/", line, *more), seen(fields={line.partition(":")[0].lower(): None}))


CASES = [
    value("value", "9110 5.5", "b", "b"),
    value("value-trimmed", "9112 5.1", " \t b \t ", "b"),
    value("value-inner-space", "9110 5.5", "b  c\td", "b  c\td".replace("\t", "<09>")),
    value("value-empty", "9110 5.5", "", ""),
    value("value-blank", "9110 5.5", " \t ", ""),
    value("value-colon", "9112 5", ": b: c", ": b: c"),
    value("value-visible", "9110 5.5", "\"(),/:;<=>?@[\\]{}!", "\"(),/:;<3c>=>?@[\\]{}!"),
    value("value-latin", "9110 5.5: obs-text is opaque", "caf\xe9", "caf<e9>"),
    value("value-broken-utf8", "9110 5.5: obs-text is opaque", "\x80\xff", "<80><ff>"),
    Case("value-no-space", "9112 5", get("/", "X:b"), seen(fields={"x": "b"})),
    Case("name-case", "9110 5.1", get("/", "X-nAmE: b"), seen(fields={"x-name": "b"})),
    Case("name-token", "9110 5.6.2", get("/", "!#$%&'*+-.^_`|~09aZ: b"), seen(fields={"!#$%&'*+-.^_`|~09az": "b"})),
    Case("lines-joined", "9110 5.3", get("/", "X: 1", "Y: 2", "x: 3", "X:"), seen(fields={"x": "1, 3, ", "y": "2"})),
    Case("cookies-joined", "9113 8.2.3, 6265 4.2.1", get("/", "Cookie: a=1", "Cookie: b=2"), seen(fields={"cookie": "a=1; b=2"})),
    Case("many", "9110 5.4", get("/", *(f"f{i}: {i}" for i in range(20))), seen(fields={f"f{i}": str(i) for i in range(20)})),
    refuse("space-before-colon", "9112 5.1", "X : b"),
    refuse("tab-before-colon", "9112 5.1", "X\t: b"),
    refuse("no-colon", "9112 5", "X"),
    refuse("no-name", "9112 5", ": b"),
    refuse("space-in-name", "9112 5", "X Y: b"),
    refuse("nul-in-name", "9110 5.1", "X\0: b"),
    refuse("control-in-name", "9110 5.1", "X\x01: b"),
    refuse("del-in-name", "9110 5.1", "X\x7f: b"),
    refuse("latin-in-name", "9110 5.1", "X\xe9: b"),
    refuse("quoted-name", "9110 5.1", '"X": b'),
    refuse("bracket-in-name", "9110 5.1", "X[0]: b"),
    refuse("slash-in-name", "9110 5.1", "X/Y: b"),
    refuse("cr-in-name", "9110 5.1", "X\rY: b"),
    refuse("fold", "9112 5.2", "X: b\r\n c"),
    refuse("fold-tab", "9112 5.2", "X: b\r\n\tc"),
    refuse("fold-empty", "9112 5.2", "X: b\r\n "),
    refuse("fold-hides-length", "9112 5.2, attack: request smuggling", "X: b\r\n Content-Length: 5"),
    refuse("nul-in-value", "9110 5.5", "X: a\0b"),
    refuse("cr-in-value", "9110 5.5", "X: a\rb"),
    refuse("cr-at-value-end", "9110 5.5", "X: a\r"),
    refuse("lf-in-value", "9110 5.5", "X: a\nb"),
    refuse("lf-forges-field", "9112 2.2, attack: request smuggling", "X: a\nContent-Length: 5"),
    refuse("cr-forges-field", "9112 2.2, attack: request smuggling", "X: a\rContent-Length: 5"),
    refuse("bell-in-value", "9110 5.5", "X: a\x07"),
    refuse("vertical-tab-in-value", "9110 5.5", "X: a\x0bb"),
    refuse("escape-in-value", "9110 5.5", "X: \x1b[2J"),
    refuse("unit-separator-in-value", "9110 5.5", "X: a\x1f"),
    refuse("del-in-value", "9110 5.5", "X: a\x7f"),
    # Hop by hop, 9110 7.6.1
    dropped("hop-connection", "9110 7.6.1", "Connection: keep-alive"),
    dropped("hop-keep-alive", "9110 7.6.1", "Keep-Alive: timeout=5"),
    dropped("hop-te", "9110 10.1.4", "TE: trailers", "Connection: TE"),
    dropped("hop-upgrade", "9110 7.8: may be ignored", "Upgrade: websocket", "Connection: upgrade"),
    dropped("hop-h2c", "9113 3.1: no longer an upgrade", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings",
            "HTTP2-Settings: AAMAAABkAAQAAP__"),
    dropped("hop-settings", "9110 7.6.1", "HTTP2-Settings: AAMAAABkAAQAAP__", "Connection: HTTP2-Settings"),
    dropped("hop-proxy-connection", "9110 7.6.1", "Proxy-Connection: keep-alive"),
    dropped("hop-trailer", "9110 6.6.2: trailers are not passed on", "Trailer: x"),
    dropped("hop-named", "9110 7.6.1", "X-Hop: b", "Connection: x-hop"),
    dropped("hop-named-before", "9110 7.6.1", "X-Hop: b", "Connection: a , X-HOP"),
    Case("hop-named-exactly", "9110 7.6.1", get("/", "X-Hop: b", "X-Hops: c", "Connection: x-hop"),
         seen(fields={"x-hop": None, "x-hops": "c"})),
    Case("hop-named-twice", "9110 7.6.1", get("/", "A: 1", "B: 2", "Connection: a", "Connection: b"),
         seen(fields={"a": None, "b": None})),
    refuse("hop-host", "9110 7.6.1, attack: fields that a proxy strips", "Connection: host"),
    refuse("hop-length", "9110 7.6.1, attack: fields that a proxy strips", "Connection: Content-Length"),
    refuse("hop-authorization", "9110 7.6.1, attack: fields that a proxy strips", "Authorization: b", "Connection: authorization"),
    refuse("hop-cookie", "9110 7.6.1, attack: fields that a proxy strips", "Connection: close, cookie"),
    refuse("connection-malformed", "9110 7.6.1: options are tokens", "Connection: a b"),
    refuse("connection-quoted", "9110 7.6.1", 'Connection: "close"'),
    Case("connection-empty", "9110 5.6.1.2: empty members are ignored", get("/", "Connection: , ,"), seen()),
    Case("connection-none", "9110 5.6.1.2", get("/", "Connection:"), seen()),
    refuse("connection-flood", "9110 5.6.1.2: a reasonable number", "Connection: " + "," * 40),
    # What only this server, or a proxy that it trusts, may say
    dropped("own-tag", "attack: a tag of the parsing policy", "Luttpd-Bot: no"),
    dropped("own-tag-case", "attack: a tag of the parsing policy", "LUTTPD-ADMIN: yes"),
    dropped("claim-forwarded", "7239 8.1: from a stranger", "Forwarded: for=10.0.0.1;proto=https"),
    dropped("claim-for", "7239 8.1: from a stranger", "X-Forwarded-For: 10.0.0.1"),
    dropped("claim-proto", "7239 8.1: from a stranger", "X-Forwarded-Proto: https"),
    dropped("claim-host", "7239 8.1: from a stranger", "X-Forwarded-Host: other.test"),
    dropped("claim-port", "7239 8.1: from a stranger", "X-Forwarded-Port: 443"),
    dropped("claim-real-ip", "7239 8.1: from a stranger", "X-Real-IP: 10.0.0.1"),
    Case("length-with-underscore", "attack: request smuggling, where a CGI reads _ as -",
         get("/", "Content_Length: 5", method="POST"), refused(400)),
    Case("coding-with-underscore", "attack: request smuggling, where a CGI reads _ as -",
         get("/", "Transfer_Encoding: chunked", method="POST"), refused(400)),
    dropped("own-tag-underscore", "attack: a tag, where a CGI reads _ as -", "Luttpd_Bot: no"),
    dropped("claim-underscore", "attack: a claim, where a CGI reads _ as -", "X_Forwarded_For: 10.0.0.1"),
    Case("date-kept", "9110 6.6.1", get("/", "Date: today"), seen(fields={"date": "today"})),
    Case("range-kept", "9110 14.2", get("/", "Range: bytes=0-1"), seen(fields={"range": "bytes=0-1"})),
    Case("authorization-kept", "9110 11.6.2", get("/", "Authorization: Basic YQ=="), seen(fields={"authorization": "Basic YQ=="})),
    Case("page-html", "9110 12.5.1", get("https://a/", "Accept: text/html"),
         answered(421, after="any", fields={"content-type": "text/html; charset=utf-8"})),
    Case("page-json", "9110 12.5.1", get("https://a/", "Accept: application/json"),
         answered(421, after="any", fields={"content-type": "application/json"})),
    Case("max-forwards", "9110 7.6.2: this is no intermediary", get("/", "Max-Forwards: 0", method="OPTIONS"), seen(method="OPTIONS")),
    Case("content-type-kept", "9110 8.3", post(b"{}", "Content-Type: application/json"),
         seen(body="{}", fields={"content-type": "application/json"})),
]
