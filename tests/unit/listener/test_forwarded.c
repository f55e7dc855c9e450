/* SPDX-License-Identifier: Apache-2.0 */
/* test_forwarded.c – who the client is behind trusted proxies. Sections are of RFC 7239; XFF stands for
 * what has no standard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "listener/forwarded.h"

#define LINE_BYTES 128
#define CLAIMS_MAX 6

struct walk_case {
    const char *section;
    const char *claims[CLAIMS_MAX]; /* "f ...": Forwarded, "x ...": X-Forwarded-For, "p ...": -Proto */
    const char *outcome;            /* "address port[ https]", or the verdict */
};

/* Trusted: 10/8, 2001:db8:1::/48 and whoever comes by a UNIX socket. */
static struct network trusted[] = {
    {FAMILY_INET, {10}, 8},
    {FAMILY_INET6, {0x20, 0x01, 0x0d, 0xb8, 0, 1}, 48},
    {FAMILY_UNIX, {0}, 0},
};
static const struct network_set proxies = {trusted, sizeof trusted / sizeof *trusted};

static const struct network_client peer = {FAMILY_INET, {10, 0, 0, 1}, 9, false};

/* The claim as a field whose value has a block of its own, so that reading beyond it is seen. */
static struct field field_of(const char *claim) {
    static const struct {
        char letter;
        struct slice name;
    } names[] = {{'f', SLICE("forwarded")},
                 {'x', SLICE("x-forwarded-for")},
                 {'p', SLICE("x-forwarded-proto")},
                 {'r', SLICE("x-real-ip")},
                 {'h', SLICE("x-forwarded-host")}};
    size_t n = strlen(claim) - 2, i = 0;
    char *value = malloc(n > 0 ? n : 1);
    assert_non_null(value);
    memcpy(value, claim + 2, n);
    while (names[i].letter != claim[0])
        i++;
    return (struct field){names[i].name, slice_from(value, n)};
}

static void show(const struct network_client *who, char *line) {
    char text[64] = "unix";
    if (who->family != FAMILY_UNIX)
        assert_non_null(
            inet_ntop(who->family == FAMILY_INET ? AF_INET : AF_INET6, who->address, text, sizeof text));
    snprintf(line, LINE_BYTES, "%s %u%s", text, who->port, who->https ? " https" : "");
}

static void walk(const struct walk_case *c, const struct network_client *from, char *line) {
    struct field claims[CLAIMS_MAX];
    size_t count = 0;
    while (count < CLAIMS_MAX && c->claims[count] != NULL) {
        claims[count] = field_of(c->claims[count]);
        count++;
    }
    struct network_client who = *from;
    enum forwarded_verdict v = forwarded_read(&proxies, claims, count, &who);
    if (v != FORWARDED_TRUSTED)
        assert_memory_equal(&who, from, sizeof who);
    show(&who, line);
    if (v != FORWARDED_TRUSTED)
        strcpy(line, v == FORWARDED_STRANGER ? "stranger" : "conflict");
    for (size_t i = 0; i < count; i++)
        free((char *)claims[i].value.p);
}

static void check(const struct walk_case *c, const struct network_client *from) {
    char line[LINE_BYTES];
    walk(c, from, line);
    if (strcmp(line, c->outcome) != 0)
        fail_msg("section %s: %s, %s gives %s and not %s", c->section, c->claims[0] ? c->claims[0] : "-",
                 c->claims[1] ? c->claims[1] : "-", line, c->outcome);
}

#define CHECK(table)                                                \
    for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
    check(&(table)[i], &peer)

