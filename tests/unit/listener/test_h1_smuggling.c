/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_smuggling.c – requests by which two servers in a row are made to disagree about where one ends,
 * who it is for, or what it asks: each is refused here, with its section, or read in the one way shown. */
#include "head_cases.h"

#define TAIL "@a #a 1.1 keep | host: a"
#define RAW(text) SLICE(text)
#define FIRST "GET / HTTP/1.1\r\n"

/* The coding is hidden from one of the two servers. */
static const struct head_case hidden_codings[] = {
    {"9112 5.1", WITH("Transfer-Encoding\t: chunked"), "400 malformed field name"},
    {"9112 5.1", WITH("Transfer-Encoding\x0b: chunked"), "400 malformed field name"},
    {"9112 5.1", WITH("Transfer-Encoding\0: chunked"), "400 malformed field name"},
    {"9112 5.1", WITH("Transfer-Encoding\xa0: chunked"), "400 malformed field name"},
    {"9112 5.1", WITH("Transfer-Encoding\r\n : chunked"), "400 malformed field name"},
    {"9112 5.1", WITH("Transfer-Encoding=chunked"), "400 malformed field name"},
    {"9112 5.2", WITH("Transfer-Encoding:\r\n chunked"), "400 malformed Transfer-Encoding"},
    {"9112 5.2", WITH("X: y\r\n Transfer-Encoding: chunked"), "400 line folding"},
    {"9112 5.2", WITH("X: y\r\n\tTransfer-Encoding: chunked"), "400 line folding"},
    {"9112 2.2", WITH("X: y\rTransfer-Encoding: chunked"), "400 bare CR"},
    {"9112 2.2", WITH("X: y\nTransfer-Encoding: chunked"), "400 control byte"},
    {"9112 2.2", WITH("X: y\r\r\nTransfer-Encoding: chunked"), "400 bare CR"},
    {"9112 2.2", WITH("X: y\n\rTransfer-Encoding: chunked"), "400 control byte"},
    {"9112 2.2", RAW(FIRST " Transfer-Encoding: chunked\r\nHost: a\r\n\r\n"), "400 line folding"},
    {"9112 2.2", RAW(FIRST "\tHost: a\r\n\r\n"), "400 line folding"},
    {"9110 5.5", WITH("Transfer-Encoding: chunked\0"), "400 control byte"},
    {"9110 5.5",
     WITH("Transfer-Encoding: \x0c"
          "chunked"),
     "400 control byte"},
    {"9112 6.1", WITH("Transfer-Encoding: chunked\xa0"), "400 malformed Transfer-Encoding"},
    {"9112 6.1", WITH("Transfer-Encoding: 'chunked'"), "400 Transfer-Encoding does not end"},
    {"9112 6.1", WITH("Transfer-Encoding: chunke"), "400 Transfer-Encoding does not end"},
    {"9112 6.1", WITH("Transfer-Encoding: chunkedx"), "400 Transfer-Encoding does not end"},
    {"9112 6.1", WITH("Transfer-Encoding: x chunked"), "400 malformed Transfer-Encoding"},
    {"9112 6.1", WITH("Transfer-Encoding: chunked, identity"), "400 malformed Transfer-Encoding"},
    {"9112 6.1", WITH("Transfer-Encoding: identity, chunked"), "501 transfer coding"},
    {"9112 6.1", WITH("Transfer-Encoding: identity\r\nContent-Length: 5"),
     "400 Transfer-Encoding does not end"},
    {"9112 6.1", WITH("Transfer-Encoding: \r\nTransfer-Encoding: chunked"),
     "400 malformed Transfer-Encoding"},
    {"9112 6.1", WITH("TRANSFER-ENCODING: CHUNKED\r\nTransfer-encoding: identity"), "400 more than one"},
    {"9112 6.1", WITH("Transfer_Encoding: chunked"), "400 framing field with underscores"},
    {"9112 6.1", WITH("X-Transfer-Encoding: chunked"), "GET / " TAIL " | x-transfer-encoding: chunked"},
    {"9112 6.1", WITH("Content-Encoding: chunked"), "GET / " TAIL " | content-encoding: chunked"},
    {"9112 6.1", RAW("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
     "400 Transfer-Encoding on HTTP/1.0"},
    {"9110 7.6.1", WITH("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked"),
     "400 Connection names"},
};

/* The length is read in two ways. */
static const struct head_case doubtful_lengths[] = {
    {"9110 8.6", WITH("Content-Length: 5\r\nContent-Length: 05"), "400 more than one"},
    {"9110 8.6", WITH("Content-Length: 5\r\ncontent-length: 5"), "400 more than one"},
    {"9110 8.6", WITH("Content-Length: 5,"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: ,5"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 5;5"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 5e0"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 0b1"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 1_0"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 5\x0b"), "400 control byte"},
    {"9110 8.6", WITH("Content-Length: 5\0"), "400 control byte"},
    {"9110 8.6", WITH("Content-Length: 5\xa0"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: \xef\xbc\x95"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: -0"), "400 Content-Length is not"},
    {"9110 8.6", WITH("Content-Length: 4294967301"),
     "GET / @a #a 1.1 keep body=4294967301 | host: a | content-length: 4294967301"},
    {"9112 5.1", WITH("Content-Length\t: 5"), "400 malformed field name"},
    {"9112 5.1", WITH("Content-Length 5"), "400 malformed field name"},
    {"9112 5.2", WITH("Content-Length: 5\r\n 0"), "400 line folding"},
    {"9112 5.2", WITH("Content-Length:\r\n 5"), "400 empty Content-Length"},
    {"9112 6.3", WITH("Content_Length: 5"), "400 framing field with underscores"},
    {"9110 7.6.1", WITH("Connection: Content-Length\r\nContent-Length: 5"), "400 Connection names"},
};

/* One server takes the request for another host, or another request. */
static const struct head_case doubtful_targets[] = {
    {"9112 3.2", RAW(FIRST "Host: a\r\nHost : b\r\n\r\n"), "400 malformed field name"},
    {"9112 3.2", RAW(FIRST "Host: a\r\n Host: b\r\n\r\n"), "400 line folding"},
    {"9112 3.2", RAW(FIRST "Host: a\r\nX: y\r\nHOST: a\r\n\r\n"), "400 more than one Host"},
    {"9112 3.2", RAW(FIRST "Host:\r\n\r\n"), "400 invalid Host"},
    {"9112 3.2", RAW(FIRST "Host: a\tb\r\n\r\n"), "400 invalid Host"},
    {"9112 3.2", RAW(FIRST "Host: a:80@b\r\n\r\n"), "400 invalid Host"},
    {"9112 3.2", RAW(FIRST "Host: a:80#b\r\n\r\n"), "400 invalid Host"},
    {"9112 3.2", RAW(FIRST "Host: a;b\r\n\r\n"), "400 invalid Host"},
    {"9112 3.2", RAW(FIRST "Host: a%00.b\r\n\r\n"), "400 invalid Host"},
    {"9112 3.2", RAW(FIRST "Host: \"a\"\r\n\r\n"), "400 invalid Host"},
    {"9112 3.2", RAW(FIRST "Host: [::ffff:1.2.3.4%25x]\r\n\r\n"), "400 invalid Host"},
    {"9112 3.2.2", RAW("GET http://b\\@c/ HTTP/1.1\r\nHost: a\r\n\r\n"), "400 invalid authority"},
    {"9112 3.2.2", RAW("GET http://b#@c/ HTTP/1.1\r\nHost: a\r\n\r\n"), "400 invalid authority"},
    {"9112 3.2.2", RAW("GET http://b%2fc/ HTTP/1.1\r\nHost: a\r\n\r\n"), "400 invalid authority"},
    {"9112 3.2.2", RAW("GET http:\\\\b/ HTTP/1.1\r\nHost: a\r\n\r\n"), "400 request-target of no known form"},
    {"9112 3.2.2", RAW("GET http://b/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "400 more than one Host"},
    {"9112 3.2.2", RAW("GET @b/ HTTP/1.1\r\nHost: a\r\n\r\n"), "400 request-target of no known form"},
    {"9112 3.2.2", RAW("GET :80/ HTTP/1.1\r\nHost: a\r\n\r\n"), "400 request-target of no known form"},
    {"9112 3.2.2", RAW("GET urn:a HTTP/1.1\r\nHost: a\r\n\r\n"), "400 request-target of no known form"},
    {"9112 3", RAW("GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed version"},
    {"9112 3", RAW("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed request-target"},
    {"9112 3", RAW("GET /\xa0HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed request-target"},
    {"9112 3", RAW("GET\x0b/ HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed method"},
    {"9112 3", RAW("\0GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed method"},
    {"9112 3", RAW("GET: / HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed method"},
    {"9112 2.3", RAW("GET / HTTP/1.1\0\r\nHost: a\r\n\r\n"), "400 malformed version"},
    {"9112 2.3", RAW("GET / HTTP/01.1\r\nHost: a\r\n\r\n"), "400 malformed version"},
    {"9112 2.3", RAW("GET / HTTP/1.\xd9\xa1\r\nHost: a\r\n\r\n"), "400 malformed version"},
    {"9112 2.2", RAW("\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed method"},
    {"9112 2.2", RAW("\r\n GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "400 malformed method"},
    {"8446 5.1", RAW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "400 malformed method"},
};

/* What makes one of the two wait, close, or drop a field. */
static const struct head_case connections[] = {
    {"9110 10.1.1", WITH("Expect: 100-continue, 100-continue\r\nContent-Length: 5"), "417"},
    {"9110 10.1.1", WITH("Expect: 100-continue;x\r\nContent-Length: 5"), "417"},
    {"9110 10.1.1", WITH("Expect: 100 continue\r\nContent-Length: 5"), "417"},
    {"9110 10.1.1", WITH("Expect: y 100-continue\r\nContent-Length: 5"), "417"},
    {"9110 10.1.1", WITH("Expect : 100-continue\r\nContent-Length: 5"), "400 malformed field name"},
    {"9110 10.1.1", WITH("Expect:\r\n 100-continue\r\nContent-Length: 5"), "417"},
    {"9110 7.6.1", WITH("Connection: keep-alive, Host"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: Expect"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: Authorization"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: X-Real-IP"), "400 Connection names"},
    {"9110 7.6.1", WITH("Connection: close\0"), "400 control byte"},
    {"9110 7.6.1", WITH("Connection: close keep-alive"), "400 malformed Connection"},
    {"9112 9.6", WITH("Connection: keep-alive\r\nConnection: close"),
     "GET / @a #a 1.1 close | host: a || connection: keep-alive | connection: close"},
    {"9110 7.8", WITH("Connection: upgrade\r\nUpgrade: websocket"),
     "GET / " TAIL " || connection: upgrade | upgrade: websocket"},
};

static void test_hidden_codings(void **state) {
    (void)state;
    CHECK_HEADS(hidden_codings);
}

static void test_doubtful_lengths(void **state) {
    (void)state;
    CHECK_HEADS(doubtful_lengths);
}

static void test_doubtful_targets(void **state) {
    (void)state;
    CHECK_HEADS(doubtful_targets);
}

static void test_connection_and_expect(void **state) {
    (void)state;
    CHECK_HEADS(connections);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hidden_codings),
        cmocka_unit_test(test_doubtful_lengths),
        cmocka_unit_test(test_doubtful_targets),
        cmocka_unit_test(test_connection_and_expect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
