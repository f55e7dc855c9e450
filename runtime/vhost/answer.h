/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h – from a request to an answer.
 * Runs in: vhost. Distrusts: the request. */
#ifndef LUTTPD_VHOST_ANSWER_H
#define LUTTPD_VHOST_ANSWER_H

#include "vhost/vhost.h"

/* answer.c */

extern const struct hub_events answer_events;

/** Sends a head through v->head. length: of the content, or LENGTH_UNKNOWN. Fields: borrowed.
 * bodiless: no content may follow. Returns as reply_head does. */
int answer_head(struct vhost *v, struct stream *s, unsigned status, uint64_t length,
                const struct field *fields, size_t count, bool bodiless);

/** The request of a stream: the one at hand, or the copy that its task keeps. NULL: there is none. */
const struct message_open *answer_request_of(struct vhost *v, struct stream *s);

/* static.c */

void static_answer_file(struct vhost *v, struct stream *s, const struct message_open *m,
                        const struct target *t, const struct route_match *match);
void static_answer_redirect(struct vhost *v, struct stream *s, const struct message_open *m,
                            const struct target *t, const struct route_match *match);

/* error_page.c */

/** Answers with the site's page for this status, or a plain one. allow: the value of the allow field,
 * NULL for none; borrowed. Ends the stream, now or, where the page is a function, later. */
void error_page_answer(struct vhost *v, struct stream *s, unsigned status, const char *allow);

/** As above, but never a function: for where a function has failed. */
void error_page_answer_plain(struct vhost *v, struct stream *s, unsigned status);

/** The words that go with a status, as RFC 9110 has them; "Error" where it has none. */
const char *error_page_reason(unsigned status);

/* owner_log.c */

/** Writes a line, or several, to the owner's error log. */
void owner_log(struct vhost *v, enum level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Logs the script's last failure with its traceback. during: what ran, as "get /hello/:name". */
void owner_log_failure(struct vhost *v, const char *during);

#endif
