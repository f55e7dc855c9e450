/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_h1_response.c – a response head as a hostile vhost would have it: what is written reads back,
 * line by line, as the status and the fields that were asked for, framed once and by the listener
 * alone; else nothing is written. And any text and any Accept on a page of the listener's own.
 * The first four bytes: version, HEAD, connection, length, date; status; length; room. Then
 * "name\nvalue\n"..., where a vertical tab becomes a line feed within a name or value. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "listener/h1_accept.h"
#include "listener/h1_chars.h"
#include "listener/h1_error.h"
#include "listener/h1_list.h"
#include "listener/h1_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS_MAX 24
#define DATE SLICE("Sun, 06 Nov 1994 08:49:37 GMT")

struct seen {
    unsigned lengths, codings, dates, connections, fields;
    bool close;
};

/* The next piece up to a line feed, or all of it. */
static struct slice cut(struct slice *rest) {
    const char *stop = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n = stop ? (size_t)(stop - rest->p) : rest->n;
    struct slice piece = slice_from(rest->p, n);
    *rest = slice_from(rest->p + n + (stop != NULL), rest->n - n - (stop != NULL));
    return piece;
}

static size_t read_fields(struct slice rest, struct field *fields) {
    size_t n = 0;
    while (rest.n > 0 && n < FIELDS_MAX) {
        fields[n].name = cut(&rest);
        fields[n].value = cut(&rest);
        n++;
    }
    return n;
}

/* Reads one line of a head that ends with CR LF; nothing in it may be a control byte but a tab. */
static struct slice read_line(struct slice *rest) {
    const char *stop = memmem(rest->p, rest->n, "\r\n", 2);
    MUST(stop != NULL);
    struct slice line = slice_from(rest->p, (size_t)(stop - rest->p));
    *rest = slice_from(stop + 2, rest->n - line.n - 2);
    for (size_t i = 0; i < line.n; i++)
        MUST(((uint8_t)line.p[i] >= 0x20 && line.p[i] != 0x7f) || line.p[i] == '\t');
    return line;
}

static void see_field(struct seen *s, struct slice line) {
    const char *colon = memchr(line.p, ':', line.n);
    MUST(colon != NULL && colon > line.p && colon[1] == ' ');
    struct slice name = slice_from(line.p, (size_t)(colon - line.p));
    for (size_t i = 0; i < name.n; i++)
        MUST(h1_token_lower[(uint8_t)name.p[i]] != 0);
    struct slice value = h1_list_trim(slice_from(colon + 1, line.n - name.n - 1));
    s->fields++;
    s->lengths += h1_list_is(name, SLICE("content-length"));
    s->codings += h1_list_is(name, SLICE("transfer-encoding"));
    s->dates += h1_list_is(name, SLICE("date"));
    bool connection = h1_list_is(name, SLICE("connection"));
    s->connections += connection;
    s->close |= connection && slice_equal(value, SLICE("close"));
    MUST(!h1_list_is(name, SLICE("upgrade")) && !h1_list_is(name, SLICE("trailer")));
}

static void check_head(const struct h1_response *r, struct slice head, const struct h1_framing *f) {
    struct seen s = {0};
    struct slice line = read_line(&head);
    char expect[32];
    MUST(line.n > 13 && snprintf(expect, sizeof expect, "HTTP/1.1 %u ", r->status) == 13);
    MUST(memcmp(line.p, expect, 13) == 0);
    while ((line = read_line(&head)).n > 0)
        see_field(&s, line);
    MUST(head.n == 0);
    bool none = r->head || r->status < 200 || r->status == 204 || r->status == 205 || r->status == 304;
    MUST(!none || f->body == H1_BODY_NONE);
    MUST(s.lengths + s.codings <= 1 && s.connections <= 1 && s.dates <= 1);
    MUST(r->status >= 200 || s.lengths + s.codings + s.connections + s.dates == 0);
    MUST((f->body == H1_BODY_CHUNKED) == (s.codings == 1) && (f->body != H1_BODY_LENGTH || s.lengths == 1));
    MUST(f->body != H1_BODY_UNTIL_CLOSE || (s.close && !f->keep_alive && s.lengths == 0));
    MUST((r->status != 204 && r->status != 304) || s.lengths == 0);
    MUST(r->status < 200 || s.close == !f->keep_alive);
    MUST(r->keep_alive || !f->keep_alive);
}

