/* SPDX-License-Identifier: Apache-2.0 */
/* policy_rules.c – judging a head by a policy's tables. Runs in: listener. Distrusts: the head.
 *
 * The fields of a request are looked through once: each that the policy knows by name goes into the list
 * of its name. Then a rule costs what its conditions cost, however many fields the request has. */
#include "listener/policy_rules.h"

#include <stdlib.h>

#include "base/must.h"

#define CONTAINS_TRIES 16

/* Names ---------------------------------------------------------------------------------------------- */

static size_t first_slot(struct slice name) {
    const uint8_t *p = (const uint8_t *)name.p;
    return (name.n * 67 + p[0] * 31u + p[name.n / 2] * 7u + p[name.n - 1]) % POLICY_NAME_SLOTS;
}

int policy_rules_find_name(const struct policy_rules *r, struct slice name) {
    for (size_t at = first_slot(name); r->slots[at] != 0; at = (at + 1) % POLICY_NAME_SLOTS) {
        if (slice_equal(r->names[r->slots[at] - 1], name)) {
            return r->slots[at] - 1;
        }
    }
    return -1;
}

int policy_rules_add_name(struct policy_rules *r, struct slice name) {
    size_t at = first_slot(name);
    for (; r->slots[at] != 0; at = (at + 1) % POLICY_NAME_SLOTS) {
        if (slice_equal(r->names[r->slots[at] - 1], name)) {
            return r->slots[at] - 1;
        }
    }
    if (r->names_count == POLICY_NAMES_MAX) {
        return -1;
    }
    r->names[r->names_count++] = name;
    r->slots[at] = (uint8_t)r->names_count;
    return (int)r->names_count - 1;
}

/* From the last line to the first, so that each list is in order. */
static void index_fields(const struct policy_rules *r, struct policy_matter *m) {
    memset(m->first, 0, r->names_count);
    for (size_t i = m->head->fields_count; i-- > 0;) {
        int name = policy_rules_find_name(r, m->head->fields[i].name);
        if (name >= 0) {
            m->next[i] = m->first[name];
            m->first[name] = (uint8_t)(i + 1);
        }
    }
}

/* Conditions ------------------------------------------------------------------------------------------- */

/* Several rules look at the same field: it is folded once. A plain loop, of which the compiler makes vector
 * instructions. */
static struct slice folded(struct policy_matter *m, struct slice text) {
    if (m->lower.n == text.n && m->source.p == text.p) {
        return m->lower;
    }
    MUST(text.n <= POLICY_SCRATCH_BYTES);
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = (uint8_t)text.p[i];
        m->scratch[i] = (char)(c + (((uint8_t)(c - 'A') < 26) << 5));
    }
    m->source = text;
    m->lower = slice_from(m->scratch, text.n);
    return m->lower;
}

/* Looks for the pattern's first byte, which costs nothing in most texts. Where it comes often, memmem, whose time
 * is linear whatever the text is, but which prepares for longer than most texts take. */
static bool contains(struct slice text, struct slice pattern) {
    const char *at = text.p, *last = text.p + text.n - pattern.n;
    for (unsigned tries = 0; tries < CONTAINS_TRIES && at <= last; tries++, at++) {
        at = memchr(at, pattern.p[0], (size_t)(last - at) + 1);
        if (at == NULL) {
            return false;
        }
        if (memcmp(at, pattern.p, pattern.n) == 0) {
            return true;
        }
    }
    return at <= last && memmem(at, (size_t)(last - at) + pattern.n, pattern.p, pattern.n) != NULL;
}

static bool match_pattern(const struct policy_condition *k, struct slice text) {
    struct slice p = k->pattern;
    if (text.n < p.n) {
        return false;
    }
    switch (k->match) {
    case MATCH_EQUALS:
        return slice_equal(text, p);
    case MATCH_PREFIX:
        return memcmp(text.p, p.p, p.n) == 0;
    case MATCH_SUFFIX:
        return memcmp(text.p + text.n - p.n, p.p, p.n) == 0;
    case MATCH_CONTAINS:
        return contains(text, p);
    default:
        return false;
    }
}

/* Whether one of n patterns of the same condition fits this one piece of the head. */
static bool match_text(struct policy_matter *m, const struct policy_condition *k, size_t n,
                       struct slice text) {
    if (k->match == MATCH_GRAMMAR) {
        return m->grammar(m->context, k->grammar, text);
    }
    if (k->fold) {
        text = folded(m, text);
    }
    for (size_t i = 0; i < n; i++) {
        if (match_pattern(&k[i], text)) {
            return true;
        }
    }
    return false;
}