static const struct walk_case standard[] = {
    {"4", {NULL}, "10.0.0.1 9"},
    {"4", {"f for=192.0.2.43"}, "192.0.2.43 0"},
    {"4", {"f For=192.0.2.43;Proto=HTTPS;By=203.0.113.43"}, "192.0.2.43 0 https"},
    {"4", {"f for=192.0.2.60;proto=http;by=203.0.113.43"}, "192.0.2.60 0"},
    {"4", {"f for=\"[2001:db8:cafe::17]:4711\""}, "2001:db8:cafe::17 4711"},
    {"4", {"f for=\"192.0.2.43:47011\""}, "192.0.2.43 47011"},
    {"4", {"f for=\"192.0.2.43:_gazonk\""}, "192.0.2.43 0"},
    {"4", {"f for=\"192.0.2.43\";proto=\"https\""}, "192.0.2.43 0 https"},
    {"4", {"f for=\"\\1\\92.0.2.4\\3\";proto=\"h\\ttps\""}, "192.0.2.43 0 https"},
    {"4", {"f ;for=192.0.2.43; ;proto=https;"}, "192.0.2.43 0 https"},
    {"4", {"f for=192.0.2.43 ; proto=https"}, "192.0.2.43 0 https"},
    {"4", {"f x=\"a,b;c\\\"d\";for=192.0.2.43;secret=\"\""}, "192.0.2.43 0"},
    /* lists: from the right, while trusted */
    {"4", {"f for=192.0.2.43, for=198.51.100.17"}, "198.51.100.17 0"},
    {"4", {"f for=192.0.2.43,for=10.0.0.2"}, "192.0.2.43 0"},
    {"4", {"f for=192.0.2.43", "f for=10.0.0.2"}, "192.0.2.43 0"},
    {"4", {"f for=6.6.6.6, for=192.0.2.43, for=10.0.0.2", "f for=10.0.0.3"}, "192.0.2.43 0"},
    {"4", {"f for=192.0.2.43,,\t, for=10.0.0.2,", "f ", "f ,"}, "192.0.2.43 0"},
    {"4", {"f for=10.0.0.3, for=10.0.0.2"}, "10.0.0.3 0"}, /* the leftmost */
    {"4", {"f for=192.0.2.43, for=\"[2001:db8:1::1]:5\""}, "192.0.2.43 0"},
    {"4", {"f for=192.0.2.43, for=\"[::ffff:10.0.0.2]\""}, "192.0.2.43 0"},
    {"4", {"f "}, "10.0.0.1 9"},
    /* the scheme is that of the element that was read last */
    {"4", {"f for=192.0.2.43;proto=https, for=10.0.0.2;proto=http"}, "192.0.2.43 0 https"},
    {"4", {"f for=192.0.2.43;proto=http, for=10.0.0.2;proto=https"}, "192.0.2.43 0"},
    {"4", {"f for=192.0.2.43, for=10.0.0.2;proto=https"}, "192.0.2.43 0"},
    {"4", {"f for=6.6.6.6;proto=https, for=192.0.2.43;proto=http"}, "192.0.2.43 0"},
    {"5.4", {"f for=192.0.2.43;proto=ftp"}, "192.0.2.43 0"},
    {"5.4", {"f for=192.0.2.43;proto=\"\""}, "192.0.2.43 0"},
    {"5.4", {"f for=192.0.2.43;proto=httpss"}, "192.0.2.43 0"},
    /* hidden names end the walk at what is known; the scheme beside them counts */
    {"6.2", {"f for=192.0.2.43, for=unknown"}, "10.0.0.1 9"},
    {"6.3", {"f for=_hidden;proto=https"}, "10.0.0.1 9 https"},
    {"6.3", {"f for=\"_SEVKISEK:80\", for=10.0.0.2"}, "10.0.0.2 0"},
    {"5.2", {"f by=203.0.113.43;proto=https"}, "10.0.0.1 9 https"},
    {"5.2", {"f for=192.0.2.43, by=10.0.0.2"}, "10.0.0.1 9"},
    {"5.2", {"f for=\"\""}, "10.0.0.1 9"},
    /* malformed names likewise */
    {"6.1", {"f for=\"2001:db8:cafe::17\""}, "10.0.0.1 9"},
    {"6.1", {"f for=\"[2001:db8:cafe::17\""}, "10.0.0.1 9"},
    {"6.1", {"f for=\"[192.0.2.43]\""}, "10.0.0.1 9"},
    {"6.1", {"f for=\"192.0.2.43:65536\""}, "10.0.0.1 9"},
    {"6.1", {"f for=\"192.0.2.43:\""}, "10.0.0.1 9"},
    {"6.1", {"f for=\"192.0.2.43:_\""}, "10.0.0.1 9"},
    {"6.1", {"f for=\"192.0.2.43:_a b\""}, "10.0.0.1 9"},
    {"6.1", {"f for=\"[2001:db8::1]x\""}, "10.0.0.1 9"},
    {"6.1", {"f for=\"192.0.2.043\""}, "10.0.0.1 9"},
    {"6.1", {"f for=\" 192.0.2.43\""}, "10.0.0.1 9"},
    {"6.1",
     {"f for=\"192.0.2.43                                                            \""},
     "10.0.0.1 9"},
    {"6.1", {"f for=example.org;proto=https"}, "10.0.0.1 9 https"},
    /* malformed elements are as if they and what is left of them were not there */
    {"4", {"f for=192.0.2.43:80"}, "10.0.0.1 9"},
    {"4", {"f for=2001:db8::1"}, "10.0.0.1 9"},
    {"4", {"f for=[2001:db8::1]"}, "10.0.0.1 9"},
    {"4", {"f for 192.0.2.43"}, "10.0.0.1 9"},
    {"4", {"f for= 192.0.2.43"}, "10.0.0.1 9"},
    {"4", {"f for =192.0.2.43"}, "10.0.0.1 9"},
    {"4", {"f =192.0.2.43"}, "10.0.0.1 9"},
    {"4", {"f for="}, "10.0.0.1 9"},
    {"4", {"f 192.0.2.43"}, "10.0.0.1 9"},
    {"4", {"f \""}, "10.0.0.1 9"},
    {"4", {"f for=192.0.2.43\""}, "10.0.0.1 9"},
    {"4", {"f for=\"192.0.2.43"}, "10.0.0.1 9"},
    {"4", {"f for=\"192.0.2.43\\\""}, "10.0.0.1 9"},
    {"4", {"f for=\"192.0.2.43\"x"}, "10.0.0.1 9"},
    {"4", {"f for=192.0.2.43 proto=https"}, "10.0.0.1 9"},
    {"4", {"f for=192.0.2.43;for=192.0.2.44"}, "10.0.0.1 9"},
    {"4", {"f for=192.0.2.43;proto=http;proto=https"}, "10.0.0.1 9"},
    {"4", {"f for=192.0.2.43, nonsense", "f for=10.0.0.2"}, "10.0.0.2 0"},
    {"4", {"f for=192.0.2.43, for=10.0.0.3;, x, for=10.0.0.2"}, "10.0.0.2 0"},
    /* what strangers wrote at the left cannot swallow what the proxy added */
    {"8.1", {"f for=\"6.6.6.6, for=192.0.2.43"}, "192.0.2.43 0"},
    {"8.1", {"f for=\"6.6.6.6, for=\"[2001:db8:2::7]:4711\""}, "2001:db8:2::7 4711"},
    {"8.1", {"f for=\"\\, for=192.0.2.43"}, "192.0.2.43 0"},
    {"8.1", {"f for=6.6.6.6;x=\"", "f for=192.0.2.43"}, "192.0.2.43 0"},
    {"8.1", {"f for=6.6.6.6;, for=192.0.2.43"}, "192.0.2.43 0"},
};

