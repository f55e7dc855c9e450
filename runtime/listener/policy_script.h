/* SPDX-License-Identifier: Apache-2.0 */
/* policy_script.h – the scripted part of a parsing policy: its hook, its grammars, and the VM that runs them.
 * Runs in: listener. Trusts the admin's text to mean well, not to be right: each entry has budgets, and what
 * a hook returns is checked. Distrusts: what of a request reaches a script.
 *
 *   policy_script.c  load, judge, what a hook answers      policy_head.c  what a hook sees of a request */
#ifndef LUTTPD_LISTENER_POLICY_SCRIPT_H
#define LUTTPD_LISTENER_POLICY_SCRIPT_H

#include "listener/policy.h"
#include "listener/policy_read.h"
#include "script/script.h"

#define POLICY_MEMORY_BYTES (16u << 20)
#define POLICY_CPU_MS 10
#define POLICY_LOAD_CPU_MS 200  /* of each step of a load, during which nobody is served */
#define POLICY_HARD_CPU_MS 1000 /* a grammar that takes that long ends the process */
#define POLICY_SENTENCE_BYTES 512
#define POLICY_LOCATION_BYTES 2048

/** A request as it is judged. All borrowed but what judging fills. */
struct policy_subject {
    struct h1_head *head;
    const struct network_client *client;
    uint16_t listener_port;
    char *tags; /* POLICY_TAGS_BYTES: where the text of tag lies */
    size_t tags_used, tag_count;
    struct field tag[POLICY_TAGS_MAX];
};

/** One for each listener process. */
struct policy_machine {
    struct script_stack stack;
    struct script *script;
    struct policy_subject *subject; /* what a hook may look at now; NULL outside of one */
    int match, head;                /* registry: lpeg.match, the head that hooks are given */
    char sentence[POLICY_SENTENCE_BYTES];
    char location[POLICY_LOCATION_BYTES];
    char scratch[POLICY_SCRATCH_BYTES];
};

/** Makes the VM. print, context: see script/options.h. Before the cage closes. Returns 0 or -errno. */
int policy_machine_init(struct policy_machine *machine, script_print *print, void *context);
void policy_machine_deinit(struct policy_machine *machine);

/** Runs the text and keeps its hook and grammars, of which there must be as many as given.
 * Returns 0 with out set (free with policy_script_free), else -EINVAL or -ENOMEM and why. */
int policy_script_load(struct policy_machine *machine, const struct policy_text *text, unsigned grammars,
                       struct policy_script **out, char why[POLICY_WHY_BYTES]);

/** Lets go of what the VM held for it. NULL is fine. */
void policy_script_free(struct policy_machine *machine, struct policy_script *script);

/** Judges by rules, grammars and hook, in one entry. out: empty.
 * Returns SCRIPT_DONE: out->status is 0 (go on, with subject's tags) or the answer, whose texts live until
 * the next call. Else another script_result: script_error says why, and the request must be refused. */
int policy_script_judge(struct policy_machine *machine, const struct policy_script *script,
                        const struct policy_rules *rules, struct policy_subject *subject,
                        struct own_answer *out);

/* policy_head.c */

/** Pushes a new head object, which shows machine->subject. Raises Lua errors. */
void policy_head_push(lua_State *L, struct policy_machine *machine);

#endif
