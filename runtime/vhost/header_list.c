/* SPDX-License-Identifier: Apache-2.0 */
/* header_list.c – the field lines of a response while a script makes it.
 * Runs in: vhost. Distrusts: names and values. Removed lines leave their bytes behind until the list
 * is cleared; HEADER_LIST_BYTES_MAX counts them, so setting one line again and again ends in an error. */
#include "vhost/header_list.h"

#include <stdbool.h>
#include <stdlib.h>

#define KEEP_BYTES 1024

static char lower(char c) {
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool same_name(struct slice a, struct slice b) {
    for (size_t i = 0; i < a.n && a.n == b.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i])) {
            return false;
        }
    }
    return a.n == b.n;
}

/* RFC 9110, section 5.6.2 */
static bool is_token(struct slice s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = lower(s.p[i]);
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return s.n > 0;
}

static bool is_value(struct slice s) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static struct slice trim(struct slice s) {
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s = slice_from(s.p + 1, s.n - 1);
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) {
        s.n--;
    }
    return s;
}

static const char *check(struct slice name, struct slice value) {
    static const char *const framing[] = {
        "connection", "date",    "keep-alive",        "proxy-connection", "te",
        "trailer",    "upgrade", "transfer-encoding", "content-length"};
    if (!is_token(name)) {
        return "a header's name is made of letters, digits and -";
    }
    if (!is_value(value)) {
        return "a header's value holds a control character";
    }
    for (size_t i = 0; i < sizeof framing / sizeof *framing; i++) {
        if (same_name(name, slice_text(framing[i]))) {
            return "this header is the server's own to write";
        }
    }
    return NULL;
}

static uint16_t put(struct header_list *h, struct slice s, bool fold) {
    uint16_t at = (uint16_t)h->used;
    for (size_t i = 0; i < s.n; i++) {
        h->bytes[h->used++] = fold ? lower(s.p[i]) : s.p[i];
    }
    return at;
}

static bool make_room(struct header_list *h, size_t n) {
    size_t room = h->room > 0 ? h->room : 256;
    while (room < h->used + n) {
        room *= 2;
    }
    if (room != h->room) {
        char *bytes = realloc(h->bytes, room);
        if (bytes == NULL) {
            return false;
        }
        h->bytes = bytes;
        h->room = room;
    }
    return true;
}

const char *header_list_add(struct header_list *h, struct slice name, struct slice value) {
    value = trim(value);
    const char *wrong = check(name, value);
    if (wrong != NULL) {
        return wrong;
    }
    if (h->count == HEADER_LIST_MAX || name.n + value.n > HEADER_LIST_BYTES_MAX - h->used) {
        return "a response may have 64 headers and 12 KiB of them";
    }
    if (!make_room(h, name.n + value.n)) {
        return "there is no memory left for it";
    }
    uint16_t name_at = put(h, name, true);
    uint16_t value_at = put(h, value, false);
    h->lines[h->count].name = name_at;
    h->lines[h->count].name_length = (uint16_t)name.n;
    h->lines[h->count].value = value_at;
    h->lines[h->count].value_length = (uint16_t)value.n;
    h->count++;
    return NULL;
}

static struct slice name_of(const struct header_list *h, size_t i) {
    return slice_from(h->bytes + h->lines[i].name, h->lines[i].name_length);
}

static struct slice value_of(const struct header_list *h, size_t i) {
    return slice_from(h->bytes + h->lines[i].value, h->lines[i].value_length);
}

void header_list_remove(struct header_list *h, struct slice name) {
    size_t kept = 0;
    for (size_t i = 0; i < h->count; i++) {
        if (!same_name(name_of(h, i), name)) {
            h->lines[kept++] = h->lines[i];
        }
    }
    h->count = kept;
}

struct slice header_list_find(const struct header_list *h, struct slice name) {
    for (size_t i = 0; i < h->count; i++) {
        if (same_name(name_of(h, i), name)) {
            return value_of(h, i);
        }
    }
    return (struct slice){NULL, 0};
}

size_t header_list_fields(const struct header_list *h, struct field *out) {
    for (size_t i = 0; i < h->count; i++) {
        out[i] = (struct field){name_of(h, i), value_of(h, i)};
    }
    return h->count;
}

void header_list_clear(struct header_list *h) {
    h->count = h->used = 0;
    if (h->room > KEEP_BYTES) {
        header_list_deinit(h);
    }
}

void header_list_deinit(struct header_list *h) {
    free(h->bytes);
    h->bytes = NULL;
    h->room = h->used = h->count = 0;
}