static const struct walk_case by_custom[] = {
    {"XFF", {"x 192.0.2.43"}, "192.0.2.43 0"},
    {"XFF", {"x 192.0.2.43:4711"}, "192.0.2.43 4711"},
    {"XFF", {"x 2001:db8:2::7"}, "2001:db8:2::7 0"},
    {"XFF", {"x [2001:db8:2::7]"}, "2001:db8:2::7 0"},
    {"XFF", {"x [2001:db8:2::7]:4711"}, "2001:db8:2::7 4711"},
    {"XFF", {"x ::1"}, "::1 0"},
    {"XFF", {"x ::ffff:192.0.2.43"}, "192.0.2.43 0"},
    {"XFF", {"x 6.6.6.6, 192.0.2.43"}, "192.0.2.43 0"},
    {"XFF", {"x 6.6.6.6, 192.0.2.43 ,\t10.0.0.9 , 10.0.0.2"}, "192.0.2.43 0"},
    {"XFF", {"x 6.6.6.6, 192.0.2.43", "r 7.7.7.7", "x 10.0.0.2"}, "192.0.2.43 0"},
    {"XFF", {"x 192.0.2.43,,10.0.0.2,", "x ", "x  , "}, "192.0.2.43 0"},
    {"XFF", {"x 10.0.0.9, 10.0.0.2"}, "10.0.0.9 0"},
    {"XFF", {"x "}, "10.0.0.1 9"},
    {"XFF", {"x 192.0.2.43, unknown"}, "10.0.0.1 9"},
    {"XFF", {"x 192.0.2.43, _hidden, 10.0.0.2"}, "10.0.0.2 0"},
    {"XFF", {"x 192.0.2.43, nonsense, 10.0.0.2"}, "10.0.0.2 0"},
    {"XFF", {"x nonsense, 192.0.2.43, 10.0.0.2"}, "192.0.2.43 0"},
    {"XFF", {"x \"192.0.2.43\""}, "10.0.0.1 9"},
    {"XFF", {"x for=192.0.2.43"}, "10.0.0.1 9"},
    {"XFF", {"x 192.0.2.43 10.0.0.2"}, "10.0.0.1 9"},
    {"XFF", {"x 192.0.2.43:"}, "10.0.0.1 9"},
    {"XFF", {"x 192.0.2.43:99999"}, "10.0.0.1 9"},
    {"XFF", {"x 192.0.2.43:_a"}, "10.0.0.1 9"},
    {"XFF", {"x [2001:db8::1"}, "10.0.0.1 9"},
    {"XFF", {"x 2001:db8::1]"}, "10.0.0.1 9"},
    {"XFF", {"x []"}, "10.0.0.1 9"},
    {"XFF", {"x ["}, "10.0.0.1 9"},
    {"XFF", {"x :"}, "10.0.0.1 9"},
    {"XFF", {"x ::"}, ":: 0"},
    {"XFF", {"r 6.6.6.6", "h evil.example"}, "10.0.0.1 9"},
    /* the scheme: one for all, or one for each */
    {"XFF", {"p https"}, "10.0.0.1 9 https"},
    {"XFF", {"p HTTPS", "x 192.0.2.43"}, "192.0.2.43 0 https"},
    {"XFF", {"x 6.6.6.6, 192.0.2.43", "p https"}, "192.0.2.43 0 https"},
    {"XFF", {"x 192.0.2.43, 10.0.0.2", "p https"}, "192.0.2.43 0 https"},
    {"XFF", {"x 192.0.2.43", "p http"}, "192.0.2.43 0"},
    {"XFF", {"x 192.0.2.43, 10.0.0.2", "p https, http"}, "192.0.2.43 0 https"},
    {"XFF", {"x 192.0.2.43, 10.0.0.2", "p http", "p https"}, "192.0.2.43 0"},
    {"XFF", {"x 6.6.6.6, 192.0.2.43", "p https, http"}, "192.0.2.43 0"},
    {"XFF", {"x unknown, 10.0.0.2", "p https, http"}, "10.0.0.2 0 https"},
    {"XFF", {"x 192.0.2.43", "p https, https"}, "192.0.2.43 0"},
    {"XFF", {"x 192.0.2.43, 10.0.0.2, 10.0.0.3", "p https, https"}, "192.0.2.43 0"},
    {"XFF", {"p https, https"}, "10.0.0.1 9"},
    {"XFF", {"p "}, "10.0.0.1 9"},
    {"XFF", {"p wss"}, "10.0.0.1 9"},
    {"XFF", {"p httpsx"}, "10.0.0.1 9"},
    {"XFF", {"x 192.0.2.43", "p ,https,"}, "192.0.2.43 0 https"},
};

