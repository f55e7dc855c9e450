/* SPDX-License-Identifier: Apache-2.0 */
/* h1_known.c – see h1_known.h. Called for every field line, so the length decides first. */
#include "listener/h1_known.h"
#include "listener/h1_chars.h"
#include "listener/h1_list.h"

#define IS(literal) (memcmp(name, literal, sizeof(literal) - 1) == 0)

/* Whether name is text with an underscore for each hyphen, or for some of them. */
static bool is_disguised(const char *name, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (name[i] != text[i] && (name[i] != '_' || text[i] != '-'))
            return false;
    return true;
}

#define MIGHT_BE(literal) (n >= sizeof(literal) - 1 && is_disguised(name, literal, sizeof(literal) - 1))

/* Names that begin with "x". */
static enum h1_known known_extension(const char *name, size_t n) {
    if (n >= 12 && IS("x-forwarded-"))
        return H1_KNOWN_CLAIM;
    if (n == 9 && IS("x-real-ip"))
        return H1_KNOWN_CLAIM;
    return MIGHT_BE("x-forwarded-") || (n == 9 && MIGHT_BE("x-real-ip")) ? H1_KNOWN_OURS : H1_KNOWN_NOT;
}

enum h1_known h1_known_field(const char *name, size_t n) {
    if (name[0] == 'x')
        return known_extension(name, n);
    if (name[0] == 'l')
        return MIGHT_BE("luttpd-") ? H1_KNOWN_OURS : H1_KNOWN_NOT;
    switch (n) {
    case 2:
        return IS("te") ? H1_KNOWN_HOP : H1_KNOWN_NOT;
    case 4:
        return IS("host") ? H1_KNOWN_HOST : IS("date") ? H1_KNOWN_DATE : H1_KNOWN_NOT;
    case 6:
        return IS("expect") ? H1_KNOWN_EXPECT : H1_KNOWN_NOT;
    case 7:
        return IS("upgrade") || IS("trailer") ? H1_KNOWN_HOP : H1_KNOWN_NOT;
    case 9:
        return IS("forwarded") ? H1_KNOWN_CLAIM : H1_KNOWN_NOT;
    case 10:
        return IS("connection") ? H1_KNOWN_CONNECTION : IS("keep-alive") ? H1_KNOWN_HOP : H1_KNOWN_NOT;
    case 14:
        return IS("content-length")         ? H1_KNOWN_CONTENT_LENGTH
               : MIGHT_BE("content-length") ? H1_KNOWN_DISGUISE
                                            : H1_KNOWN_NOT;
    case 16:
        return IS("proxy-connection") ? H1_KNOWN_HOP : H1_KNOWN_NOT;
    case 17:
        return IS("transfer-encoding")         ? H1_KNOWN_TRANSFER_ENCODING
               : MIGHT_BE("transfer-encoding") ? H1_KNOWN_DISGUISE
                                               : H1_KNOWN_NOT;
    default:
        return H1_KNOWN_NOT;
    }
}

/* In lower case, as far as it matters. Returns its bytes. */
static size_t lower(struct slice token, char out[H1_KNOWN_MAX_BYTES]) {
    size_t n = token.n < H1_KNOWN_MAX_BYTES ? token.n : H1_KNOWN_MAX_BYTES;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)h1_token_lower[(uint8_t)token.p[i]];
    return n;
}

enum h1_known h1_known_token(struct slice token) {
    char name[H1_KNOWN_MAX_BYTES] = {0};
    (void)lower(token, name);
    return h1_known_field(name, token.n);
}

bool h1_known_end_to_end(struct slice token) {
    static const char *const names[] = {"authorization", "cache-control", "cookie",  "from",
                                        "origin",        "range",         "referer", "user-agent"};
    static const char *const families[] = {"accept", "content-", "if-", "sec-"};
    switch (h1_known_token(token)) {
    case H1_KNOWN_NOT:
        break;
    case H1_KNOWN_CONNECTION:
    case H1_KNOWN_HOP:
        return false;
    default:
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (h1_list_is(token, slice_text(names[i])))
            return true;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (token.n >= strlen(families[i]) && strncasecmp(token.p, families[i], strlen(families[i])) == 0)
            return true;
    return false;
}