/* A field without a value is as good as none: whoever asks for credentials must not be content with it. */
static bool has_value(const struct policy_matter *m, uint8_t name) {
    for (unsigned line = m->first[name]; line != 0; line = m->next[line - 1]) {
        if (m->head->fields[line - 1].value.n > 0) {
            return true;
        }
    }
    return false;
}

static bool match_field(struct policy_matter *m, const struct policy_condition *k, size_t n) {
    if (k->match == MATCH_PRESENT || k->match == MATCH_ABSENT) {
        return has_value(m, k->name) == (k->match == MATCH_PRESENT);
    }
    for (unsigned line = m->first[k->name]; line != 0; line = m->next[line - 1]) {
        if (match_text(m, k, n, m->head->fields[line - 1].value)) {
            return true;
        }
    }
    return false;
}

static bool condition_holds(struct policy_matter *m, const struct policy_condition *k, size_t n) {
    switch (k->subject) {
    case SUBJECT_METHOD:
        return match_text(m, k, n, m->head->method) != k->negated;
    case SUBJECT_HOST:
        return match_text(m, k, n, m->head->host) != k->negated;
    case SUBJECT_PATH:
        return match_text(m, k, n, m->head->path) != k->negated;
    case SUBJECT_QUERY:
        return match_text(m, k, n, m->head->query) != k->negated;
    default:
        return match_field(m, k, n) != k->negated;
    }
}

static bool rule_holds(const struct policy_rules *r, struct policy_matter *m,
                       const struct policy_rule *rule) {
    const struct policy_condition *k = &r->conditions[rule->first], *end = k + rule->count;
    while (k < end) {
        size_t n = 1;
        while (k + n < end && k[n].alternative) {
            n++;
        }
        if (!condition_holds(m, k, n)) {
            return false;
        }
        k += n;
    }
    return true;
}

/* All of it --------------------------------------------------------------------------------------------- */

static unsigned judge_field(const struct policy_matter *m, const struct policy_field *f) {
    if (f->required != 0 && !has_value(m, f->name)) {
        return f->required;
    }
    unsigned line = m->first[f->name];
    if (f->repeated != 0 && line != 0 && m->next[line - 1] != 0) {
        return f->repeated;
    }
    for (; f->too_long != 0 && line != 0; line = m->next[line - 1]) {
        if (m->head->fields[line - 1].value.n > f->max_bytes) {
            return f->too_long;
        }
    }
    return 0;
}

unsigned policy_rules_judge(const struct policy_rules *r, struct policy_matter *m) {
    m->source = m->lower = slice_from(NULL, 0);
    if (r->names_count > 0) {
        index_fields(r, m);
    }
    for (size_t i = 0; i < r->fields_count; i++) {
        unsigned status = judge_field(m, &r->fields[i]);
        if (status != 0) {
            return status;
        }
    }
    for (size_t i = 0; i < r->rules_count; i++) {
        if (rule_holds(r, m, &r->rules[i])) {
            return r->rules[i].status;
        }
    }
    return 0;
}

static bool is_removed(const struct policy_rules *r, struct slice name) {
    int index = policy_rules_find_name(r, name);
    for (size_t i = 0; index >= 0 && i < r->fields_count; i++) {
        if (r->fields[i].name == index) {
            return r->fields[i].remove;
        }
    }
    return false;
}

/* The groups of h1_head.h stay groups, and those that stay keep their order. */
void policy_rules_remove(const struct policy_rules *r, struct h1_head *head) {
    for (size_t i = head->end_to_end + head->claims; i-- > 0;) {
        struct field gone = head->fields[i];
        if (!is_removed(r, gone.name)) {
            continue;
        }
        memmove(&head->fields[i], &head->fields[i + 1], (head->fields_count - i - 1) * sizeof gone);
        head->fields[head->fields_count - 1] = gone;
        if (i < head->end_to_end) {
            head->end_to_end--;
        } else {
            head->claims--;
        }
    }
}

void policy_rules_deinit(struct policy_rules *r) {
    free(r->methods);
    free(r->names);
    free(r->fields);
    free(r->rules);
    free(r->conditions);
    free(r->texts);
    *r = (struct policy_rules){.names_count = 0};
}
