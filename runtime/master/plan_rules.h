/* SPDX-License-Identifier: Apache-2.0 */
/* plan_rules.h – what one record of a plan may say.
 * Runs in: master. Each returns NULL where the record is good, else the rule that it breaks. */
#ifndef LUTTPD_MASTER_PLAN_RULES_H
#define LUTTPD_MASTER_PLAN_RULES_H

#include "master/plan.h"

const char *plan_rules_server(const struct message_plan_server *m);
const char *plan_rules_listen(const struct message_plan_listen *m);
const char *plan_rules_vhost(const struct plan_rules *rules, const struct message_plan_vhost *m);

/** What must hold between vhosts: names are unique, users too unless both sides share (or all of
 * them do, in single-user mode). Uses plan->sorted. */
const char *plan_rules_between(const struct plan_rules *rules, struct plan *plan);

#endif
