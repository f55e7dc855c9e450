/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h – asks a config process for the plan.
 * Runs in: master. Distrusts: config. */
#ifndef LUTTPD_MASTER_EVALUATE_H
#define LUTTPD_MASTER_EVALUATE_H

#include "master/master.h"

/** Evaluates the configuration and checks the plan: sets m->plan, m->routes and m->policies, before
 * there are other children. Waits for config.
 * Returns 0, EXIT_CONFIGURATION where it has faults (printed), or EXIT_FAILED (reported). */
int evaluate(struct master *m);

/** The same in parts, beside the other children: starts config, whose messages the loop takes; */
void evaluate_begin(struct master *m);

/** says whether its process is gone; */
bool evaluate_ended(struct master *m);

/** and then takes what it has said. out: zeroed or closed. routes, policies: set on success, the
 * caller's to close. Returns what evaluate does. */
int evaluate_take(struct master *m, struct plan *out, int *routes, int *policies);

/** PLAN has come: takes its descriptors. context: master. Returns 0, or -EBADMSG after faults or
 * another plan. */
int evaluate_on_plan(void *context, const struct message_plan *plan, struct packet *p);

/** FAULT has come: prints it. context: master. Returns 0, or -EBADMSG after a plan. */
int evaluate_on_fault(void *context, const struct message_fault *fault, struct packet *p);

#endif
