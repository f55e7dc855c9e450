/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_header.c – see proxy_header.h.
 * Both readers look at the bytes anew each time: the little there is costs less than keeping a state,
 * and what has been refused or accepted once cannot come out differently for another split. */
#include "listener/proxy_header.h"

#include <errno.h>
#include <string.h>

#define V2_FIXED_BYTES 16

enum { TLV_CRC32C = 0x03, TLV_SSL = 0x20 };

static const uint8_t v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static int refuse(const char **reason, const char *why) {
    *reason = why;
    return -EBADMSG;
}

/* Cuts off what stands before the next space; the last word has none behind it. */
static struct slice take_word(struct slice *rest) {
    const char *space = rest->n > 0 ? memchr(rest->p, ' ', rest->n) : NULL;
    struct slice word = slice_from(rest->p, space != NULL ? (size_t)(space - rest->p) : rest->n);
    size_t used = word.n + (space != NULL ? 1 : 0);
    *rest = slice_from(rest->p + used, rest->n - used);
    return word;
}

/* Reads what stands between "PROXY TCP4 " or "PROXY TCP6 " and the line's end. */
static bool read_v1_addresses(struct slice rest, uint8_t family, struct network_client *client) {
    struct slice words[4];
    struct network_client source = *client, destination = *client;
    uint16_t ignored;
    bool v6 = family == FAMILY_INET6;
    for (size_t i = 0; i < 4; i++)
        words[i] = take_word(&rest);
    if (rest.n > 0 || words[3].n == 0 || words[3].p + words[3].n != rest.p)
        return false;
    for (size_t i = 0; i < 2; i++)
        if ((words[i].n > 0 && memchr(words[i].p, ':', words[i].n) != NULL) != v6)
            return false;
    if (!network_read_address(words[0], &source) || !network_read_address(words[1], &destination) ||
        !network_read_port(words[2], &source.port) || !network_read_port(words[3], &ignored))
        return false;
    *client = source;
    return true;
}

/* line: without "PROXY " and CRLF. */
static int read_v1_line(struct slice line, struct network_client *client, const char **reason) {
    struct slice rest = line;
    struct slice protocol = take_word(&rest);
    bool names = slice_equal(protocol, SLICE("TCP4")) || slice_equal(protocol, SLICE("TCP6"));
    if (!names)
        return slice_equal(protocol, SLICE("UNKNOWN")) ? 0 : refuse(reason, "unknown protocol");
    uint8_t family = protocol.p[3] == '6' ? FAMILY_INET6 : FAMILY_INET;
    return read_v1_addresses(rest, family, client) ? 0 : refuse(reason, "malformed address or port");
}

static int read_v1(const char *buf, size_t n, struct network_client *client, const char **reason) {
    static const char word[] = "PROXY ";
    size_t at = sizeof word - 1;
    if (memcmp(buf, word, n < at ? n : at) != 0)
        return refuse(reason, "no PROXY header");
    size_t end = n < PROXY_HEADER_V1_MAX_BYTES - 1 ? n : PROXY_HEADER_V1_MAX_BYTES - 1;
    while (at < end && buf[at] >= ' ' && buf[at] <= '~')
        at++;
    if (at >= n)
        return 0;
    if (at == PROXY_HEADER_V1_MAX_BYTES - 1)
        return refuse(reason, "line too long");
    if (buf[at] != '\r')
        return refuse(reason, "control byte in the line");
    if (at + 1 == n)
        return 0;
    if (buf[at + 1] != '\n')
        return refuse(reason, "bare CR");
    size_t first = sizeof word - 1;
    int rc = read_v1_line(slice_from(buf + first, at - first), client, reason);
    return rc < 0 ? rc : (int)(at + 2);
}

static size_t read_u16(const uint8_t *p) {
    return (size_t)p[0] << 8 | p[1];
}

/* CRC32C of the header whose four bytes at hole count as zero. */
static uint32_t checksum(const uint8_t *p, size_t n, size_t hole) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        crc ^= i - hole < 4 ? 0 : p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    return ~crc;
}

