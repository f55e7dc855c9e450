/* SPDX-License-Identifier: Apache-2.0 */
/* blame.h – who may have whom replaced.
 * Runs in: master. Distrusts: the accuser. The router may accuse a listener, a listener or the logger
 * a vhost; never the other way, or a captured vhost could end connections of others. */
#ifndef LUTTPD_MASTER_BLAME_H
#define LUTTPD_MASTER_BLAME_H

#include "master/master.h"

/* An honest peer never breaks a rule, and a successor that breaks it again is held up by the back-off
 * of its restarts: more is needed by nobody but a liar. It is what a captured listener can cost each
 * minute beyond the traffic that it carries anyway. */
#define BLAME_BELIEVED_PER_MINUTE 5

/** BLAME has come from m->speaking: kills the accused, which is then replaced, if the accuser may say
 * so and the accused is the very process that it means. Else nothing happens but a line in the log,
 * one for each minute. context: master. Returns 0. */
int blame_on_accusation(void *context, const struct message_blame *blame, struct packet *p);

/** Whether a child of this role may accuse one of that. */
bool blame_is_allowed(enum role accuser, enum role accused);

/** Counts one more accusation. Returns whether it is believed. */
bool blame_spend(struct blame_allowance *a, uint64_t now_ms);

#endif
