/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h – asks a config process for the plan.
 * Runs in: master. Distrusts: config. */
#ifndef LUTTPD_MASTER_EVALUATE_H
#define LUTTPD_MASTER_EVALUATE_H

#include "master/master.h"

#define EVALUATE_MS 20000 /* from the spawn of config to its plan */

/** Evaluates the configuration and checks the plan: m->plan and m->evaluation are set on success.
 * Returns 0, EXIT_CONFIGURATION where it has faults (printed), or EXIT_FAILED (reported). */
int evaluate(struct master *m);

/** PLAN has come: takes its descriptors. context: master. Returns 0, or -EBADMSG after faults or
 * another plan. */
int evaluate_on_plan(void *context, const struct message_plan *plan, struct packet *p);

/** FAULT has come: prints it. context: master. Returns 0, or -EBADMSG after a plan. */
int evaluate_on_fault(void *context, const struct message_fault *fault, struct packet *p);

#endif
