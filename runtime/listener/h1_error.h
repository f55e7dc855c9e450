/* SPDX-License-Identifier: Apache-2.0 */
/* h1_error.h – answers that the listener gives itself: a short page for a person.
 * Runs in: listener. Says nothing about the inside, repeats nothing that the client sent.
 * Distrusts: the sentence, which may come from a policy's script. */
#ifndef LUTTPD_LISTENER_H1_ERROR_H
#define LUTTPD_LISTENER_H1_ERROR_H

#include "listener/h1_response.h"

#define H1_ERROR_BODY_MAX_BYTES 1536 /* an error page is never larger */
#define H1_ERROR_MAX_BYTES 2048      /* nor is it with its head, without extra fields */

/** What a page says beside its status. */
struct h1_page {
    uint64_t request;  /* id of the request, shown as 16 hexadecimal digits; 0: none is shown */
    bool json;         /* application/json instead of text/html; see h1_accept.h */
    struct slice text; /* plain text instead of the usual sentence; empty: the usual one */
};

/** Writes the page of a final status: minimal HTML, or a JSON object with status, title, detail
 * and request. page: borrowed; NULL: all zero. Its text is escaped, control bytes become spaces,
 * and what does not fit is cut off behind a whole character.
 * out: H1_ERROR_BODY_MAX_BYTES. Returns its bytes. */
size_t h1_error_body(unsigned status, const struct h1_page *page, char out[H1_ERROR_BODY_MAX_BYTES]);

/** Writes a whole response: head and page. r: version, head, keep_alive, status, date and at most
 * 8 extra fields (Allow, Retry-After) as in h1_response.h; its content_length is not looked at.
 * page: as above. The answer may not be stored. Returns and sets framing as h1_response_write; the
 * page, where one may be sent, is already in out. */
int h1_error_write(const struct h1_response *r, const struct h1_page *page, char *out, size_t room,
                   struct h1_framing *framing);

/** What an HTTP/2 client with prior knowledge understands: SETTINGS, then GOAWAY with
 * HTTP_1_1_REQUIRED (RFC 9113 sections 6.5, 6.8). Send and close where parser.preface is set. */
extern const struct slice h1_error_preface;

#endif
