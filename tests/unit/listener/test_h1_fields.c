/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_fields.c – what field lines mean: host, framing, connection, expectation. */
#include "head_cases.h"

#define HOST(value) SLICE("GET / HTTP/1.1\r\nHost:" value "\r\n\r\n")
#define OLD(lines) SLICE("GET / HTTP/1.0\r\n" lines "\r\n")
#define TAIL "@a #a 1.1 keep"
#define L16 "abcdefghijklmno."
#define L240 L16 L16 L16 L16 L16 L16 L16 L16 L16 L16 L16 L16 L16 L16 L16

static const struct head_case hosts[] = {
    {"9112 3.2", HOST(" Example.ORG"), "GET / @example.org #example.org 1.1 keep | host: example.org"},
    {"9112 3.2", HOST("a:8080"), "GET / @a:8080 #a 1.1 keep | host: a:8080"},
    {"9110 4.2.1", HOST("a:"), "GET / @a: #a 1.1 keep | host: a:"},
    {"9110 7.2", HOST("a.example."), "GET / @a.example. #a.example 1.1 keep | host: a.example."},
    {"9110 7.2", HOST("127.0.0.1:80"), "GET / @127.0.0.1:80 #127.0.0.1 1.1 keep | host: 127.0.0.1:80"},
    {"3986 3.2.2", HOST("[::1]"), "GET / @[::1] #[::1] 1.1 keep | host: [::1]"},
    {"3986 3.2.2", HOST("[2001:DB8::1]:80"),
     "GET / @[2001:db8::1]:80 #[2001:db8::1] 1.1 keep | host: [2001:db8::1]:80"},
    {"3986 3.2.2", HOST("a_b-c.d~e"), "GET / @a_b-c.d~e #a_b-c.d~e 1.1 keep | host: a_b-c.d~e"},
    {"9112 3.2", SLICE("GET / HTTP/1.1\r\n\r\n"), "400 no Host"},
    {"9112 3.2", HOST("a\r\nHost: a"), "400 more than one Host"},
    {"9112 3.2", HOST("a\r\nhost: b"), "400 more than one Host"},
    {"9110 4.2.1", HOST(""), "400 invalid Host"},
    {"9110 4.2.1", HOST(":80"), "400 invalid Host"},
    {"9112 3.2", HOST("a b"), "400 invalid Host"},
    {"9112 3.2", HOST("a,b"), "400 invalid Host"},
    {"9112 3.2", HOST("a/b"), "400 invalid Host"},
    {"9112 3.2", HOST("a@b"), "400 invalid Host"},
    {"9112 3.2", HOST("http://a"), "400 invalid Host"},
    {"9112 3.2", HOST("a?b"), "400 invalid Host"},
    {"9112 3.2", HOST("a#b"), "400 invalid Host"},
    {"9112 3.2", HOST("a\\b"), "400 invalid Host"},
    {"9112 3.2", HOST("a%62"), "400 invalid Host"},
    {"9112 3.2", HOST("a'b"), "400 invalid Host"},
    {"9112 3.2", HOST("<a>"), "400 invalid Host"},
    {"9112 3.2", HOST("\xc3\xa9.org"), "400 invalid Host"},
    {"9112 3.2", HOST("a..b"), "400 invalid Host"},
    {"9112 3.2", HOST(".a"), "400 invalid Host"},
    {"9112 3.2", HOST("."), "400 invalid Host"},
    {"3986 3.2.3", HOST("a:x"), "400 invalid Host"},
    {"3986 3.2.3", HOST("a:65535"), "GET / @a:65535 #a 1.1 keep | host: a:65535"},
    {"3986 3.2.3", HOST("a:65536"), "400 invalid Host"},
    {"3986 3.2.3", HOST("a:000080"), "400 invalid Host"},
    {"3986 3.2.3", HOST("a:80:80"), "400 invalid Host"},
    {"3986 3.2.3", HOST("a:-1"), "400 invalid Host"},
    {"3986 3.2.2", HOST("::1"), "400 invalid Host"},
    {"3986 3.2.2", HOST("[::1"), "400 invalid Host"},
    {"3986 3.2.2", HOST("[]"), "400 invalid Host"},
    {"3986 3.2.2", HOST("[::1]x"), "400 invalid Host"},
    {"3986 3.2.2", HOST("[1.2.3.4]"), "400 invalid Host"},
    {"3986 3.2.2", HOST("[::g]"), "400 invalid Host"},
    {"6874 2", HOST("[fe80::1%25eth0]"), "400 invalid Host"},
    {"3986 3.2.2", HOST("[v1.a]"), "400 invalid Host"},
    {"3986 3.2.2", HOST("[1:2:3:4:5:6:7:8:9:0:1:2:3:4:5:6:7:8:9:0:1:2:3:4]"), "400 invalid Host"},
    {"1035 2.3.4", HOST(L240 "abcdefghijklmno"),
     "GET / @" L240 "abcdefghijklmno #" L240 "abcdefghijklmno 1.1 keep | host: " L240 "abcdefghijklmno"},
    {"1035 2.3.4", HOST(L240 "abcdefghijklmnop"), "400 invalid Host"},
    {"9112 3.2.2", SLICE("GET http://B.example/x HTTP/1.1\r\nHost: a\r\n\r\n"),
     "GET /x @b.example #b.example 1.1 keep absolute | host: b.example"},
    {"9112 3.2.2", SLICE("GET http://b/x HTTP/1.1\r\n\r\n"), "400 no Host"},
    {"9112 3.2.2", SLICE("GET http://b/x HTTP/1.1\r\nHost: a b\r\n\r\n"), "400 invalid Host"},
    {"9112 3.2", OLD(""), "GET / @ # 1.0 close"},
    {"9112 3.2", OLD("Host: a\r\n"), "GET / @a #a 1.0 close | host: a"},
    {"9112 3.2", OLD("Host: a\r\nHost: a\r\n"), "400 more than one Host"},
    {"9112 3.2", OLD("Host: a b\r\n"), "400 invalid Host"},
    {"9112 3.2.2", SLICE("GET http://b HTTP/1.0\r\n\r\n"), "GET / @b #b 1.0 close absolute"},
};