static const struct walk_case both[] = {
    {"7.4", {"f for=192.0.2.43", "x 192.0.2.43"}, "192.0.2.43 0"},
    {"7.4", {"x 192.0.2.43:80, 10.0.0.2", "f for=\"192.0.2.43:90\""}, "192.0.2.43 90"},
    {"7.4", {"f for=192.0.2.43;proto=http", "x 192.0.2.43", "p https"}, "192.0.2.43 0"},
    {"7.4", {"f for=192.0.2.43", "p https"}, "192.0.2.43 0"},
    {"7.4", {"f for=6.6.6.6", "x 192.0.2.43"}, "conflict"},
    {"7.4", {"f for=unknown", "x 192.0.2.43"}, "conflict"},
    {"7.4", {"f ", "x 192.0.2.43"}, "conflict"},
    {"7.4", {"f for=192.0.2.43", "x unknown"}, "conflict"},
    {"7.4", {"f for=192.0.2.43", "x "}, "conflict"},
    {"7.4", {"f nonsense", "x unknown"}, "10.0.0.1 9"},
};

static void test_walks_forwarded_when_the_peer_is_trusted(void **state) {
    (void)state;
    CHECK(standard);
}

static void test_walks_the_older_fields_when_there_is_no_forwarded(void **state) {
    (void)state;
    CHECK(by_custom);
}