/* Whether the bytes from at to end are TLVs, and nothing else. */
static bool tlvs_fill(const uint8_t *p, size_t at, size_t end) {
    while (at < end) {
        if (end - at < 3 || read_u16(p + at + 1) > end - at - 3)
            return false;
        at += 3 + read_u16(p + at + 1);
    }
    return true;
}

/* p, n: the whole header; at: its first TLV. Sets https where an SSL TLV was there and says so. */
static int read_tlvs(const uint8_t *p, size_t n, size_t at, bool *https, const char **reason) {
    bool seen[256] = {false};
    if (!tlvs_fill(p, at, n))
        return refuse(reason, "TLVs do not fit");
    for (; at < n; at += 3 + read_u16(p + at + 1)) {
        uint8_t type = p[at];
        const uint8_t *value = p + at + 3;
        size_t bytes = read_u16(p + at + 1);
        if ((type == TLV_CRC32C || type == TLV_SSL) && seen[type])
            return refuse(reason, "TLV comes twice");
        seen[type] = true;
        if (type == TLV_CRC32C) {
            if (bytes != 4)
                return refuse(reason, "malformed checksum");
            uint32_t crc = (uint32_t)(read_u16(value) << 16 | read_u16(value + 2));
            if (crc != checksum(p, n, at + 3))
                return refuse(reason, "wrong checksum");
        } else if (type == TLV_SSL) {
            if (bytes < 5 || !tlvs_fill(value, 5, bytes))
                return refuse(reason, "malformed SSL TLV");
            *https = value[0] & 1;
        }
    }
    return 0;
}

/* Bytes of both addresses and ports for this family and transport; -1: it is none that we take. */
static int v2_address_bytes(uint8_t family) {
    switch (family) {
    case 0x00:
        return 0;
    case 0x11:
        return 12;
    case 0x21:
        return 36;
    case 0x31:
        return 216;
    default:
        return -1;
    }
}

/* Takes the client from a complete header. known: bytes of its addresses, more than none. */
static int read_v2_client(const uint8_t *p, size_t n, size_t known, struct network_client *client,
                          const char **reason) {
    struct network_client found = {.https = client->https};
    const uint8_t *addresses = p + V2_FIXED_BYTES;
    int rc = read_tlvs(p, n, V2_FIXED_BYTES + known, &found.https, reason);
    if (rc < 0)
        return rc;
    if (p[13] == 0x31) {
        found.family = FAMILY_UNIX;
    } else {
        bool v6 = p[13] == 0x21;
        size_t bytes = v6 ? 16 : 4;
        network_set_address(&found, v6 ? FAMILY_INET6 : FAMILY_INET, addresses);
        found.port = (uint16_t)read_u16(addresses + 2 * bytes);
    }
    *client = found;
    return 0;
}

static int read_v2(const uint8_t *p, size_t n, struct network_client *client, const char **reason) {
    if (memcmp(p, v2_signature, n < sizeof v2_signature ? n : sizeof v2_signature) != 0)
        return refuse(reason, "no PROXY header");
    if (n > 12 && p[12] != 0x20 && p[12] != 0x21)
        return refuse(reason, "unknown version or command");
    bool local = n > 12 && p[12] == 0x20; /* the sender speaks for itself: all the rest is to be ignored */
    int known = local || n < 14 ? 0 : v2_address_bytes(p[13]);
    if (known < 0)
        return refuse(reason, "unknown family or transport");
    if (n < V2_FIXED_BYTES)
        return 0;
    size_t bytes = read_u16(p + 14);
    if (V2_FIXED_BYTES + bytes > PROXY_HEADER_MAX_BYTES)
        return refuse(reason, "header too long");
    if (bytes < (size_t)known)
        return refuse(reason, "addresses do not fit");
    if (n < V2_FIXED_BYTES + bytes)
        return 0;
    n = V2_FIXED_BYTES + bytes;
    int rc = known > 0 ? read_v2_client(p, n, (size_t)known, client, reason) : 0;
    return rc < 0 ? rc : (int)n;
}

int proxy_header_read(const char *buf, size_t n, struct network_client *client, const char **reason) {
    if (n == 0)
        return 0;
    return buf[0] == '\r' ? read_v2((const uint8_t *)buf, n, client, reason)
                          : read_v1(buf, n, client, reason);
}
