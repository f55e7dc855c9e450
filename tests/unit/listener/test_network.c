/* SPDX-License-Identifier: Apache-2.0 */
/* test_network.c – addresses, ports, and who is in a set of networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "listener/network.h"

struct text_case {
    struct slice text;
    const char *outcome; /* "4 hex" or "6 hex", NULL: refused */
};

static const struct text_case addresses[] = {
    {SLICE("127.0.0.1"), "1 7f0000010000000000000000"},
    {SLICE("0.0.0.0"), "1 000000000000000000000000"},
    {SLICE("255.255.255.255"), "1 ffffffff0000000000000000"},
    {SLICE("256.0.0.1"), NULL},
    {SLICE("01.2.3.4"), NULL},
    {SLICE("1.2.3.04"), NULL},
    {SLICE("1.2.3"), NULL},
    {SLICE("1.2.3.4.5"), NULL},
    {SLICE("1.2.3.4."), NULL},
    {SLICE(" 1.2.3.4"), NULL},
    {SLICE("1.2.3.4 "), NULL},
    {SLICE("1.2.3.4\0"), NULL},
    {SLICE("0x7f.0.0.1"), NULL},
    {SLICE("2130706433"), NULL},
    {SLICE("+1.2.3.4"), NULL},
    {SLICE(""), NULL},
    {SLICE("::"), "2 000000000000000000000000"},
    {SLICE("2001:db8::1"), "2 20010db80000000000000000"},
    {SLICE("2001:DB8:0:0:0:0:0:1"), "2 20010db80000000000000000"},
    {SLICE("::ffff:192.0.2.7"), "1 c00002070000000000000000"},
    {SLICE("::ffff:c000:207"), "1 c00002070000000000000000"},
    {SLICE("::192.0.2.7"), "2 000000000000000000000000"},
    {SLICE("2001:db8::1::2"), NULL},
    {SLICE("2001:db8"), NULL},
    {SLICE(":1"), NULL},
    {SLICE("12345::"), NULL},
    {SLICE("fe80::1%eth0"), NULL},
    {SLICE("[::1]"), NULL},
    {SLICE("1:2:3:4:5:6:7:8:9"), NULL},
    {SLICE("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"), "2 ffffffffffffffffffffffff"},
    {SLICE("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2550"), NULL},
    {SLICE("localhost"), NULL},
};

static void test_reads_addresses_when_they_are_canonical_enough(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        const struct text_case *c = &addresses[i];
        char *copy = malloc(c->text.n > 0 ? c->text.n : 1); /* reading past it is seen */
        assert_non_null(copy);
        memcpy(copy, c->text.p, c->text.n);
        struct network_client who, before;
        memset(&who, 0x5a, sizeof who);
        who.https = true;
        before = who;
        bool read = network_read_address(slice_from(copy, c->text.n), &who);
        char line[40] = "refused";
        size_t n = read ? (size_t)sprintf(line, "%u ", who.family) : 0;
        for (size_t k = 0; read && k < 12; k++)
            n += (size_t)sprintf(line + n, "%02x", who.address[k]);
        if (strcmp(line, c->outcome ? c->outcome : "refused") != 0)
            fail_msg("%s gives %s", c->text.p, line);
        if (!read)
            assert_memory_equal(&who, &before, sizeof who);
        assert_int_equal(who.port, 0x5a5a);
        assert_true(who.https);
        free(copy);
    }
}