static void test_refuses_to_choose_when_both_fields_differ(void **state) {
    (void)state;
    CHECK(both);
}

static void test_believes_nothing_when_the_peer_is_a_stranger(void **state) {
    static const struct network_client strangers[] = {
        {FAMILY_INET, {192, 0, 2, 1}, 9, false},
        {FAMILY_INET, {11, 0, 0, 1}, 9, true},
        {FAMILY_INET6, {0x20, 0x01, 0x0d, 0xb8, 0, 2}, 9, false},
    };
    char line[LINE_BYTES];
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < sizeof standard / sizeof *standard; i++) {
            walk(&standard[i], &strangers[k], line);
            assert_string_equal(line, "stranger");
        }
        for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
            walk(&both[i], &strangers[k], line);
            assert_string_equal(line, "stranger");
        }
    }
}

static void test_walks_on_when_the_peer_has_no_address(void **state) {
    static const struct network_client local = {.family = FAMILY_UNIX};
    static const struct walk_case cases[] = {
        {"4", {"f for=192.0.2.43;proto=https"}, "192.0.2.43 0 https"},
        {"4", {"f for=unix"}, "unix 0"},
        {"XFF", {"x 6.6.6.6, 2001:db8:2::7, 2001:db8:1::1", "p https"}, "2001:db8:2::7 0 https"},
        {"XFF", {"x unix:"}, "unix 0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i], &local);
}

static void test_keeps_the_connections_scheme_when_nobody_names_one(void **state) {
    static const struct network_client tls = {FAMILY_INET, {10, 0, 0, 1}, 9, true};
    static const struct walk_case cases[] = {
        {"5.4", {NULL}, "10.0.0.1 9 https"},
        {"5.4", {"f for=192.0.2.43"}, "192.0.2.43 0 https"},
        {"5.4", {"f for=192.0.2.43;proto=http"}, "192.0.2.43 0"},
        {"5.4", {"f for=192.0.2.43, for=10.0.0.2;proto=http"}, "192.0.2.43 0 https"},
        {"XFF", {"x 192.0.2.43"}, "192.0.2.43 0 https"},
        {"XFF", {"x 192.0.2.43", "p http, http"}, "192.0.2.43 0 https"},
        {"XFF", {"x 192.0.2.43", "p http"}, "192.0.2.43 0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i], &tls);
}

/* hops names, all of them trusted; the leftmost is 10.9.9.9. */
static void walk_hops(const char *first, const char *next, size_t hops, char *line) {
    static char text[4096];
    size_t n = (size_t)sprintf(text, "%s", first);
    for (size_t i = 1; i < hops; i++)
        n += (size_t)sprintf(text + n, "%s", next);
    struct walk_case c = {"-", {text}, ""};
    walk(&c, &peer, line);
}

static void test_stops_when_there_are_more_hops_than_anyone_has(void **state) {
    char line[LINE_BYTES];
    (void)state;
    walk_hops("x 10.9.9.9", ",10.0.0.2", FORWARDED_HOPS_MAX, line);
    assert_string_equal(line, "10.9.9.9 0");
    walk_hops("x 10.9.9.9", ",10.0.0.2", FORWARDED_HOPS_MAX + 1, line);
    assert_string_equal(line, "10.0.0.2 0");
    walk_hops("f for=10.9.9.9", ",for=10.0.0.2", FORWARDED_HOPS_MAX, line);
    assert_string_equal(line, "10.9.9.9 0");
    walk_hops("f for=10.9.9.9", ",for=10.0.0.2", FORWARDED_HOPS_MAX + 1, line);
    assert_string_equal(line, "10.0.0.2 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks_forwarded_when_the_peer_is_trusted),
        cmocka_unit_test(test_walks_the_older_fields_when_there_is_no_forwarded),
        cmocka_unit_test(test_refuses_to_choose_when_both_fields_differ),
        cmocka_unit_test(test_believes_nothing_when_the_peer_is_a_stranger),
        cmocka_unit_test(test_walks_on_when_the_peer_has_no_address),
        cmocka_unit_test(test_keeps_the_connections_scheme_when_nobody_names_one),
        cmocka_unit_test(test_stops_when_there_are_more_hops_than_anyone_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
