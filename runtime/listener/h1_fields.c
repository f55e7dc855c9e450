/* SPDX-License-Identifier: Apache-2.0 */
/* h1_fields.c – see h1_fields.h. */
#include "listener/h1_fields.h"
#include "listener/h1_authority.h"
#include "listener/h1_chars.h"
#include "listener/h1_list.h"

#define IS(slice, literal) h1_list_is((slice), SLICE(literal))

static bool is_token(struct slice s) {
    for (size_t i = 0; i < s.n; i++)
        if (h1_token_lower[(uint8_t)s.p[i]] == 0)
            return false;
    return s.n > 0;
}

static void mark(uint64_t bits[2], unsigned index) {
    bits[index / 64] |= UINT64_C(1) << (index % 64);
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
    while (h1_list_next(&value, ',', &coding)) {
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
    while (h1_list_next(&value, ',', &option)) {
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
        if (h1_known_end_to_end(option))
            return h1_refuse(p, 400, "Connection names an end-to-end field");
        if (h1_known_token(option) == H1_KNOWN_NOT)
            p->names_fields = true; /* the others are hop-by-hop anyway */
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
        mark(p->hidden, index);
        return take_transfer_encoding(p, value);
    case H1_KNOWN_CONNECTION:
        mark(p->hidden, index);
        return take_connection(p, value);
    case H1_KNOWN_EXPECT:
        mark(p->hidden, index); /* the listener answers it: a second 100 would be one too many */
        if (!IS(value, "100-continue"))
            return h1_refuse(p, 417, "unknown expectation");
        p->expect_continue = true;
        return H1_MORE;
    case H1_KNOWN_DISGUISE:
        return h1_refuse(p, 400, "framing field with underscores");
    case H1_KNOWN_CLAIM:
        mark(p->claims, index);
        return H1_MORE;
    case H1_KNOWN_HOP:
    case H1_KNOWN_OURS:
        mark(p->hidden, index);
        return H1_MORE;
    default:
        return H1_MORE;
    }
}

/* Marks the fields that one Connection field names. */
static void mark_named(struct h1_parser *p, const char *buf, struct slice options) {
    struct slice option;
    while (h1_list_next(&options, ',', &option)) {
        for (unsigned i = 0; option.n > 0 && i < p->fields_count; i++) {
            struct slice name = h1_span_slice(buf, p->fields[i].name);
            if (h1_list_is(option, name))
                mark(p->hidden, i);
        }
    }
}

enum h1_verdict h1_fields_finish(struct h1_parser *p, const char *buf) {
    if (p->host == 0 && p->version == H1_VERSION_11)
        return h1_refuse(p, 400, "no Host field");
    if (p->body != H1_BODY_NONE && slice_equal(h1_span_slice(buf, p->method), SLICE("TRACE")))
        return h1_refuse(p, 400, "TRACE with content"); /* RFC 9110 section 9.3.8 */
    for (unsigned i = 0; p->names_fields && i < p->fields_count; i++)
        if (slice_equal(h1_span_slice(buf, p->fields[i].name), SLICE("connection")))
            mark_named(p, buf, h1_span_slice(buf, p->fields[i].value));
    return H1_DONE;
}
