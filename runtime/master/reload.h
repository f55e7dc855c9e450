/* SPDX-License-Identifier: Apache-2.0 */
/* reload.h – new policies while the server runs. Nothing else of a configuration can change.
 * Runs in: master. Distrusts: config, whose plan must be the one in use; the router and the listeners,
 * which may refuse, break down, or say nothing.
 *
 *   NOT --SIGHUP--> EVALUATING --same plan--> ROUTER --taken--> LISTENERS --all have answered--> NOT
 *                        |                      |
 *                        +------- failed -------+---------> NOT, and nothing was changed
 *
 * Everyone that starts once the router has taken them gets the new ones; until then the old ones. */
#ifndef LUTTPD_MASTER_RELOAD_H
#define LUTTPD_MASTER_RELOAD_H

#include "master/master.h"

#define RELOAD_ANSWER_MS 10000 /* a policy may load for 2 s of CPU, and machines are busy */

/** Goes on with the reload, or begins the one that is wanted. Returns when to look again. */
uint64_t reload_advance(struct master *m, uint64_t now_ms);

/** POLICY_TAKEN has come from m->speaking. context: master. Returns 0, or -EBADMSG where it was not
 * asked for, or not about this epoch. */
int reload_on_taken(void *context, const struct message_policy_taken *taken, struct packet *p);

/** Its process has ended, and all it had said was heard. */
void reload_on_death(struct master *m, struct child *c);

#endif
