/* SPDX-License-Identifier: Apache-2.0 */
/* policy_rules.h – the data of a parsing policy as tables, and judging a request's head by them.
 * Runs in: listener. Pure: no I/O, no allocation, no clock. Distrusts: the head.
 *
 * Methods first, then what is said of single fields, then the reject statements in order; the first that
 * refuses decides. Grammars are asked where a rule has one: whoever judges brings the function. */
#ifndef LUTTPD_LISTENER_POLICY_RULES_H
#define LUTTPD_LISTENER_POLICY_RULES_H

#include "listener/h1_head.h"
#include "schema/messages.h"

#define POLICY_NAMES_MAX 255 /* different fields that one policy looks at */
#define POLICY_METHODS_MAX 64
#define POLICY_FIELDS_MAX 128
#define POLICY_RULES_MAX 1024
#define POLICY_CONDITIONS_MAX 16384
#define POLICY_NAME_SLOTS 512
#define POLICY_SCRATCH_BYTES 65536 /* any piece of a head */

/** One pattern. Those of one condition stand together; all but the first are alternatives. */
struct policy_condition {
    uint8_t subject; /* enum subject */
    uint8_t match;   /* enum match */
    uint8_t name;    /* SUBJECT_FIELD: index among the names */
    bool alternative, negated, fold;
    uint16_t grammar;     /* MATCH_GRAMMAR: from 1 */
    struct slice pattern; /* lower case where fold */
};

struct policy_rule {
    uint32_t first, count; /* among the conditions; never none */
    uint16_t status;
};

/** Statuses are 0 where a field may be so. */
struct policy_field {
    uint8_t name;
    bool remove;
    uint16_t required, repeated, too_long;
    uint32_t max_bytes;
};

/** Everything is owned: policy_rules_deinit. */
struct policy_rules {
    struct slice *methods, *names;
    struct policy_field *fields;
    struct policy_rule *rules;
    struct policy_condition *conditions;
    char *texts; /* what the slices point into */
    size_t methods_count, names_count, fields_count, rules_count, conditions_count, texts_bytes;
    struct slice allow;               /* for a 405 */
    uint16_t grammars;                /* how many the script must have */
    bool removes;                     /* some field is removed */
    uint8_t slots[POLICY_NAME_SLOTS]; /* hash of a name → its index plus one */
};

/** Whether the policy's grammar of this number, from 1, matches text from its begin. */
typedef bool policy_match_grammar(void *context, unsigned grammar, struct slice text);

/** What judging needs. grammar may be NULL where the policy has none. */
struct policy_matter {
    const struct h1_head *head;
    char *scratch; /* POLICY_SCRATCH_BYTES, borrowed */
    policy_match_grammar *grammar;
    void *context;
    struct slice source, lower;      /* what was folded last, and that in scratch */
    uint8_t first[POLICY_NAMES_MAX]; /* of each name, the first line plus one */
    uint8_t next[H1_FIELDS_MAX];     /* the next line with that name */
};

/** Whether the method may be used: 0, or 405 for a registered one, else 501. */
unsigned policy_rules_method(const struct policy_rules *r, struct slice method);

/** The status with which the head is refused, or 0. m: head, scratch and grammar are set. */
unsigned policy_rules_judge(const struct policy_rules *r, struct policy_matter *m);

/** Moves the fields that are to be removed behind those that the vhost may see. */
void policy_rules_remove(const struct policy_rules *r, struct h1_head *head);

/** The index of the name, in lower case, among those of the policy; -1 where it has none such. */
int policy_rules_find_name(const struct policy_rules *r, struct slice name);

/** The same, added where it is not there: text must live as long as r. -1: there are too many. */
int policy_rules_add_name(struct policy_rules *r, struct slice name);

/** What a 405 allows where the policy names no methods. */
extern const struct slice policy_default_allow;

void policy_rules_deinit(struct policy_rules *r);

#endif
