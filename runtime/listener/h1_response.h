/* SPDX-License-Identifier: Apache-2.0 */
/* h1_response.h – writes the head of a response and decides how its content is framed.
 * Runs in: listener. Distrusts: status and fields, which come from a vhost's scripts.
 *
 * Framing is the listener's alone: fields named connection, keep-alive, proxy-connection, te,
 * trailer, transfer-encoding, upgrade, content-length and date are dropped without a word, in any
 * case of letters. A name that is no token, or a value with a control byte, is the vhost's
 * fault: -EBADMSG, and nothing of it may reach the wire. */
#ifndef LUTTPD_LISTENER_H1_RESPONSE_H
#define LUTTPD_LISTENER_H1_RESPONSE_H

#include "listener/h1.h"

struct h1_response {
    enum h1_version version;    /* of the request */
    bool head;                  /* the request's method was HEAD */
    bool keep_alive;            /* client and listener would both go on */
    uint16_t status;            /* 100, 102 to 199, 200 to 599 */
    uint64_t content_length;    /* H1_LENGTH_UNKNOWN where it is not known */
    const struct field *fields; /* borrowed; may be NULL where count is 0 */
    size_t fields_count;
    struct slice date; /* ready IMF-fixdate; empty: no Date */
};

/** How to go on after the head. */
struct h1_framing {
    enum h1_body_kind body; /* NONE: send no content, whatever comes (HEAD, 1xx, 204, 205, 304) */
    bool keep_alive;        /* the connection may carry another request afterwards */
};

/** Writes the head, with the empty line. out: room bytes. framing: set on success.
 * A 1xx status gets fields only; another head must follow.
 * Returns bytes written; 0 for a 1xx on HTTP/1.0, which knows none; -EMSGSIZE where room is too
 * small; -EBADMSG where status or a field is not fit for the wire. */
int h1_response_write(const struct h1_response *r, char *out, size_t room, struct h1_framing *framing);

/** The answer to Expect: 100-continue. */
#define H1_CONTINUE SLICE("HTTP/1.1 100 Continue\r\n\r\n")

#endif
