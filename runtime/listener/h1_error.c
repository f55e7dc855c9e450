/* SPDX-License-Identifier: Apache-2.0 */
/* h1_error.c – see h1_error.h. */
#include <errno.h>

#include "base/must.h"
#include "listener/h1_error.h"
#include "listener/h1_status.h"
#include "listener/h1_target.h"

#define EXTRA_FIELDS_MAX 8 /* that a caller may add */

static const struct sentence {
    unsigned status;
    const char *text;
} sentences[] = {
    {400, "The server did not understand this request."},
    {401, "Please say who you are."},
    {403, "This is not for everyone."},
    {404, "There is nothing at this address."},
    {405, "That cannot be done with this address."},
    {408, "The request took too long to arrive."},
    {413, "The request is larger than the server accepts."},
    {414, "The address is longer than the server accepts."},
    {417, "The server cannot meet what the request expects."},
    {421, "This server does not answer for that host here."},
    {429, "Too many requests came from here. Please wait a little."},
    {431, "The header of the request is larger than the server accepts."},
    {500, "Something went wrong while the answer was made."},
    {501, "The server cannot do that."},
    {502, "The site did not give a usable answer."},
    {503, "The site cannot answer now. Please try again in a moment."},
    {504, "The site took too long to answer."},
    {505, "The server speaks HTTP/1.1 here."},
};

static const char *sentence(unsigned status) {
    if (status < 400)
        return status < 300 ? "That is all there is to say." : "What was here is at another address.";
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (sentences[i].status == status)
            return sentences[i].text;
    return status >= 500 ? "The request could not be answered." : "The request was not accepted.";
}

struct writer {
    char *p, *end;
};

static void put(struct writer *w, struct slice s) {
    MUST((size_t)(w->end - w->p) >= s.n);
    if (s.n > 0)
        memcpy(w->p, s.p, s.n);
    w->p += s.n;
}

/* How a byte is written where the document's own characters must not end or begin anything. */
static struct slice escape(const char *c, bool json) {
    switch (*c) {
    case '&':
        return json ? slice_from(c, 1) : SLICE("&amp;");
    case '<':
        return json ? SLICE("\\u003c") : SLICE("&lt;");
    case '>':
        return json ? slice_from(c, 1) : SLICE("&gt;");
    case '"':
        return json ? SLICE("\\\"") : SLICE("&quot;");
    case '\\':
        return json ? SLICE("\\\\") : slice_from(c, 1);
    default:
        return (uint8_t)*c < 0x20 || *c == 0x7f ? SLICE(" ") : slice_from(c, 1);
    }
}

static size_t character_bytes(const char *c) {
    uint8_t lead = (uint8_t)*c;
    return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* spare: bytes that must stay free behind it. Text that is not UTF-8 shows its ASCII only. */
static void put_text(struct writer *w, struct slice text, bool json, size_t spare) {
    bool good = h1_path_is_utf8(text);
    for (size_t i = 0; i < text.n;) {
        const char *c = text.p + i;
        size_t n = good ? character_bytes(c) : 1;
        struct slice s = n > 1 ? slice_from(c, n) : (uint8_t)*c >= 0x80 ? SLICE("?") : escape(c, json);
        if ((size_t)(w->end - w->p) < s.n + spare)
            return;
        put(w, s);
        i += n;
    }
}

static void put_code(struct writer *w, unsigned status) {
    char code[3] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                    (char)('0' + status % 10)};
    put(w, slice_from(code, sizeof code));
}

/* "404 Not Found" */
static void put_status(struct writer *w, unsigned status) {
    put_code(w, status);
    put(w, SLICE(" "));
    put(w, h1_status_reason(status));
}

static void put_request(struct writer *w, uint64_t request) {
    char digits[16];
    for (size_t i = sizeof digits; i > 0; request >>= 4)
        digits[--i] = "0123456789abcdef"[request & 15];
    put(w, slice_from(digits, sizeof digits));
}

#define SPARE 80 /* for what follows the text */

static void put_html(struct writer *w, unsigned status, struct slice text, uint64_t request) {
    put(w, SLICE("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>"));
    put_status(w, status);
    put(w, SLICE("</title>\n<h1>"));
    put_status(w, status);
    put(w, SLICE("</h1>\n<p>"));
    put_text(w, text, false, SPARE);
    if (request) {
        put(w, SLICE("</p>\n<p>Request "));
        put_request(w, request);
    }
    put(w, SLICE("</p>\n</html>\n"));
}

static void put_json(struct writer *w, unsigned status, struct slice text, uint64_t request) {
    put(w, SLICE("{\"status\":"));
    put_code(w, status);
    put(w, SLICE(",\"title\":\""));
    put(w, h1_status_reason(status));
    put(w, SLICE("\",\"detail\":\""));
    put_text(w, text, true, SPARE);
    if (request) {
        put(w, SLICE("\",\"request\":\""));
        put_request(w, request);
    }
    put(w, SLICE("\"}\n"));
}

size_t h1_error_body(unsigned status, const struct h1_page *page, char out[H1_ERROR_BODY_MAX_BYTES]) {
    struct writer w = {out, out + H1_ERROR_BODY_MAX_BYTES};
    struct slice text = page && page->text.n > 0 ? page->text : slice_text(sentence(status));
    uint64_t request = page ? page->request : 0;
    if (page && page->json)
        put_json(&w, status, text, request);
    else
        put_html(&w, status, text, request);
    return (size_t)(w.p - out);
}

int h1_error_write(const struct h1_response *r, const struct h1_page *page, char *out, size_t room,
                   struct h1_framing *framing) {
    char body[H1_ERROR_BODY_MAX_BYTES];
    bool json = page && page->json;
    struct field fields[EXTRA_FIELDS_MAX + 2] = {
        {SLICE("Content-Type"), json ? SLICE("application/json") : SLICE("text/html; charset=utf-8")},
        {SLICE("Cache-Control"), SLICE("no-store")},
    };
    if (r->fields_count > EXTRA_FIELDS_MAX)
        return -EMSGSIZE;
    for (size_t i = 0; i < r->fields_count; i++)
        fields[2 + i] = r->fields[i];
    struct h1_response whole = *r;
    struct h1_framing chosen;
    size_t n = h1_error_body(r->status, page, body);
    whole.content_length = n;
    whole.fields = fields;
    whole.fields_count = r->fields_count + 2;
    int head = h1_response_write(&whole, out, room, &chosen);
    if (head < 0)
        return head;
    if (chosen.body == H1_BODY_NONE)
        n = 0;
    if (room - (size_t)head < n)
        return -EMSGSIZE;
    memcpy(out + head, body, n);
    *framing = chosen;
    return head + (int)n;
}

/* SETTINGS: length 0, type 4. GOAWAY: length 8, type 7, no stream, error 13. */
const struct slice h1_error_preface = {
    "\0\0\0\4\0\0\0\0\0"
    "\0\0\10\7\0\0\0\0\0"
    "\0\0\0\0\0\0\0\15",
    26,
};
