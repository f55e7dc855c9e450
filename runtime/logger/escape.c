/* SPDX-License-Identifier: Apache-2.0 */
/* escape.c – makes bytes of unknown origin harmless inside a line of a log.
 * Runs in: logger. Distrusts: every byte.
 *
 * Each escape is decidable from its output alone: a backslash in the output always begins one, so
 * what was logged can be read back. UTF-8 is escaped too: bidirectional marks, line separators and
 * second-page control characters have no business in a log. */
#include "logger/escape.h"

#include <stdint.h>

static const char hex_digits[] = "0123456789abcdef";

static char *put_hex_byte(char *out, uint8_t byte) {
    *out++ = '\\';
    *out++ = 'x';
    *out++ = hex_digits[byte >> 4];
    *out++ = hex_digits[byte & 15];
    return out;
}

static bool is_plain(uint8_t byte) {
    return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

char *escape_quoted(char *out, struct slice in, bool word) {
    uint8_t lowest = word ? 0x21 : 0x20;
    for (size_t i = 0; i < in.n; i++) {
        uint8_t byte = (uint8_t)in.p[i];
        if (byte >= lowest && byte < 0x7f && byte != '\\' && byte != '"') {
            *out++ = (char)byte;
        } else {
            out = put_hex_byte(out, byte);
        }
    }
    return out;
}

char *escape_text(char *out, struct slice in) {
    while (in.n > 0 && in.p[in.n - 1] == '\n') {
        in.n--;
    }
    for (size_t i = 0; i < in.n; i++) {
        uint8_t byte = (uint8_t)in.p[i];
        if (byte == '\n') {
            memcpy(out, "\n" ESCAPE_CONTINUATION, sizeof ESCAPE_CONTINUATION);
            out += sizeof ESCAPE_CONTINUATION;
        } else if (is_plain(byte) || byte == '\t') {
            *out++ = (char)byte;
        } else {
            out = put_hex_byte(out, byte);
        }
    }
    return out;
}

/* Bytes of the well-formed UTF-8 sequence at p (RFC 3629), 0 where there is none. */
static size_t read_utf8(const uint8_t *p, size_t n, uint32_t *out) {
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < length) {
        return 0;
    }
    uint32_t code = p[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (p[i] & 0x3fu);
    }
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    *out = code;
    return length;
}

static char *put_unit(char *out, uint32_t unit) {
    *out++ = '\\';
    *out++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) {
        *out++ = hex_digits[unit >> shift & 15];
    }
    return out;
}

static char *put_code_point(char *out, uint32_t code) {
    if (code < 0x10000) {
        return put_unit(out, code);
    }
    code -= 0x10000;
    out = put_unit(out, 0xd800 + (code >> 10));
    return put_unit(out, 0xdc00 + (code & 0x3ff));
}

char *escape_json(char *out, struct slice in) {
    const uint8_t *p = (const uint8_t *)in.p;
    for (size_t i = 0; i < in.n;) {
        uint32_t code = p[i];
        size_t length = 1;
        if (is_plain(p[i]) && p[i] != '"') {
            *out++ = (char)p[i];
        } else {
            if (p[i] >= 0x80 && (length = read_utf8(p + i, in.n - i, &code)) == 0) {
                length = 1;
            }
            out = put_code_point(out, code);
        }
        i += length;
    }
    return out;
}
