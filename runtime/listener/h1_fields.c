/* SPDX-License-Identifier: Apache-2.0 */
/* h1_fields.c – see h1_fields.h. */
#include <strings.h>

#include "listener/h1_authority.h"
#include "listener/h1_chars.h"
#include "listener/h1_fields.h"

static bool is_text(struct slice s, const char *text, size_t n) {
    return s.n == n && strncasecmp(s.p, text, n) == 0;
}

#define IS(slice, literal) is_text((slice), (literal), sizeof(literal) - 1)

static struct slice trim(struct slice s) {
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Takes the next member off a comma-separated list, trimmed; it may be empty. False at the end. */
static bool next_member(struct slice *list, struct slice *member) {
    if (list->p == NULL)
        return false;
    const char *comma = list->n > 0 ? memchr(list->p, ',', list->n) : NULL;
    if (comma) {
        size_t n = (size_t)(comma - list->p);
        *member = trim(slice_from(list->p, n));
        *list = slice_from(comma + 1, list->n - n - 1);
    } else {
        *member = trim(*list);
        *list = slice_from(NULL, 0);
    }
    return true;
}

static bool is_token(struct slice s) {
    for (size_t i = 0; i < s.n; i++)
        if (h1_token_lower[(uint8_t)s.p[i]] == 0)
            return false;
    return s.n > 0;
}

static void mark_hop(struct h1_parser *p, unsigned index) {
    p->hop_by_hop[index / 64] |= UINT64_C(1) << (index % 64);
}

static enum h1_verdict take_host(struct h1_parser *p, char *buf, unsigned index) {
    struct h1_span value = p->fields[index].value;
    if (p->host)
        return h1_refuse(p, 400, "more than one Host field");
    if (!h1_authority_take(buf + value.at, value.n))
        return h1_refuse(p, 400, "invalid Host");
    p->host = (uint8_t)(index + 1);
    return H1_MORE;
}

static enum h1_verdict take_content_length(struct h1_parser *p, struct slice value) {
    if (p->content_length != H1_LENGTH_UNKNOWN)
        return h1_refuse(p, 400, "more than one Content-Length field");
    if (p->transfer_encoding)
        return h1_refuse(p, 400, "Content-Length beside Transfer-Encoding");
    uint64_t length = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (!(h1_chars[(uint8_t)value.p[i]] & H1_CHAR_DIGIT))
            return h1_refuse(p, 400, "Content-Length is not a number");
        if (length > (INT64_MAX - 9) / 10)
            return h1_refuse(p, 400, "Content-Length too large");
        length = length * 10 + (uint64_t)(value.p[i] - '0');
    }
    if (value.n == 0)
        return h1_refuse(p, 400, "empty Content-Length");
    p->content_length = length;
    p->body = length > 0 ? H1_BODY_LENGTH : H1_BODY_NONE;
    return H1_MORE;
}

/* RFC 9112 section 6.3: 400 where chunked does not come last and once, since the length is then
 * not to be known; 501 where it does, behind codings that this server does not understand. */
static enum h1_verdict refuse_codings(struct h1_parser *p, struct slice value) {
    struct slice coding;
    bool chunked = false;
    while (next_member(&value, &coding)) {
        if (chunked || !is_token(coding))
            return h1_refuse(p, 400, "malformed Transfer-Encoding");
        chunked = IS(coding, "chunked");
    }
    if (!chunked)
        return h1_refuse(p, 400, "Transfer-Encoding does not end with chunked");
    return h1_refuse(p, 501, "transfer coding not implemented");
}

static enum h1_verdict take_transfer_encoding(struct h1_parser *p, struct slice value) {
    if (p->version == H1_VERSION_10)
        return h1_refuse(p, 400, "Transfer-Encoding on HTTP/1.0");
    if (p->transfer_encoding)
        return h1_refuse(p, 400, "more than one Transfer-Encoding field");
    if (p->content_length != H1_LENGTH_UNKNOWN)
        return h1_refuse(p, 400, "Transfer-Encoding beside Content-Length");
    if (!IS(value, "chunked"))
        return refuse_codings(p, value);
    p->transfer_encoding = true;
    p->body = H1_BODY_CHUNKED;
    return H1_MORE;
}

/* Options are only read here: the fields that they name may still be to come. */
static enum h1_verdict take_connection(struct h1_parser *p, struct slice value) {
    struct slice option;
    while (next_member(&value, &option)) {
        if (++p->options > H1_CONNECTION_OPTIONS_MAX)
            return h1_refuse(p, 400, "too many connection options");
        if (option.n == 0)
            continue;
        if (!is_token(option))
            return h1_refuse(p, 400, "malformed Connection");
        if (IS(option, "close")) {
            p->close = true;
            continue;
        }
        if (IS(option, "keep-alive"))
            p->keep_alive = true;
        switch (h1_known_token(option)) {
        case H1_KNOWN_HOST:
        case H1_KNOWN_CONTENT_LENGTH:
        case H1_KNOWN_EXPECT:
        case H1_KNOWN_END_TO_END:
            return h1_refuse(p, 400, "Connection names an end-to-end field");
        case H1_KNOWN_NOT:
        case H1_KNOWN_DATE:
            p->names_fields = true;
            break;
        default:
            break; /* is hop-by-hop anyway */
        }
    }
    return H1_MORE;
}

enum h1_verdict h1_field_take(struct h1_parser *p, char *buf, unsigned index, enum h1_known known) {
    struct slice value = h1_span_slice(buf, p->fields[index].value);
    switch (known) {
    case H1_KNOWN_HOST:
        return take_host(p, buf, index);
    case H1_KNOWN_CONTENT_LENGTH:
        return take_content_length(p, value);
    case H1_KNOWN_TRANSFER_ENCODING:
        mark_hop(p, index);
        return take_transfer_encoding(p, value);
    case H1_KNOWN_CONNECTION:
        mark_hop(p, index);
        return take_connection(p, value);
    case H1_KNOWN_EXPECT:
        mark_hop(p, index); /* the listener answers it: a second 100 would be one too many */
        if (!IS(value, "100-continue"))
            return h1_refuse(p, 417, "unknown expectation");
        p->expect_continue = true;
        return H1_MORE;
    case H1_KNOWN_HOP:
        mark_hop(p, index);
        return H1_MORE;
    default:
        return H1_MORE;
    }
}

/* Marks the fields that one Connection field names. */
static void mark_named(struct h1_parser *p, const char *buf, struct slice options) {
    struct slice option;
    while (next_member(&options, &option)) {
        for (unsigned i = 0; option.n > 0 && i < p->fields_count; i++) {
            struct slice name = h1_span_slice(buf, p->fields[i].name);
            if (is_text(option, name.p, name.n))
                mark_hop(p, i);
        }
    }
}

enum h1_verdict h1_fields_finish(struct h1_parser *p, const char *buf) {
    if (p->host == 0 && p->version == H1_VERSION_11)
        return h1_refuse(p, 400, "no Host field");
    for (unsigned i = 0; p->names_fields && i < p->fields_count; i++)
        if (slice_equal(h1_span_slice(buf, p->fields[i].name), SLICE("connection")))
            mark_named(p, buf, h1_span_slice(buf, p->fields[i].value));
    return H1_DONE;
}
