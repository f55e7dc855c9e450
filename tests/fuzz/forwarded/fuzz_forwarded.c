/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_forwarded.c – any claims: strangers change nothing; the client is a possible one; a list in
 * several lines says the same as in one; and what stands left of an untrusted address does not matter.
 * Each line of the input is a field: f, x or p says which, the rest is its value. The first byte says who
 * asks. */
#include <stdlib.h>

#include "base/must.h"
#include "listener/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLAIMS_MAX 16

static struct network trusted[] = {
    {FAMILY_INET, {10}, 8},
    {FAMILY_INET6, {0x20, 0x01, 0x0d, 0xb8}, 32},
    {FAMILY_UNIX, {0}, 0},
};
static const struct network_set proxies = {trusted, 3};
static const struct network_set everybody = {
    (struct network[]){{FAMILY_INET, {0}, 0}, {FAMILY_INET6, {0}, 0}, {FAMILY_UNIX, {0}, 0}}, 3};
static const struct network_client peers[] = {
    {FAMILY_INET, {10, 0, 0, 1}, 9, false},
    {FAMILY_UNIX, {0}, 0, false},
    {FAMILY_INET6, {0x20, 0x01, 0x0d, 0xb8, 1}, 9, true},
    {FAMILY_INET, {192, 0, 2, 1}, 9, false},
};

/* Lines into fields, each value in a block of its own: reading past it is seen. */
static size_t split(const uint8_t *data, size_t size, struct field *claims) {
    size_t count = 0;
    while (size > 0 && count < CLAIMS_MAX) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t n = end != NULL ? (size_t)(end - data) : size;
        if (n > 0) {
            char *value = malloc(n > 1 ? n - 1 : 1);
            MUST(value != NULL);
            memcpy(value, data + 1, n - 1);
            claims[count++] = (struct field){data[0] == 'f'   ? SLICE("forwarded")
                                             : data[0] == 'x' ? SLICE("x-forwarded-for")
                                             : data[0] == 'p' ? SLICE("x-forwarded-proto")
                                                              : SLICE("x-real-ip"),
                                             slice_from(value, n - 1)};
        }
        n += end != NULL;
        data += n;
        size -= n;
    }
    return count;
}

static bool same(const struct network_client *a, const struct network_client *b) {
    return memcmp(a->address, b->address, 16) == 0 && a->family == b->family && a->port == b->port &&
           a->https == b->https;
}

static enum forwarded_verdict ask(const struct network_set *set, const struct field *claims, size_t count,
                                  const struct network_client *peer, struct network_client *who) {
    *who = *peer;
    enum forwarded_verdict v = forwarded_read(set, claims, count, who);
    MUST((v == FORWARDED_STRANGER) == !network_set_has(set, peer->family, peer->address));
    MUST(v == FORWARDED_TRUSTED || same(who, peer));
    size_t used = who->family == FAMILY_INET6 ? 16 : who->family == FAMILY_INET ? 4 : 0;
    for (size_t i = used; i < 16; i++)
        MUST(who->address[i] == 0);
    return v;
}

/* A stranger's line before the others of that name changes nothing where an untrusted client was found.
 * The list of schemes stays as it is: its length is compared with that of the names. */
static void check_left(const struct field *claims, size_t count, const struct network_client *peer,
                       enum forwarded_verdict v, const struct network_client *who, char name) {
    struct field more[CLAIMS_MAX + 1];
    struct network_client then;
    if (v != FORWARDED_TRUSTED || network_set_has(&proxies, who->family, who->address))
        return;
    struct slice field = name == 'f' ? SLICE("forwarded") : SLICE("x-forwarded-for");
    bool present = false, schemes = false;
    for (size_t i = 0; i < count; i++) {
        present = present || slice_equal(claims[i].name, field);
        schemes = schemes || slice_equal(claims[i].name, SLICE("x-forwarded-proto"));
    }
    if (!present)
        return;
    more[0] = (struct field){field, name == 'f' ? SLICE("for=6.6.6.6;x=\"") : SLICE("6.6.6.6, \"x")};
    memcpy(more + 1, claims, count * sizeof *claims);
    MUST(ask(&proxies, more, count + 1, peer, &then) == FORWARDED_TRUSTED);
    then.https = schemes ? who->https : then.https;
    MUST(same(&then, who));
}

/* All lines of one name joined with commas. */
static void check_joined(const struct field *claims, size_t count, const struct network_client *peer,
                         enum forwarded_verdict v, const struct network_client *who) {
    struct field one[4];
    struct network_client then;
    size_t n = 0, room = 1;
    for (size_t i = 0; i < count; i++)
        room += claims[i].value.n + 1;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < n && !slice_equal(one[k].name, claims[i].name))
            k++;
        if (k == n)
            one[n++] = (struct field){claims[i].name, {malloc(room), 0}};
        char *text = (char *)one[k].value.p;
        MUST(text != NULL);
        if (one[k].value.n > 0)
            text[one[k].value.n++] = ',';
        memcpy(text + one[k].value.n, claims[i].value.p, claims[i].value.n);
        one[k].value.n += claims[i].value.n;
    }
    bool quotes = false; /* of a quoted string over two lines only the joined text has both ends */
    for (size_t i = 0; i < count; i++)
        quotes = quotes || (claims[i].value.n > 0 && memchr(claims[i].value.p, '"', claims[i].value.n));
    if (!quotes)
        MUST(ask(&proxies, one, n, peer, &then) == v && same(&then, who));
    for (size_t k = 0; k < n; k++)
        free((char *)one[k].value.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct field claims[CLAIMS_MAX];
    struct network_client who, other;
    if (size == 0)
        return 0;
    const struct network_client *peer = &peers[data[0] % 4];
    size_t count = split(data + 1, size - 1, claims);
    enum forwarded_verdict v = ask(&proxies, claims, count, peer, &who);
    check_left(claims, count, peer, v, &who, 'f');
    check_left(claims, count, peer, v, &who, 'x');
    check_joined(claims, count, peer, v, &who);
    (void)ask(&everybody, claims, count, peer, &other);
    for (size_t i = 0; i < count; i++)
        free((char *)claims[i].value.p);
    return 0;
}
