/* SPDX-License-Identifier: Apache-2.0 */
/* h1_fields.h – what the field lines of a request mean for framing and for the connection.
 * Runs in: listener. Distrusts: every byte. Used by h1_head.c only. */
#ifndef LUTTPD_LISTENER_H1_FIELDS_H
#define LUTTPD_LISTENER_H1_FIELDS_H

#include "listener/h1_head.h"
#include "listener/h1_known.h"

#define H1_CONNECTION_OPTIONS_MAX 32 /* in all Connection fields of one head, empty ones counted */

/** Remembers why p is refused. Returns H1_REFUSED. */
static inline enum h1_verdict h1_refuse(struct h1_parser *p, uint16_t status, const char *reason) {
    p->refusal = (struct h1_refusal){status, reason};
    return H1_REFUSED;
}

static inline struct slice h1_span_slice(const char *buf, struct h1_span span) {
    return slice_from(buf + span.at, span.n);
}

/** Acts on field line number index, whose spans are set. known: what its name is, not
 * H1_KNOWN_NOT. buf: a Host is lower-cased in place. Returns H1_MORE or H1_REFUSED. */
enum h1_verdict h1_field_take(struct h1_parser *p, char *buf, unsigned index, enum h1_known known);

/** Checks what only the complete head shows. Returns H1_DONE or H1_REFUSED. */
enum h1_verdict h1_fields_finish(struct h1_parser *p, const char *buf);

#endif
