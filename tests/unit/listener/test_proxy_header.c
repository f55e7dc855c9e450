/* SPDX-License-Identifier: Apache-2.0 */
/* test_proxy_header.c – the PROXY protocol, split at every byte. Sections are of its specification
 * (2.1: the human-readable header, 2.2: the binary one). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "listener/proxy_header.h"

#define LINE_BYTES 128
#define PEER "10.0.0.1 9"

struct header_case {
    const char *section;
    struct slice bytes;
    const char *outcome; /* "address port[ https]/bytes left", "more", or the reason */
};

/* The outcome for a buffer of exactly n bytes. Returns what the reader returned. */
static int feed(struct slice bytes, size_t n, char *line) {
    struct network_client who = {.family = FAMILY_INET, .address = {10, 0, 0, 1}, .port = 9};
    char *buf = malloc(n > 0 ? n : 1), text[64] = "unix";
    const char *reason = NULL;
    assert_non_null(buf);
    memcpy(buf, bytes.p, n);
    int rc = proxy_header_read(buf, n, &who, &reason);
    free(buf);
    assert_true(rc <= (int)n && rc <= PROXY_HEADER_MAX_BYTES && (rc >= 0) == (reason == NULL));
    if (who.family != FAMILY_UNIX)
        assert_non_null(
            inet_ntop(who.family == FAMILY_INET ? AF_INET : AF_INET6, who.address, text, sizeof text));
    for (size_t i = who.family == FAMILY_INET6 ? 16 : who.family == FAMILY_INET ? 4 : 0; i < 16; i++)
        assert_int_equal(who.address[i], 0);
    snprintf(line, LINE_BYTES, "%s %u%s/%zu", text, who.port, who.https ? " https" : "",
             bytes.n - (size_t)(rc > 0 ? rc : 0));
    if (rc <= 0) {
        assert_memory_equal(line, PEER "/", sizeof PEER);
        snprintf(line, LINE_BYTES, "%s", rc == 0 ? "more" : reason);
    }
    return rc;
}

static void check(const struct header_case *c) {
    char whole[LINE_BYTES], part[LINE_BYTES];
    int rc = feed(c->bytes, c->bytes.n, whole);
    if (strcmp(whole, c->outcome) != 0)
        fail_msg("section %s: %.*s gives %s and not %s", c->section, (int)c->bytes.n, c->bytes.p, whole,
                 c->outcome);
    bool decided = false; /* once decided, decided the same way for good; and never more than needed */
    for (size_t n = 0; n <= c->bytes.n; n++) {
        int now = feed(c->bytes, n, part);
        if (now == 0 ? decided : now != rc || strcmp(part, whole) != 0)
            fail_msg("section %s: %s after %zu bytes, and %s in the end", c->section, part, n, whole);
        decided = decided || now != 0;
        if (now == 0 && rc > 0)
            assert_true(n < (size_t)rc);
    }
}

#define CHECK(table)                                                \
    for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
    check(&(table)[i])