static const struct head_case lengths[] = {
    {"9112 6.2", WITH("Content-Length: 5"), "GET / " TAIL " body=5 | host: a | content-length: 5"},
    {"9112 6.2", WITH("Content-Length:\t5 "), "GET / " TAIL " body=5 | host: a | content-length: 5"},
    {"9112 6.2", WITH("Content-Length: 0"), "GET / " TAIL " | host: a | content-length: 0"},
    {"9112 6.2", WITH("Content-Length: 007"), "GET / " TAIL " body=7 | host: a | content-length: 007"},
    {"9112 6.2", WITH("Content-Length: 9223372036854775799"),
     "GET / " TAIL " body=9223372036854775799 | host: a | content-length: 9223372036854775799"},
    {"9110 8.6", WITH("Content-Length: 9223372036854775808"), "400 Content-Length too large"},
    {"9110 8.6", WITH("Content-Length: 18446744073709551621"), "400 Content-Length too large"},
    {"9110 8.6", WITH("Content-Length: 99999999999999999999999999"), "400 Content-Length too large"},
    {"9110 8.6", WITH("Content-Length:"), "400 empty Content-Length"},
    {"9110 8.6", WITH("Content-Length: +5"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: -5"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 5, 5"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 5 5"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 0x5"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 5.0"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: \"5\""), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: \xd9\xa5"), "400 Content-Length is not"},
    {"9112 6.3", WITH("Content-Length: 5\r\nContent-Length: 5"), "400 more than one Content-Length"},
    {"9112 6.3", WITH("Content-Length: 5\r\nContent-Length: 6"), "400 more than one Content-Length"},
    {"9112 6.3", WITH("Content-Length: 0\r\nContent-Length: 0"), "400 more than one Content-Length"},
    {"9112 6.1", OLD("Content-Length: 5\r\n"), "GET / @ # 1.0 close body=5 | content-length: 5"},
};

static const struct head_case codings[] = {
    {"9112 6.1", WITH("Transfer-Encoding: chunked"),
     "GET / " TAIL " chunked | host: a || transfer-encoding: chunked"},
    {"9112 7", WITH("Transfer-Encoding: Chunked "),
     "GET / " TAIL " chunked | host: a || transfer-encoding: Chunked"},
    {"9112 6.1", WITH("Transfer-Encoding: gzip, chunked"), "501 transfer coding"},
    {"9112 6.1", WITH("Transfer-Encoding: xchunked, chunked"), "501 transfer coding"},
    {"9112 6.3", WITH("Transfer-Encoding: gzip"), "400 Transfer-Encoding does not end"},
    {"9112 6.3", WITH("Transfer-Encoding: identity"), "400 Transfer-Encoding does not end"},
    {"9112 6.3", WITH("Transfer-Encoding: xchunked"), "400 Transfer-Encoding does not end"},
    {"9112 6.3", WITH("Transfer-Encoding: chunked, gzip"), "400 malformed Transfer-Encoding"},
    {"9112 6.1", WITH("Transfer-Encoding: chunked, chunked"), "400 malformed Transfer-Encoding"},
    {"9112 6.1", WITH("Transfer-Encoding: chunked,"), "400 malformed Transfer-Encoding"},
    {"9112 6.1", WITH("Transfer-Encoding: , chunked"), "400 malformed Transfer-Encoding"},
    {"9112 7", WITH("Transfer-Encoding: chunked;a=b"), "400 malformed Transfer-Encoding"},
    {"9112 7", WITH("Transfer-Encoding: chunked chunked"), "400 malformed Transfer-Encoding"},
    {"9112 6.1", WITH("Transfer-Encoding: \"chunked\""), "400 malformed Transfer-Encoding"},
    {"9112 6.1",
     WITH("Transfer-Encoding: \x0b"
          "chunked"),
     "400 control byte"},
    {"9112 6.1",
     WITH("Transfer-Encoding: chunk\xe9"
          "d"),
     "400 malformed Transfer-Encoding"},
    {"9112 6.1", WITH("Transfer-Encoding:"), "400 malformed Transfer-Encoding"},
    {"9112 5.1", WITH("Transfer-Encoding : chunked"), "400 malformed field name"},
    {"9112 6.1", WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
     "400 more than one Transfer-Encoding"},
    {"9112 6.1", WITH("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), "400 Transfer-Encoding"},
    {"9112 6.3", WITH("Transfer-Encoding: chunked\r\nContent-Length: 5"), "400 Content-Length beside"},
    {"9112 6.3", WITH("Content-Length: 5\r\nTransfer-Encoding: chunked"), "400 Transfer-Encoding beside"},
    {"9112 6.3", WITH("Content-Length: 0\r\nTransfer-Encoding: chunked"), "400 Transfer-Encoding beside"},
    {"9112 6.1", OLD("Transfer-Encoding: chunked\r\n"), "400 Transfer-Encoding on HTTP/1.0"},
};

static const struct head_case connections[] = {
    {"9112 9.6", WITH("Connection: close"), "GET / @a #a 1.1 close | host: a || connection: close"},
    {"9112 9.6", WITH("Connection: CLOSE"), "GET / @a #a 1.1 close | host: a || connection: CLOSE"},
    {"9112 9.3", WITH("Connection: keep-alive"), "GET / " TAIL " | host: a || connection: keep-alive"},
    {"9112 9.3", WITH("Connection: keep-alive, close"),
     "GET / @a #a 1.1 close | host: a || connection: keep-alive, close"},
    {"9112 9.3", OLD("Connection: Keep-Alive\r\n"), "GET / @ # 1.0 keep || connection: Keep-Alive"},
    {"9112 9.3", OLD("Connection: close\r\n"), "GET / @ # 1.0 close || connection: close"},
    {"9112 9.3", OLD("Connection: keep-alive\r\nConnection: close\r\n"),
     "GET / @ # 1.0 close || connection: keep-alive | connection: close"},
    {"9112 C.2.2", WITH("Proxy-Connection: close\r\nX: 1"),
     "GET / " TAIL " | host: a | x: 1 || proxy-connection: close"},
    {"9110 7.6.1", WITH("X-Hop: 1\r\nY: 2\r\nConnection: x-hop, te\r\nTE: trailers\r\nZ: 3"),
     "GET / " TAIL " | host: a | y: 2 | z: 3 || x-hop: 1 | connection: x-hop, te | te: trailers"},
    {"9110 7.6.1", WITH("Connection: X-HOP\r\nx-hop: 1\r\nX-Hop: 2"),
     "GET / " TAIL " | host: a || connection: X-HOP | x-hop: 1 | x-hop: 2"},
    {"9110 7.6.1", WITH("Keep-Alive: 5\r\nTE: gzip\r\nTrailer: x\r\nUpgrade: h2c"),
     "GET / " TAIL " | host: a || keep-alive: 5 | te: gzip | trailer: x | upgrade: h2c"},
    {"9110 5.6.1", WITH("Connection: , close ,, "),
     "GET / @a #a 1.1 close | host: a || connection: , close ,,"},
    {"9110 7.6.1", WITH("Cookie: c\r\nA-Rather-Long-Field-Name: 1\r\nConnection: a-rather-long-field-name"),
     "GET / " TAIL " | host: a | cookie: c || a-rather-long-field-name: 1 | connection: "
     "a-rather-long-field-name"},
    {"9110 7.6.1", WITH("Connection: a b"), "400 malformed Connection"},
    {"9110 7.6.1", WITH("Connection: \"close\""), "400 malformed Connection"},
    {"9110 7.6.1", WITH("Connection: close;q=1"), "400 malformed Connection"},
    {"9110 7.6.1", WITH("Connection: Host"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: content-length"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: close, Authorization"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: cookie"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: ,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"), "400 too many connection"},
};

static const struct head_case groups[] = {
    {"7239 4", WITH("Forwarded: for=1\r\nX: 1\r\nX-Forwarded-For: 2\r\nY: 2\r\nX-Real-IP: 3\r\nTE: gzip"),
     "GET / " TAIL
     " | host: a | x: 1 | y: 2 && forwarded: for=1 | x-forwarded-for: 2 | x-real-ip: 3 || te: gzip"},
    {"7239 4", WITH("X-Forwarded-Anything: 1"), "GET / " TAIL " | host: a && x-forwarded-anything: 1"},
    {"7239 4", WITH("X-Forwarded: 1\r\nX-Real-IPs: 2"),
     "GET / " TAIL " | host: a | x-forwarded: 1 | x-real-ips: 2"},
    {"7239 8.1", WITH("X_Forwarded-For: 1\r\nx_real_ip: 2\r\nX-Forwarded_Proto: 3"),
     "GET / " TAIL " | host: a || x_forwarded-for: 1 | x_real_ip: 2 | x-forwarded_proto: 3"},
    {"7239 8.1", WITH("Connection: Forwarded"), "400 Connection names"},
    {"7239 8.1", WITH("Connection: close, x-forwarded-for"), "400 Connection names"},
    {"9110 7.6.1", WITH("Luttpd-Bot: no\r\nluttpd_bot: no\r\nLUTTPD-: x"),
     "GET / " TAIL " | host: a || luttpd-bot: no | luttpd_bot: no | luttpd-: x"},
    {"9110 7.6.1", WITH("Connection: Cache-Control"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: User-Agent"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: transfer-encoding"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: accept-language"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: If-Match"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: date"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: connection"), "GET / " TAIL " | host: a || connection: connection"},
    {"9110 7.6.1", WITH("Connection: luttpd-bot"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"),
     "GET / " TAIL
     " | host: a || connection: Upgrade, HTTP2-Settings | upgrade: h2c | http2-settings: AAMAAABk"},
    {"9112 6.3", WITH("content-lengti: 5\r\ntransfer-encodinh: x\r\nproxy-connectiom: y"),
     "GET / " TAIL " | host: a | content-lengti: 5 | transfer-encodinh: x | proxy-connectiom: y"},
    {"9110 7.6.1", WITH("Luttpd: 1\r\nl: 2"), "GET / " TAIL " | host: a | luttpd: 1 | l: 2"},
    {"9112 6.3", WITH("Content_Length: 5"), "400 framing field with underscores"},
    {"9112 6.3", WITH("Transfer_Encoding: chunked"), "400 framing field with underscores"},
    {"9110 9.3.8", SLICE("TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"),
     "400 TRACE with content"},
};

static const struct head_case expectations[] = {
    {"9110 10.1.1", WITH("Expect: 100-continue\r\nContent-Length: 5"),
     "GET / " TAIL " body=5 continue | host: a | content-length: 5 || expect: 100-continue"},
    {"9110 10.1.1", WITH("Expect: 100-Continue\r\nTransfer-Encoding: chunked"),
     "GET / " TAIL " chunked continue | host: a || expect: 100-Continue | transfer-encoding: chunked"},
    {"9110 10.1.1", WITH("Expect: 100-continue"), "GET / " TAIL " | host: a || expect: 100-continue"},
    {"9110 10.1.1", OLD("Expect: 100-continue\r\nContent-Length: 5\r\n"),
     "GET / @ # 1.0 close body=5 | content-length: 5 || expect: 100-continue"},
    {"9110 15.5.18", WITH("Expect: something"), "417"},
    {"9110 15.5.18", WITH("Expect: 100-continue, x"), "417"},
    {"9110 15.5.18", WITH("Expect:"), "417"},
};

static void test_hosts(void **state) {
    (void)state;
    CHECK_HEADS(hosts);
}

static void test_content_length(void **state) {
    (void)state;
    CHECK_HEADS(lengths);
}

static void test_transfer_encoding(void **state) {
    (void)state;
    CHECK_HEADS(codings);
}

static void test_connection(void **state) {
    (void)state;
    CHECK_HEADS(connections);
}

static void test_groups(void **state) {
    (void)state;
    CHECK_HEADS(groups);
}

static void test_expect(void **state) {
    (void)state;
    CHECK_HEADS(expectations);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_content_length),
        cmocka_unit_test(test_transfer_encoding),
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_expect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
