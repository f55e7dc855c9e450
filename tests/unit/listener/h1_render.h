/* SPDX-License-Identifier: Apache-2.0 */
/* h1_render.h – the outcome of the request parser as one line of text, to be compared. */
#ifndef LUTTPD_TESTS_LISTENER_H1_RENDER_H
#define LUTTPD_TESTS_LISTENER_H1_RENDER_H

#include <stdio.h>

#include "listener/h1_head.h"

#define H1_RENDER_MAX_BYTES 200000

/** Appends to line, whose room is H1_RENDER_MAX_BYTES. */
static inline void h1_render_slice(char *line, size_t *n, const char *before, struct slice s) {
    *n +=
        (size_t)snprintf(line + *n, H1_RENDER_MAX_BYTES - *n, "%s%.*s", before, (int)s.n, s.n > 0 ? s.p : "");
}

static inline void h1_render_fields(char *line, size_t *n, const struct h1_head *h) {
    for (size_t i = 0; i < h->fields_count; i++) {
        size_t hidden = h->end_to_end + h->claims;
        bool claim = h->claims > 0 && i == h->end_to_end;
        h1_render_slice(line, n, i == hidden ? " || " : claim ? " && " : " | ", h->fields[i].name);
        h1_render_slice(line, n, ": ", h->fields[i].value);
    }
}

/* "GET /path raw=/p%61th ?query @authority #host 1.1 keep body=5 continue | name: value && claim: value || hop: value" */
static inline void h1_render_head(char *line, const struct h1_head *h) {
    static const char *const forms[] = {"", " absolute", " asterisk"};
    size_t n = 0;
    h1_render_slice(line, &n, "", h->method);
    h1_render_slice(line, &n, " ", h->path);
    if (h->raw_path.n > 0)
        h1_render_slice(line, &n, " raw=", h->raw_path);
    if (h->query.p && h->query.n > 0)
        h1_render_slice(line, &n, " ?", h->query);
    h1_render_slice(line, &n, " @", h->authority);
    h1_render_slice(line, &n, " #", h->host);
    n += (size_t)snprintf(line + n, H1_RENDER_MAX_BYTES - n, " %s %s%s%s%s",
                          h->version == H1_VERSION_11 ? "1.1" : "1.0", h->keep_alive ? "keep" : "close",
                          forms[h->form], h->https ? " https" : "", h->path_utf8 ? "" : " latin");
    if (h->body == H1_BODY_LENGTH)
        n += (size_t)snprintf(line + n, H1_RENDER_MAX_BYTES - n, " body=%llu",
                              (unsigned long long)h->content_length);
    if (h->body == H1_BODY_CHUNKED)
        h1_render_slice(line, &n, "", SLICE(" chunked"));
    if (h->expect_continue)
        h1_render_slice(line, &n, "", SLICE(" continue"));
    h1_render_fields(line, &n, h);
}

/** line: H1_RENDER_MAX_BYTES. */
static inline void h1_render(char *line, const struct h1_parser *p, enum h1_verdict v, char *buf) {
    char room[H1_TARGET_MAX_BYTES];
    struct field fields[H1_FIELDS_MAX];
    struct h1_head head;
    switch (v) {
    case H1_DONE:
        h1_head_read(p, buf, room, fields, &head);
        h1_render_head(line, &head);
        break;
    case H1_REFUSED:
        snprintf(line, H1_RENDER_MAX_BYTES, "%u %s%s", p->refusal.status, p->refusal.reason,
                 p->preface ? " (preface)" : "");
        break;
    default:
        snprintf(line, H1_RENDER_MAX_BYTES, "more");
    }
}

#endif
