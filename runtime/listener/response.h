/* SPDX-License-Identifier: Apache-2.0 */
/* response.h – from a vhost's HEAD, BODY, FILE and END, or our own refusal, to bytes for the client.
 * Runs in: listener. Distrusts: the vhost: what it may say next is decided here. */
#ifndef LUTTPD_LISTENER_RESPONSE_H
#define LUTTPD_LISTENER_RESPONSE_H

#include "schema/messages.h"

struct connection;

/** An answer of the listener itself: a page for a person. Slices may be empty. */
struct own_answer {
    uint16_t status;       /* 200, 3xx to 5xx */
    uint32_t retry_s;      /* Retry-After, 0 for none */
    struct slice text;     /* a sentence instead of the usual one; plain text, escaped where needed */
    struct slice location; /* for a redirect: fit for a field's value */
    struct slice allow;    /* methods, for 405: fit for a field's value */
};

/** Answers from the listener itself, before any head was written. answer: borrowed until return. The request
 * is read no further: a body that the client may still send closes the connection. */
void response_answer(struct connection *c, const struct own_answer *answer);

/** The same for a mere status. */
void response_own(struct connection *c, unsigned status, unsigned retry_s);

/** Whether the client prefers pages in JSON. c has its request. */
bool response_is_json(const struct connection *c);

/** Handlers of the vhost's messages on the stream of c. Return 0, or -EBADMSG: it broke a rule. */
int response_head(struct connection *c, const struct message_head *m);
int response_body(struct connection *c, const struct message_body *m);
int response_file(struct connection *c, const struct message_file *m);
int response_end(struct connection *c);

/** The stream is gone: answers with status where no head was written, else cuts the connection. */
void response_broken(struct connection *c, unsigned status);

/** Output was written: grants the vhost credit for it once enough has gathered. */
void response_consumed(struct connection *c);

/** Everything is written: logs, closes the stream, readies c for its next request or its end. */
void response_finish(struct connection *c);

/** Logs the request of c as it ended. */
void response_log(struct connection *c);

#endif
