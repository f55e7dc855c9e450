/* SPDX-License-Identifier: Apache-2.0 */
/* h1_path.c – the canonical path; see h1_target.h.
 *
 * Decoding comes before the dot segments go, so that "%2e%2e" is a "..": an encoded slash is
 * refused, hence decoding never changes where segments begin. Runs of slashes become one, because
 * the file system below sees it so: were they kept, "//admin" would reach a file that a rule for
 * "/admin" guards. A backslash is refused, because some applications take it for a slash.
 *
 * Where an encoded slash is kept, its three characters stand in the canonical path, in upper case.
 * "%252F" would be decoded to the same three, hence is refused there: one form, one meaning. */
#include "listener/h1_chars.h"
#include "listener/h1_target.h"

#define FINE ((struct h1_refusal){0, NULL})
#define BAD(why) ((struct h1_refusal){400, (why)})

/* The byte that the two digits behind a percent sign stand for, -1 where they are none. */
static int escaped_byte(struct slice digits) {
    int high = digits.n >= 2 ? h1_hex_value((uint8_t)digits.p[0]) : -1;
    int low = high >= 0 ? h1_hex_value((uint8_t)digits.p[1]) : -1;
    return low < 0 ? -1 : high * 16 + low;
}

/* Puts one decoded byte behind what out holds. keep_slash: it may not complete the text "%2F". */
static struct h1_refusal put_byte(int c, bool keep_slash, char *out, size_t *o) {
    if (c < 0)
        return BAD("broken percent-encoding in the path");
    if (c < 0x20 || c == 0x7f)
        return BAD("control byte in the path");
    if (c == '\\')
        return BAD("backslash in the path");
    if (keep_slash && (c | 0x20) == 'f' && *o >= 2 && memcmp(out + *o - 2, "%2", 2) == 0)
        return BAD("twice encoded slash in the path");
    out[(*o)++] = (char)c;
    return FINE;
}

/* Decodes one segment, up to the next slash, to the end of what out holds. */
static struct h1_refusal decode_segment(struct slice raw, bool keep_slash, size_t *i, char *out, size_t *o) {
    struct h1_refusal r = FINE;
    while (r.status == 0 && *i < raw.n && raw.p[*i] != '/') {
        int c = (uint8_t)raw.p[(*i)++];
        if (c != '%') {
            r = put_byte(c, keep_slash, out, o);
            continue;
        }
        c = escaped_byte(slice_from(raw.p + *i, raw.n - *i));
        *i += 2;
        if (c != '/') {
            r = put_byte(c, keep_slash, out, o);
        } else if (keep_slash) {
            out[(*o)++] = '%';
            out[(*o)++] = '2';
            out[(*o)++] = 'F';
        } else {
            r = BAD("encoded slash in the path");
        }
    }
    return r;
}

/* Takes "." and ".." at out[from..*o) away again. */
static struct h1_refusal drop_dots(const char *out, size_t from, size_t *o) {
    size_t n = *o - from;
    if (n == 1 && out[from] == '.') {
        *o = from;
    } else if (n == 2 && out[from] == '.' && out[from + 1] == '.') {
        if (from == 1)
            return BAD("path above the root");
        *o = from - 1;
        while (out[*o - 1] != '/')
            (*o)--;
    }
    return FINE;
}

struct h1_refusal h1_path_canonical(struct slice raw, const struct h1_limits *limits, char *out,
                                    struct slice *path) {
    size_t i = 0, o = 0;
    out[o++] = '/';
    while (i < raw.n) {
        if (raw.p[i] == '/') {
            i++;
            continue;
        }
        size_t from = o;
        struct h1_refusal r = decode_segment(raw, limits->keep_encoded_slash, &i, out, &o);
        if (r.status == 0)
            r = drop_dots(out, from, &o);
        if (r.status)
            return r;
        if (i < raw.n && out[o - 1] != '/')
            out[o++] = '/';
    }
    *path = slice_from(out, o);
    return limits->refuse_bad_utf8 && !h1_path_is_utf8(*path) ? BAD("path is not UTF-8") : FINE;
}

/* The bytes that may follow lead as its second byte, and how many follow in all; 0: no lead. */
static unsigned utf8_follow(uint8_t lead, uint8_t *low, uint8_t *high) {
    *low = 0x80;
    *high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 1;
    if ((lead & 0xf0) == 0xe0) {
        *low = lead == 0xe0 ? 0xa0 : 0x80;
        *high = lead == 0xed ? 0x9f : 0xbf;
        return 2;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *low = lead == 0xf0 ? 0x90 : 0x80;
        *high = lead == 0xf4 ? 0x8f : 0xbf;
        return 3;
    }
    return 0;
}

bool h1_path_is_utf8(struct slice text) {
    for (size_t i = 0; i < text.n;) {
        uint8_t low, high, lead = (uint8_t)text.p[i++];
        if (lead < 0x80)
            continue;
        unsigned follow = utf8_follow(lead, &low, &high);
        if (follow == 0 || text.n - i < follow)
            return false;
        for (; follow > 0; follow--, i++, low = 0x80, high = 0xbf)
            if ((uint8_t)text.p[i] < low || (uint8_t)text.p[i] > high)
                return false;
    }
    return true;
}