#define ALL_F "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static const struct header_case version_1[] = {
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\nGET /"), "192.0.2.7 4711/5"},
    {"2.1", SLICE("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255 65535/0"},
    {"2.1", SLICE("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0 0/0"},
    {"2.1", SLICE("PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n\r\n"), "2001:db8::7 4711/2"},
    {"2.1", SLICE("PROXY TCP6 " ALL_F " " ALL_F " 65535 65535\r\n"), ALL_F " 65535/0"},
    {"2.1", SLICE("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "192.0.2.7 1/0"},
    {"2.1", SLICE("PROXY UNKNOWN\r\nGET"), PEER "/3"},
    {"2.1", SLICE("PROXY UNKNOWN " ALL_F " " ALL_F " 65535 65535\r\n"), PEER "/0"},
    {"2.1", SLICE("PROXY UNKNOWN what ever  it is\r\n"), PEER "/0"},
    /* exactly 107 bytes, and one more */
    {"2.1", SLICE("PROXY UNKNOWN " FIFTY TEN TEN TEN TEN "1\r\n"), PEER "/0"},
    {"2.1", SLICE("PROXY UNKNOWN " FIFTY TEN TEN TEN TEN "12\r\n"), "line too long"},
    {"2.1", SLICE("PROXY UNKNOWN " FIFTY FIFTY FIFTY), "line too long"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80"), "more"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r"), "more"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\n"), "control byte in the line"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\r\n"), "bare CR"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\rX"), "bare CR"},
    {"2.1", SLICE("PROXY UNKNOWN \0\r\n"), "control byte in the line"},
    {"2.1", SLICE("PROXY UNKNOWN \t\r\n"), "control byte in the line"},
    {"2.1", SLICE("PROXY UNKNOWN \xff\r\n"), "control byte in the line"},
    {"2.1", SLICE("PROXY UNKNOWN \x7f\r\n"), "control byte in the line"},
    {"2.1", SLICE("GET / HTTP/1.1\r\n"), "no PROXY header"},
    {"2.1", SLICE("proxy TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"), "no PROXY header"},
    {"2.1", SLICE(" PROXY UNKNOWN\r\n"), "no PROXY header"},
    {"2.1", SLICE("PROXYUNKNOWN\r\n"), "no PROXY header"},
    {"2.1", SLICE("PROX"), "more"},
    {"2.1", SLICE("PROXZ"), "no PROXY header"},
    {"2.1", SLICE(""), "more"},
    {"2.1", SLICE("PROXY \r\n"), "unknown protocol"},
    {"2.1", SLICE("PROXY  TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"), "unknown protocol"},
    {"2.1", SLICE("PROXY UNKNOWNS\r\n"), "unknown protocol"},
    {"2.1", SLICE("PROXY UDP4 192.0.2.7 198.51.100.1 4711 80\r\n"), "unknown protocol"},
    {"2.1", SLICE("PROXY TCP5 192.0.2.7 198.51.100.1 4711 80\r\n"), "unknown protocol"},
    {"2.1", SLICE("PROXY tcp4 192.0.2.7 198.51.100.1 4711 80\r\n"), "unknown protocol"},
    {"2.1", SLICE("PROXY TCP4\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 \r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 \r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80 \r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80 1\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7  198.51.100.1 4711 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 04711 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 4711 080\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 65536 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100.1 -1 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.07 198.51.100.1 1 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.256 198.51.100.1 1 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 198.51.100 1 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 2001:db8::7 2001:db8::1 1 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP6 192.0.2.7 198.51.100.1 1 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP6 2001:db8::7 198.51.100.1 1 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP4 192.0.2.7 ::1 1 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP6 [2001:db8::7] [2001:db8::1] 1 80\r\n"), "malformed address or port"},
    {"2.1", SLICE("PROXY TCP6 fe80::1%eth0 ::1 1 80\r\n"), "malformed address or port"},
};

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2(command, family, length) SIGNATURE command family length
#define INET_BLOCK "\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x67\x00\x50"
#define SOURCE6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
#define INET6_BLOCK SOURCE6 SOURCE6 "\x12\x67\x00\x50"
#define ZEROS_54 \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define PROXY4(length, tlvs) SLICE(V2("\x21", "\x11", length) INET_BLOCK tlvs)

static const struct header_case version_2[] = {
    {"2.2", SLICE(V2("\x21", "\x11", "\0\x0c") INET_BLOCK "GET"), "192.0.2.7 4711/3"},
    {"2.2", SLICE(V2("\x21", "\x21", "\0\x24") INET6_BLOCK "GET"), "2001:db8::7 4711/3"},
    {"2.2", SLICE(V2("\x21", "\x31", "\0\xd8") ZEROS_54 ZEROS_54 ZEROS_54 ZEROS_54 "GET"), "unix 0/3"},
    {"2.2", SLICE(V2("\x21", "\x00", "\0\0") "GET"), PEER "/3"},
    {"2.2", SLICE(V2("\x21", "\x00", "\0\x03") "any"), PEER "/0"},
    {"2.2", SLICE(V2("\x20", "\x00", "\0\0")), PEER "/0"},
    {"2.2", SLICE(V2("\x20", "\x11", "\0\x0c") INET_BLOCK), PEER "/0"},
    {"2.2", SLICE(V2("\x20", "\xff", "\0\x03") "any"), PEER "/0"},
    {"2.2", SLICE(V2("\x21", "\x11", "\0\x0c") "\xc0\x00\x02"), "more"},
    {"2.2", SLICE("\r\n\r\n\0\r\nQUIT"), "more"},
    {"2.2", SLICE("\r\n\r\n\0\r\nQUIS"), "no PROXY header"},
    {"2.2", SLICE("\r\nGET / HTTP/1.1\r\n"), "no PROXY header"},
    {"2.2", SLICE("\r\n\r\n\r\n"), "no PROXY header"},
    {"2.2", SLICE(V2("\x11", "\x11", "\0\x0c") INET_BLOCK), "unknown version or command"},
    {"2.2", SLICE(V2("\x31", "\x11", "\0\x0c") INET_BLOCK), "unknown version or command"},
    {"2.2", SLICE(V2("\x22", "\x11", "\0\x0c") INET_BLOCK), "unknown version or command"},
    {"2.2", SLICE(V2("\x21", "\x12", "\0\x0c") INET_BLOCK), "unknown family or transport"},
    {"2.2", SLICE(V2("\x21", "\x22", "\0\x24") INET6_BLOCK), "unknown family or transport"},
    {"2.2", SLICE(V2("\x21", "\x32", "\0\xd8")), "unknown family or transport"},
    {"2.2", SLICE(V2("\x21", "\x10", "\0\x0c") INET_BLOCK), "unknown family or transport"},
    {"2.2", SLICE(V2("\x21", "\x01", "\0\x0c") INET_BLOCK), "unknown family or transport"},
    {"2.2", SLICE(V2("\x21", "\x41", "\0\x0c") INET_BLOCK), "unknown family or transport"},
    {"2.2", SLICE(V2("\x21", "\x13", "\0\x0c") INET_BLOCK), "unknown family or transport"},
    {"2.2", SLICE(V2("\x21", "\x11", "\0\x0b") INET_BLOCK), "addresses do not fit"},
    {"2.2", SLICE(V2("\x21", "\x11", "\0\0")), "addresses do not fit"},
    {"2.2", SLICE(V2("\x21", "\x21", "\0\x0c") INET_BLOCK), "addresses do not fit"},
    {"2.2", SLICE(V2("\x21", "\x31", "\0\xd7")), "addresses do not fit"},
    {"2.2", SLICE(V2("\x21", "\x11", "\x10\x01")), "header too long"},
    {"2.2", SLICE(V2("\x20", "\x00", "\xff\xff")), "header too long"},
    {"2.2", SLICE(V2("\x21", "\x11", "\x10\x00")), "more"},
    /* TLVs */
    {"2.2", PROXY4("\0\x0f", "\x04\0\0"), "192.0.2.7 4711/0"},
    {"2.2", PROXY4("\0\x14", "\x01\0\x02h2\x04\0\0"), "192.0.2.7 4711/0"},
    {"2.2", PROXY4("\0\x10", "\x04\0\0X"), "TLVs do not fit"},
    {"2.2", PROXY4("\0\x0d", "\x04"), "TLVs do not fit"},
    {"2.2", PROXY4("\0\x0e", "\x04\0"), "TLVs do not fit"},
    {"2.2", PROXY4("\0\x0f", "\x04\0\1X"), "TLVs do not fit"},
    {"2.2", PROXY4("\0\x0f", "\x04\xff\xff"), "TLVs do not fit"},
    {"2.2.4", PROXY4("\0\x14", "\x20\0\x05\x01\0\0\0\0"), "192.0.2.7 4711 https/0"},
    {"2.2.4", PROXY4("\0\x14", "\x20\0\x05\x07\0\0\0\0"), "192.0.2.7 4711 https/0"},
    {"2.2.4", PROXY4("\0\x14", "\x20\0\x05\x06\0\0\0\0"), "192.0.2.7 4711/0"},
    {"2.2.4", PROXY4("\0\x19", "\x20\0\x0a\x01\0\0\0\0\x21\0\x02v1"), "192.0.2.7 4711 https/0"},
    {"2.2.4", PROXY4("\0\x17", "\x20\0\x08\x01\0\0\0\0\x21\0\x02v1"), "malformed SSL TLV"},
    {"2.2.4", PROXY4("\0\x15", "\x20\0\x06\x01\0\0\0\0\x21"), "malformed SSL TLV"},
    {"2.2.4", PROXY4("\0\x13", "\x20\0\x04\x01\0\0\0"), "malformed SSL TLV"},
    {"2.2.4", PROXY4("\0\x0f", "\x20\0\0"), "malformed SSL TLV"},
    {"2.2.4", PROXY4("\0\x1c", "\x20\0\x05\x01\0\0\0\0\x20\0\x05\x01\0\0\0\0"), "TLV comes twice"},
    {"2.2.3", PROXY4("\0\x13", "\x03\0\x04\x24\x8d\x9b\x28"), "192.0.2.7 4711/0"},
    {"2.2.3", PROXY4("\0\x13", "\x03\0\x04\x24\x8d\x9b\x29"), "wrong checksum"},
    {"2.2.3", PROXY4("\0\x13", "\x03\0\x04\0\0\0\0"), "wrong checksum"},
    {"2.2.3", PROXY4("\0\x12", "\x03\0\x03\0\0\0"), "malformed checksum"},
    {"2.2.3", PROXY4("\0\x14", "\x03\0\x05\0\0\0\0\0"), "malformed checksum"},
    {"2.2.3", PROXY4("\0\x1a", "\x03\0\x04\0\0\0\0\x03\0\x04\0\0\0\0"), "wrong checksum"},
};

static void test_reads_version_1_when_it_is_strictly_so(void **state) {
    (void)state;
    CHECK(version_1);
}

static void test_reads_version_2_when_it_is_strictly_so(void **state) {
    (void)state;
    CHECK(version_2);
}

/* Written down once more, in another way: a table for each byte. */
static uint32_t crc32c(const uint8_t *p, size_t n) {
    uint32_t table[256], crc = 0xffffffff;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int k = 0; k < 8; k++)
            table[i] = table[i] & 1 ? 0x82f63b78 ^ table[i] >> 1 : table[i] >> 1;
    }
    for (size_t i = 0; i < n; i++)
        crc = table[(crc ^ p[i]) & 0xff] ^ crc >> 8;
    return crc ^ 0xffffffff;
}

