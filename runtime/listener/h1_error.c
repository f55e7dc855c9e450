/* SPDX-License-Identifier: Apache-2.0 */
/* h1_error.c – see h1_error.h. */
#include <errno.h>
#include <stdio.h>

#include "base/must.h"
#include "listener/h1_error.h"
#include "listener/h1_status.h"

#define EXTRA_FIELDS_MAX 8 /* that a caller may add */

static const struct sentence {
    unsigned status;
    const char *text;
} sentences[] = {
    {400, "The server did not understand this request."},
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
        return "That is all there is to say.";
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (sentences[i].status == status)
            return sentences[i].text;
    return status >= 500 ? "The request could not be answered." : "The request was not accepted.";
}

size_t h1_error_body(unsigned status, char out[H1_ERROR_BODY_MAX_BYTES]) {
    struct slice reason = h1_status_reason(status);
    int n = snprintf(out, H1_ERROR_BODY_MAX_BYTES,
                     "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                     "<title>%u %.*s</title>\n<h1>%u %.*s</h1>\n<p>%s</p>\n</html>\n",
                     status, (int)reason.n, reason.p, status, (int)reason.n, reason.p, sentence(status));
    MUST(n > 0 && n < H1_ERROR_BODY_MAX_BYTES);
    return (size_t)n;
}

int h1_error_write(const struct h1_response *r, char *out, size_t room, struct h1_framing *framing) {
    char page[H1_ERROR_BODY_MAX_BYTES];
    struct field fields[EXTRA_FIELDS_MAX + 2] = {
        {SLICE("Content-Type"), SLICE("text/html; charset=utf-8")},
        {SLICE("Cache-Control"), SLICE("no-store")},
    };
    if (r->fields_count > EXTRA_FIELDS_MAX)
        return -EMSGSIZE;
    for (size_t i = 0; i < r->fields_count; i++)
        fields[2 + i] = r->fields[i];
    struct h1_response whole = *r;
    struct h1_framing chosen;
    size_t n = h1_error_body(r->status, page);
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
    memcpy(out + head, page, n);
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
