/* SPDX-License-Identifier: Apache-2.0 */
/* h1_error.h – answers that the listener gives itself: a short page for a person.
 * Runs in: listener. Says nothing about the inside, repeats nothing that the client sent. */
#ifndef LUTTPD_LISTENER_H1_ERROR_H
#define LUTTPD_LISTENER_H1_ERROR_H

#include "listener/h1_response.h"

#define H1_ERROR_BODY_MAX_BYTES 512 /* an error page is never larger */
#define H1_ERROR_MAX_BYTES 1024     /* nor is it with its head, without extra fields */

/** Writes the page of a final status, minimal HTML, as text/html; charset=utf-8.
 * out: H1_ERROR_BODY_MAX_BYTES. Returns its bytes. */
size_t h1_error_body(unsigned status, char out[H1_ERROR_BODY_MAX_BYTES]);

/** Writes a whole response: head and page. r: version, head, keep_alive, status, date and extra
 * fields (Allow, Retry-After) as in h1_response.h; its content_length is not looked at.
 * The answer may not be stored. Returns and sets framing as h1_response_write; the page, where one
 * may be sent, is already in out. */
int h1_error_write(const struct h1_response *r, char *out, size_t room, struct h1_framing *framing);

/** What an HTTP/2 client with prior knowledge understands: SETTINGS, then GOAWAY with
 * HTTP_1_1_REQUIRED (RFC 9113 sections 6.5, 6.8). Send and close where parser.preface is set. */
extern const struct slice h1_error_preface;

#endif
