/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_proxy_header.c – any bytes as a PROXY header: the same outcome however they are split, nothing
 * beyond the header is consumed or looked at, and who is named is a possible client.
 * The first byte: where it lies below 200, a right length and checksum are put into version 2. */
#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "listener/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct network_client peer = {FAMILY_INET, {10, 0, 0, 1}, 9, false};

struct outcome {
    int rc;
    struct network_client who;
    const char *reason;
};

/* In a block of its own: reading past it is seen. */
static struct outcome feed(const uint8_t *bytes, size_t n) {
    struct outcome o = {.who = peer};
    char *copy = malloc(n > 0 ? n : 1);
    MUST(copy != NULL);
    memcpy(copy, bytes, n);
    o.rc = proxy_header_read(copy, n, &o.who, &o.reason);
    free(copy);
    MUST(o.rc == -EBADMSG || (o.rc >= 0 && (size_t)o.rc <= n && o.rc <= PROXY_HEADER_MAX_BYTES));
    MUST((o.rc == -EBADMSG) == (o.reason != NULL));
    MUST(o.rc != 0 || n < PROXY_HEADER_MAX_BYTES);
    if (o.rc <= 0)
        MUST(memcmp(&o.who, &peer, sizeof peer) == 0);
    return o;
}

static void check_client(const struct network_client *who) {
    size_t used = who->family == FAMILY_INET6 ? 16 : who->family == FAMILY_INET ? 4 : 0;
    MUST(who->family == FAMILY_INET || who->family == FAMILY_INET6 || who->family == FAMILY_UNIX);
    for (size_t i = used; i < 16; i++)
        MUST(who->address[i] == 0);
    if (who->family == FAMILY_INET6)
        MUST(memcmp(who->address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) != 0);
}

static void check_splits(const uint8_t *bytes, size_t size) {
    struct outcome whole = feed(bytes, size);
    bool decided = false;
    check_client(&whole.who);
    for (size_t n = 0; n < size; n += n < 300 ? 1 : 61) {
        struct outcome part = feed(bytes, n);
        MUST(part.rc == 0 ? !decided : part.rc == whole.rc && part.reason == whole.reason);
        MUST(part.rc <= 0 || memcmp(&part.who, &whole.who, sizeof whole.who) == 0);
        MUST(whole.rc <= 0 || (part.rc != 0) == (n >= (size_t)whole.rc));
        decided = part.rc != 0;
    }
}

/* Makes length and checksum right, so that mutations come past them. */
static void mend(uint8_t *p, size_t n) {
    if (n < 16 || n > PROXY_HEADER_MAX_BYTES || p[0] != '\r')
        return;
    p[14] = (uint8_t)((n - 16) >> 8);
    p[15] = (uint8_t)(n - 16);
    size_t at = p[13] == 0x11 ? 28 : p[13] == 0x21 ? 52 : 232;
    while (at + 7 <= n && !(p[at] == 3 && p[at + 1] == 0 && p[at + 2] == 4))
        at += 3 + ((size_t)p[at + 1] << 8 | p[at + 2]);
    if (at + 7 > n)
        return;
    uint32_t crc = UINT32_MAX;
    memset(p + at + 3, 0, 4);
    for (size_t i = 0; i < n * 8; i++) {
        crc ^= i % 8 == 0 ? p[i / 8] : 0;
        crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    for (size_t i = 0; i < 4; i++)
        p[at + 3 + i] = (uint8_t)(~crc >> (24 - 8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    uint8_t *bytes = malloc(size);
    MUST(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    if (data[0] < 200)
        mend(bytes, size - 1);
    check_splits(bytes, size - 1);
    free(bytes);
    return 0;
}
