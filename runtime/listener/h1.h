/* SPDX-License-Identifier: Apache-2.0 */
/* h1.h – words that every part of the HTTP/1.1 codec shares.
 * Runs in: listener. Distrusts: every byte of a client, every field of a vhost.
 * The codec is pure: no I/O, no allocation, no clock, no state but what the caller hands in.
 *
 *   h1_head.h   bytes → request head        h1_response.h  response head → bytes
 *   h1_body.h   bytes → request content     h1_chunk.h     content → chunks
 *   h1_error.h  status → page for a person  h1_status.h    status → reason phrase
 *   h1_accept.h Accept → which kind of page h1_list.h      comma-separated lists
 */
#ifndef LUTTPD_LISTENER_H1_H
#define LUTTPD_LISTENER_H1_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define H1_LENGTH_UNKNOWN UINT64_MAX /* a content length that is not known yet */
#define H1_FIELDS_MAX 128            /* field lines in one head, whatever the limits say */
#define H1_HEAD_MAX_BYTES 65535      /* head_bytes may not be set higher */
#define H1_TARGET_MAX_BYTES 8192     /* target_bytes may not be set higher */
#define H1_METHOD_MAX_BYTES 32       /* method_bytes may not be set higher */
#define H1_HOST_MAX_BYTES 255        /* a host name without its port */

enum h1_version { H1_VERSION_10, H1_VERSION_11 };

/** What a decoder says about the bytes it was given. */
enum h1_verdict {
    H1_MORE,    /* nothing wrong so far; come back with more bytes */
    H1_DATA,    /* a piece of content (bodies only) */
    H1_DONE,    /* complete */
    H1_REFUSED, /* answer with the refusal's status, then close: framing is in doubt */
};

/** Why something was refused. reason: static text for a log, never for the client. */
struct h1_refusal {
    uint16_t status; /* 400 to 599; 0 where nothing was refused */
    const char *reason;
};

enum h1_body_kind {
    H1_BODY_NONE,        /* no content follows the head */
    H1_BODY_LENGTH,      /* content_length bytes */
    H1_BODY_CHUNKED,     /* RFC 9112 section 7.1 */
    H1_BODY_UNTIL_CLOSE, /* responses only: the content ends with the connection */
};

/** What a client may send. Each limit is the largest value that is still accepted. */
struct h1_limits {
    uint32_t head_bytes;      /* request line, field lines and the empty line together; 431 */
    uint32_t target_bytes;    /* 414 */
    uint32_t method_bytes;    /* 501 */
    uint32_t fields;          /* field lines; 431 */
    uint32_t extension_bytes; /* all chunk extensions of one body together, 0: none; 400 */
    uint32_t trailer_bytes;   /* the lines of the trailer section, 0: none; 431 */
    bool refuse_bad_utf8;     /* a path that is no UTF-8 once decoded: 400 */
    bool keep_encoded_slash;  /* "%2F" in a path stays as it is, see h1_target.h; else 400 */
};

extern const struct h1_limits h1_default_limits;

#endif
