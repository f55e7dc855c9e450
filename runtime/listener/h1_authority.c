/* SPDX-License-Identifier: Apache-2.0 */
/* h1_authority.c – host and port; see h1_authority.h. */
#include <arpa/inet.h>

#include "listener/h1_authority.h"
#include "listener/h1_chars.h"

/* Lower-cases a registered name or IPv4 address. Returns its bytes, 0 where it is none. */
static size_t take_name(char *text, size_t n) {
    size_t i = 0;
    char before = '.';
    for (; i < n && (h1_chars[(uint8_t)text[i]] & H1_CHAR_NAME); i++) {
        if (text[i] == '.' && before == '.')
            return 0;
        before = text[i];
        text[i] = (char)h1_token_lower[(uint8_t)text[i]];
    }
    return i;
}

/* Lower-cases an IPv6 address in brackets. Returns its bytes, 0 where it is none. */
static size_t take_literal(char *text, size_t n) {
    char copy[INET6_ADDRSTRLEN];
    size_t i = 1;
    for (; i < n && text[i] != ']'; i++) {
        uint8_t lower = h1_token_lower[(uint8_t)text[i]];
        if (i >= sizeof copy || (text[i] != ':' && lower == 0))
            return 0;
        if (lower)
            text[i] = (char)lower;
        copy[i - 1] = text[i];
    }
    if (i >= n)
        return 0;
    copy[i - 1] = '\0';
    struct in6_addr ignored;
    return inet_pton(AF_INET6, copy, &ignored) == 1 ? i + 1 : 0;
}

/* Whether text is ":" and an optional port, or nothing. */
static bool is_port(const char *text, size_t n) {
    if (n == 0)
        return true;
    if (text[0] != ':' || n > 6)
        return false;
    unsigned port = 0;
    for (size_t i = 1; i < n; i++) {
        if (!(h1_chars[(uint8_t)text[i]] & H1_CHAR_DIGIT))
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    return port <= 65535;
}

bool h1_authority_take(char *text, size_t n) {
    if (n == 0)
        return false;
    size_t host = text[0] == '[' ? take_literal(text, n) : take_name(text, n);
    return host > 0 && host <= H1_HOST_MAX_BYTES && is_port(text + host, n - host);
}

struct slice h1_authority_host(struct slice authority) {
    size_t n = authority.n;
    if (n > 0 && authority.p[0] == '[') {
        const char *close = memchr(authority.p, ']', n);
        return slice_from(authority.p, close ? (size_t)(close - authority.p) + 1 : n);
    }
    const char *colon = n > 0 ? memchr(authority.p, ':', n) : NULL;
    if (colon)
        n = (size_t)(colon - authority.p);
    if (n > 1 && authority.p[n - 1] == '.')
        n--;
    return slice_from(authority.p, n);
}