/* The largest header that is taken, with a checksum and https behind the padding. */
static size_t build_largest(uint8_t *out) {
    struct slice head = PROXY4("\x10\x00", "");
    size_t n = PROXY_HEADER_MAX_BYTES, padding = n - head.n - 3 - 8 - 7;
    memset(out, 'x', n);
    memcpy(out, head.p, head.n);
    memcpy(out + head.n, (uint8_t[]){4, (uint8_t)(padding >> 8), (uint8_t)padding}, 3);
    memcpy(out + n - 15, "\x20\0\x05\x01\0\0\0\0\x03\0\x04\0\0\0\0", 15);
    uint32_t crc = crc32c(out, n);
    for (int i = 0; i < 4; i++)
        out[n - 4 + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
    return n;
}

static void test_checks_the_sum_when_the_header_is_the_largest(void **state) {
    static uint8_t bytes[PROXY_HEADER_MAX_BYTES];
    char line[LINE_BYTES];
    (void)state;
    assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
    size_t n = build_largest(bytes);
    struct header_case good = {"2.2.3", slice_from((const char *)bytes, n), "192.0.2.7 4711 https/0"};
    check(&good);
    for (size_t i = 100; i < n; i += 97) { /* any byte that changes is seen */
        bytes[i] ^= 4;
        assert_int_equal(feed(good.bytes, n, line), -EBADMSG);
        assert_string_equal(line, "wrong checksum");
        bytes[i] ^= 4;
    }
}

static void test_refuses_a_second_sum_when_the_first_is_right(void **state) {
    static const char head[] = V2("\x21", "\x11", "\0\x1a") INET_BLOCK "\x03\0\x04\0\0\0\0\x03\0\x04\0\0\0\0";
    uint8_t bytes[sizeof head - 1];
    char line[LINE_BYTES];
    (void)state;
    memcpy(bytes, head, sizeof bytes);
    uint32_t crc = crc32c(bytes, sizeof bytes);
    for (int i = 0; i < 4; i++)
        bytes[31 + i] = (uint8_t)(crc >> (24 - 8 * i));
    feed(slice_from((const char *)bytes, sizeof bytes), sizeof bytes, line);
    assert_string_equal(line, "TLV comes twice");
}

static void test_keeps_https_when_the_header_does_not_speak_of_it(void **state) {
    const struct slice headers[] = {PROXY4("\0\x0c", ""), SLICE("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n")};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct network_client who = {.family = FAMILY_UNIX, .https = true};
        const char *reason = NULL;
        assert_int_equal(proxy_header_read(headers[i].p, headers[i].n, &who, &reason), headers[i].n);
        assert_int_equal(who.family, FAMILY_INET);
        assert_true(who.https);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_version_1_when_it_is_strictly_so),
        cmocka_unit_test(test_reads_version_2_when_it_is_strictly_so),
        cmocka_unit_test(test_checks_the_sum_when_the_header_is_the_largest),
        cmocka_unit_test(test_refuses_a_second_sum_when_the_first_is_right),
        cmocka_unit_test(test_keeps_https_when_the_header_does_not_speak_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
