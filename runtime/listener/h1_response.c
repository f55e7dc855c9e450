/* SPDX-License-Identifier: Apache-2.0 */
/* h1_response.c – see h1_response.h.
 *
 *   content length    HTTP/1.1                      HTTP/1.0
 *   known             Content-Length                Content-Length
 *   unknown           Transfer-Encoding: chunked    Connection: close, ends with the connection
 *   HEAD              Content-Length where known, never content
 *   1xx 204 304       neither field, never content: RFC 9112 section 6.3
 *   205               Content-Length: 0, never content: RFC 9110 section 15.3.6
 *
 * The version written is always ours, HTTP/1.1: RFC 9110 section 6.2. */
#include <errno.h>

#include "listener/h1_known.h"
#include "listener/h1_response.h"
#include "listener/h1_scan.h"
#include "listener/h1_status.h"

struct writer {
    char *p, *end;
    bool full;
};

static void put(struct writer *w, struct slice s) {
    if ((size_t)(w->end - w->p) < s.n) {
        w->full = true;
        return;
    }
    memcpy(w->p, s.p, s.n);
    w->p += s.n;
}

static void put_line(struct writer *w, struct slice name, struct slice value) {
    if ((size_t)(w->end - w->p) < name.n + value.n + 4) {
        w->full = true;
        return;
    }
    memcpy(w->p, name.p, name.n);
    w->p += name.n;
    *w->p++ = ':';
    *w->p++ = ' ';
    if (value.n > 0)
        memcpy(w->p, value.p, value.n);
    w->p += value.n;
    *w->p++ = '\r';
    *w->p++ = '\n';
}

static void put_length(struct writer *w, uint64_t length) {
    char digits[20];
    size_t i = sizeof digits;
    do
        digits[--i] = (char)('0' + length % 10);
    while ((length /= 10) > 0);
    put_line(w, SLICE("Content-Length"), slice_from(digits + i, sizeof digits - i));
}

static void put_status(struct writer *w, unsigned status) {
    char code[4] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10),
                    ' '};
    put(w, SLICE("HTTP/1.1 "));
    put(w, slice_from(code, sizeof code));
    put(w, h1_status_reason(status));
    put(w, SLICE("\r\n"));
}

static bool is_clean(struct field f) {
    for (size_t i = 0; i < f.name.n; i++)
        if (h1_token_lower[(uint8_t)f.name.p[i]] == 0)
            return false;
    if (f.name.n == 0)
        return false;
    const char *end = f.value.p + f.value.n;
    return f.value.n == 0 || h1_scan_value(f.value.p, end) == end;
}

/* What the listener says itself, or nobody may say. */
static bool is_ours(struct slice name) {
    switch (h1_known_token(name)) {
    case H1_KNOWN_CONNECTION:
    case H1_KNOWN_CONTENT_LENGTH:
    case H1_KNOWN_TRANSFER_ENCODING:
    case H1_KNOWN_DATE:
    case H1_KNOWN_HOP:
        return true;
    default:
        return false;
    }
}

/* Returns false where a field is not fit for the wire. */
static bool put_fields(struct writer *w, const struct h1_response *r) {
    for (size_t i = 0; i < r->fields_count; i++) {
        if (!is_clean(r->fields[i]))
            return false;
        if (!is_ours(r->fields[i].name))
            put_line(w, r->fields[i].name, r->fields[i].value);
    }
    return true;
}

static struct h1_framing choose_framing(const struct h1_response *r) {
    struct h1_framing f = {.body = H1_BODY_NONE, .keep_alive = r->keep_alive};
    if (r->head || r->status < 200 || r->status == 204 || r->status == 205 || r->status == 304)
        return f;
    if (r->content_length != H1_LENGTH_UNKNOWN) {
        f.body = H1_BODY_LENGTH;
    } else if (r->version == H1_VERSION_11) {
        f.body = H1_BODY_CHUNKED;
    } else {
        f.body = H1_BODY_UNTIL_CLOSE;
        f.keep_alive = false;
    }
    return f;
}

static void put_framing(struct writer *w, const struct h1_response *r, struct h1_framing f) {
    if (r->status == 205)
        put_length(w, 0);
    else if (f.body == H1_BODY_CHUNKED)
        put(w, SLICE("Transfer-Encoding: chunked\r\n"));
    else if (r->content_length != H1_LENGTH_UNKNOWN && r->status != 204 && r->status != 304)
        put_length(w, r->content_length);
    if (!f.keep_alive)
        put(w, SLICE("Connection: close\r\n"));
    else if (r->version == H1_VERSION_10)
        put(w, SLICE("Connection: keep-alive\r\n"));
}

/* 101 is not among them: a change of protocol is no response head. */
static bool is_status(unsigned status) {
    return status >= 100 && status <= 599 && status != 101;
}

int h1_response_write(const struct h1_response *r, char *out, size_t room, struct h1_framing *framing) {
    struct writer w = {.p = out, .end = out + room};
    struct h1_framing chosen = choose_framing(r);
    bool interim = r->status < 200;
    if (!is_status(r->status))
        return -EBADMSG;
    put_status(&w, r->status);
    if (!put_fields(&w, r))
        return -EBADMSG;
    if (!interim) {
        if (r->date.n > 0)
            put_line(&w, SLICE("Date"), r->date);
        put_framing(&w, r, chosen);
    }
    put(&w, SLICE("\r\n"));
    if (w.full)
        return -EMSGSIZE;
    *framing = chosen;
    return interim && r->version == H1_VERSION_10 ? 0 : (int)(w.p - out);
}