static void test_reads_ports_when_they_are_canonical(void **state) {
    static const struct {
        const char *text;
        int port; /* -1: refused */
    } cases[] = {{"0", 0},      {"80", 80},  {"65535", 65535}, {"65536", -1},
                 {"99999", -1}, {"080", -1}, {"00", -1},       {"", -1},
                 {"-1", -1},    {"+1", -1},  {"1a", -1},       {" 1", -1},
                 {"1 ", -1},    {"0x1", -1}, {"100000", -1},   {"18446744073709551617", -1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t port = 7;
        bool read = network_read_port(slice_text(cases[i].text), &port);
        if (read != (cases[i].port >= 0) || port != (read ? cases[i].port : 7))
            fail_msg("%s gives %d", cases[i].text, read ? port : -1);
    }
}

/* "10.0.0.0/8" or "unix". */
static struct network network(const char *text) {
    struct network n = {.family = FAMILY_UNIX};
    char address[64];
    unsigned bits;
    if (strcmp(text, "unix") == 0)
        return n;
    assert_int_equal(sscanf(text, "%63[^/]/%u", address, &bits), 2);
    n.family = strchr(address, ':') ? FAMILY_INET6 : FAMILY_INET;
    n.bits = (uint16_t)bits;
    assert_int_equal(inet_pton(n.family == FAMILY_INET ? AF_INET : AF_INET6, address, n.address), 1);
    return n;
}

static const struct {
    const char *network, *address;
    bool has;
} memberships[] = {
    {"10.0.0.0/8", "10.0.0.0", true},
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"10.1.2.3/8", "10.200.0.1", true}, /* what stands behind the bits does not count */
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.8/31", "192.0.2.9", true},
    {"192.0.2.8/31", "192.0.2.10", false},
    {"192.0.2.8/32", "192.0.2.8", true},
    {"192.0.2.8/32", "192.0.2.9", false},
    {"0.0.0.0/0", "255.1.2.3", true},
    {"0.0.0.0/0", "::1", false},
    {"0.0.0.0/0", "::ffff:1.2.3.4", true},
    {"10.0.0.0/33", "10.0.0.0", false}, /* more bits than there are: nobody */
    {"10.0.0.0/65535", "10.0.0.0", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "1.2.3.4", false},
    {"::/0", "::ffff:1.2.3.4", false},
    {"::1/128", "::1", true},
    {"::1/128", "::2", false},
    {"::1/128", "0.0.0.1", false},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"2001:db8::/129", "2001:db8::", false},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "11.1.2.3", false},
    {"::ffff:10.0.0.0/96", "11.1.2.3", true},
    {"::ffff:10.0.0.0/104", "::10.1.2.3", false},
    {"::ffff:10.0.0.0/129", "10.0.0.0", false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"unix", "unix", true},
    {"unix", "0.0.0.0", false},
    {"0.0.0.0/0", "unix", false},
    {"::/0", "unix", false},
};

static void test_knows_its_members_when_borders_are_near(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof memberships / sizeof *memberships; i++) {
        struct network items[] = {network("203.0.113.0/24"), network(memberships[i].network)};
        const char *text = memberships[i].address;
        bool v6 = strchr(text, ':') != NULL, unix_one = strcmp(text, "unix") == 0;
        uint8_t *address = malloc(v6 ? 16 : 4);
        assert_non_null(address);
        if (!unix_one)
            assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, text, address), 1);
        uint8_t family = unix_one ? FAMILY_UNIX : v6 ? FAMILY_INET6 : FAMILY_INET;
        struct network_set both = {items, 2}, other = {items, 1};
        if (network_set_has(&both, family, address) != memberships[i].has)
            fail_msg("%s in %s", text, memberships[i].network);
        assert_false(network_set_has(&other, family, address));
        free(address);
    }
}

static void test_contains_nobody_when_the_set_is_empty(void **state) {
    const struct network_set none = {NULL, 0};
    const uint8_t address[16] = {0};
    (void)state;
    assert_false(network_set_has(&none, FAMILY_UNIX, NULL));
    assert_false(network_set_has(&none, FAMILY_INET, address));
    assert_false(network_set_has(&none, FAMILY_INET6, address));
}

static void test_trusts_nobody_when_a_family_is_none(void **state) {
    struct network item = {.family = FAMILY_NONE};
    const struct network_set set = {&item, 1};
    const uint8_t address[16] = {0};
    (void)state;
    assert_false(network_set_has(&set, FAMILY_NONE, address));
    assert_false(network_set_has(&set, FAMILY_INET, address));
    assert_false(network_set_has(&set, 200, address));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_addresses_when_they_are_canonical_enough),
        cmocka_unit_test(test_reads_ports_when_they_are_canonical),
        cmocka_unit_test(test_knows_its_members_when_borders_are_near),
        cmocka_unit_test(test_contains_nobody_when_the_set_is_empty),
        cmocka_unit_test(test_trusts_nobody_when_a_family_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
