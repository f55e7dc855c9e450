/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h – the routing policy: its script, and what it answers.
 * Runs in: router. Trusts: the admin, whose script it is. Distrusts: the script's mistakes, each question.
 *
 *   policy_prepare(r)                    before the cage closes: the VM (JIT off) and its stack
 *   policy_load(r, fd, epoch, why)       on the stack, at the start and for each POLICY of master
 *   policy_answer(r, &ask, &answer)      on the stack, for each question
 *
 * What the script gives is judged in Lua (lua/routing) and once more here: a vhost that neither the
 * host map nor ROUTE_ALSO allows for the host is never answered. A failure is a logged 500. */
#ifndef LUTTPD_ROUTER_POLICY_H
#define LUTTPD_ROUTER_POLICY_H

#include <stdint.h>

#include "route/route_policy.h"
#include "schema/messages.h"
#include "script/script.h"

struct router;

#define POLICY_MEMORY_BYTES (64u << 20)
#define POLICY_CPU_MS 20        /* of one answer */
#define POLICY_HARD_CPU_MS 500  /* C code that keeps an answer that long, a grammar say, ends the process */
#define POLICY_LOAD_CPU_MS 2000 /* of each step of a load, as in config */
#define POLICY_WHY_BYTES (MESSAGE_POLICY_TAKEN_WHY_MAX + 1)

/** An answer, and the room for its texts. */
struct policy_answer {
    struct message_route route; /* slices point into what follows, or to static text */
    char location[MESSAGE_ROUTE_LOCATION_MAX];
    char text[MESSAGE_ROUTE_TEXT_MAX];
    char selector_name[MESSAGE_ROUTE_SELECTOR_NAME_MAX];
};

struct policy {
    struct script_stack stack;
    struct script *script;
    struct route_policy *facts; /* NULL before the first load */
    int rules;                  /* registry reference: what the script said; LUA_NOREF without a script */
    int decide;                 /* registry reference: the function answer of routing.decide */
    uint64_t epoch;
};

/** Returns 0 or -errno. */
int policy_prepare(struct router *r);

/** Reads sealed policies, runs the script in a fresh environment, and swaps. fd: borrowed.
 * Returns 0; else -errno, everything as before, and why (a sentence, never empty). */
int policy_load(struct router *r, int fd, uint64_t epoch, char why[POLICY_WHY_BYTES]);

/** Answers a question. ask: borrowed. out: filled in every case. */
void policy_answer(struct router *r, const struct message_route_ask *ask, struct policy_answer *out);

#endif
