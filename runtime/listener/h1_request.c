/* SPDX-License-Identifier: Apache-2.0 */
/* h1_request.c – turns the offsets of a parsed head into slices; see h1_head.h. */
#include "base/must.h"
#include "listener/h1_authority.h"
#include "listener/h1_fields.h"
#include "listener/h1_head.h"
#include "listener/h1_target.h"

static void read_path(const struct h1_parser *p, const char *buf, char *room, struct h1_head *out) {
    struct slice raw = h1_span_slice(buf, p->target.path);
    out->path = raw;
    out->raw_path = slice_from(NULL, 0);
    out->path_utf8 = true;
    if (p->target.form == H1_FORM_ASTERISK || raw.n == 0) {
        out->path = SLICE("/");
        if (p->target.form == H1_FORM_ASTERISK)
            out->raw_path = SLICE("*");
    } else if (!p->target.plain) {
        struct h1_refusal r = h1_path_canonical(raw, p->limits, room, &out->path);
        MUST(r.status == 0);
        if (!slice_equal(raw, out->path))
            out->raw_path = raw;
        out->path_utf8 = h1_path_is_utf8(out->path);
    }
}

static unsigned count(const uint64_t bits[2]) {
    return (unsigned)(__builtin_popcountll(bits[0]) + __builtin_popcountll(bits[1]));
}

static bool has(const uint64_t bits[2], unsigned index) {
    return (bits[index / 64] >> (index % 64)) & 1;
}

/* Three cursors keep the order within each group. */
static void read_fields(const struct h1_parser *p, const char *buf, struct h1_head *out) {
    out->fields_count = p->fields_count;
    out->claims = count(p->claims);
    out->end_to_end = p->fields_count - out->claims - count(p->hidden);
    struct field *end_to_end = out->fields, *claim = end_to_end + out->end_to_end,
                 *hidden = claim + out->claims;
    for (unsigned i = 0; i < p->fields_count; i++) {
        struct field *f = has(p->hidden, i) ? hidden++ : has(p->claims, i) ? claim++ : end_to_end++;
        f->name = h1_span_slice(buf, p->fields[i].name);
        f->value = i + 1 == p->host ? out->authority : h1_span_slice(buf, p->fields[i].value);
    }
}

static struct slice read_authority(const struct h1_parser *p, const char *buf) {
    if (p->target.authority.n > 0)
        return h1_span_slice(buf, p->target.authority); /* RFC 9112 section 3.2.2 */
    if (p->host)
        return h1_span_slice(buf, p->fields[p->host - 1].value);
    return slice_from(NULL, 0);
}

void h1_head_read(const struct h1_parser *p, char *buf, char *path_room, struct field *fields,
                  struct h1_head *out) {
    MUST(p->consumed > 0);
    out->version = p->version;
    out->form = p->target.form;
    out->https = p->target.https;
    out->keep_alive = !p->close && (p->version == H1_VERSION_11 || p->keep_alive);
    out->body = p->body;
    out->content_length = p->body == H1_BODY_CHUNKED  ? H1_LENGTH_UNKNOWN
                          : p->body == H1_BODY_LENGTH ? p->content_length
                                                      : 0;
    out->expect_continue = p->expect_continue && p->version == H1_VERSION_11 &&
                           p->body != H1_BODY_NONE; /* RFC 9110 section 10.1.1 */
    out->method = h1_span_slice(buf, p->method);
    out->target = h1_span_slice(buf, p->raw);
    out->query = h1_span_slice(buf, p->target.query);
    out->authority = read_authority(p, buf);
    out->host = h1_authority_host(out->authority);
    out->fields = fields;
    read_path(p, buf, path_room, out);
    read_fields(p, buf, out);
}

void h1_head_seen(const struct h1_parser *p, const char *buf, struct slice *method, struct slice *target) {
    *method = h1_span_slice(buf, p->method);
    *target = h1_span_slice(buf, p->raw);
}