static bool is_sound(const struct field *f) {
    for (size_t i = 0; i < f->name.n; i++)
        if (h1_token_lower[(uint8_t)f->name.p[i]] == 0)
            return false;
    for (size_t i = 0; i < f->value.n; i++)
        if (((uint8_t)f->value.p[i] < 0x20 && f->value.p[i] != '\t') || f->value.p[i] == 0x7f)
            return false;
    return f->name.n > 0;
}

static void check_response(struct h1_response *r, size_t room) {
    char *out = malloc(room + 1);
    struct h1_framing f;
    bool sound = r->status >= 100 && r->status <= 599 && r->status != 101;
    MUST(out);
    for (size_t i = 0; i < r->fields_count; i++)
        sound = sound && is_sound(&r->fields[i]);
    int n = h1_response_write(r, out, room, &f);
    MUST(n <= (int)room && (n >= 0 || n == -EMSGSIZE || n == -EBADMSG));
    MUST(sound == (n != -EBADMSG));
    if (n > 0)
        check_head(r, slice_from(out, (size_t)n), &f);
    free(out);
}

/* The page of the same status, with whatever text: well-formed to the last byte. */
static void check_page(const struct h1_response *r, struct slice text, uint8_t choice) {
    char out[H1_ERROR_BODY_MAX_BYTES];
    struct h1_page page = {.request = choice & 1, .json = choice & 2, .text = text};
    size_t n = h1_error_body(r->status, &page, out);
    MUST(n > 20 && n <= sizeof out && h1_path_is_utf8(slice_from(out, n)));
    for (size_t i = 0; i < n; i++)
        MUST(((uint8_t)out[i] >= 0x20 && out[i] != 0x7f) || (out[i] == '\n' && (!page.json || i + 1 == n)));
    MUST(memcmp(out + n - (page.json ? 3 : 8), page.json ? "\"}\n" : "</html>\n", page.json ? 3 : 8) == 0);
    unsigned marks = 0;
    for (size_t i = 0; i < n; i++) {
        if (page.json && out[i] == '\\')
            i++;
        else
            marks += out[i] == (page.json ? '"' : '<');
    }
    MUST(marks == 10u + (page.request ? (page.json ? 4u : 2u) : 0u));
    (void)h1_prefers_json(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct field fields[FIELDS_MAX];
    if (size < 4)
        return 0;
    struct slice rest = slice_from((const char *)data + 4, size - 4);
    char *bytes = malloc(rest.n + 1); /* its own block: reading past it is seen */
    MUST(bytes);
    memcpy(bytes, rest.p, rest.n);
    struct slice text = slice_from(bytes, rest.n);
    struct h1_response r = {.version = data[0] & 1 ? H1_VERSION_10 : H1_VERSION_11,
                            .head = data[0] & 2,
                            .keep_alive = data[0] & 4,
                            .status = (uint16_t)(90 + data[1] * 2 + (data[0] >> 7)),
                            .content_length = data[0] & 8 ? data[2] : H1_LENGTH_UNKNOWN,
                            .fields = fields,
                            .fields_count = read_fields(text, fields)};
    if (data[0] & 16)
        r.date = DATE;
    for (size_t i = 0; i < rest.n; i++)
        bytes[i] = bytes[i] == '\v' ? '\n' : bytes[i];
    check_response(&r, data[0] & 32 ? data[3] * 2u : size + 2048);
    check_page(&r, text, data[2]);
    free(bytes);
    return 0;
}
