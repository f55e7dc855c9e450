/* SPDX-License-Identifier: Apache-2.0 */
/* policy_read.c – from records to a policy; see policy_read.h. Runs in: listener. Distrusts: the file.
 *
 * The file is walked three times with the same handlers: to find which policy is ours, to check and count,
 * and to fill tables of the right size. Texts go one behind the other into a block that is as large as all of
 * them together, so nothing moves once a slice points to it. */
#include "listener/policy_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "channel/record_file.h"
#include "listener/h1_chars.h"

enum walk { FINDING, COUNTING, FILLING };

struct reader {
    enum walk walk;
    uint16_t listen;
    unsigned ours;    /* number of this listener's policy; 0 until it is found */
    unsigned current; /* the policy whose records are coming, by number */
    bool in_rule;     /* the last record was a rule or a condition */
    bool listed;      /* our POLICY_LISTEN has come */
    bool refuse_bad_utf8, keep_encoded_slash, scripted;
    size_t script_bytes;
    size_t proxies, senders; /* counted */
    struct policy *policy;
    struct policy_rules rules;     /* while counting only the counts are used */
    struct policy_condition group; /* the condition that alternatives belong to */
    struct policy_text *text;
    const char *why;
};

static int refuse(struct reader *r, const char *why) {
    r->why = why;
    return -EBADMSG;
}

static bool is_status(unsigned status) {
    return status >= 400 && status <= 599;
}

static bool is_lower_token(struct slice name) {
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = (uint8_t)name.p[i];
        if (h1_token_lower[c] != c) {
            return false;
        }
    }
    return name.n > 0;
}

static bool is_folded(struct slice text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] >= 'A' && text.p[i] <= 'Z') {
            return false;
        }
    }
    return true;
}

/* Copies the text behind the others; while counting it is only counted. */
static struct slice keep(struct reader *r, struct slice text) {
    char *at = r->rules.texts != NULL ? r->rules.texts + r->rules.texts_bytes : NULL;
    if (at != NULL && text.n > 0) {
        memcpy(at, text.p, text.n);
    }
    r->rules.texts_bytes += text.n;
    return slice_from(at, text.n);
}

/* Whether a record belongs to our policy; refuses one that stands behind another policy's head. */
static int belongs(struct reader *r, unsigned policy) {
    r->in_rule = false;
    if (policy == 0 || policy != r->current) {
        return refuse(r, "a record does not follow its policy");
    }
    return r->walk != FINDING && policy == r->ours;
}

/* Passed over ------------------------------------------------------------------------------------------ */

static int on_route_also(void *context, const struct message_route_also *m, struct packet *p) {
    (void)m, (void)p;
    ((struct reader *)context)->in_rule = false;
    return 0;
}

static int on_route_field(void *context, const struct message_route_field *m, struct packet *p) {
    (void)m, (void)p;
    ((struct reader *)context)->in_rule = false;
    return 0;
}

/* The listen statement ----------------------------------------------------------------------------------- */

static void take_limits(struct policy *policy, const struct message_policy_listen *m) {
    policy->limits = (struct limits){
        .h1 = {.head_bytes = m->head_bytes,
               .target_bytes = m->target_bytes,
               .method_bytes = H1_METHOD_MAX_BYTES,
               .fields = m->fields,
               .extension_bytes = m->extension_bytes,
               .trailer_bytes = m->trailer_bytes},
        .body_bytes = m->body_bytes,
        .head_ms = m->head_ms,
        .idle_ms = m->idle_ms,
        .body_rate = m->body_rate,
        .send_rate = m->send_rate,
        .requests = m->requests,
        .connections = m->connections,
        .address_connections = m->address_connections,
    };
}

static int on_listen(void *context, const struct message_policy_listen *m, struct packet *p) {
    struct reader *r = context;
    (void)p;
    r->in_rule = false;
    if (m->policy == 0 || m->head_bytes == 0 || m->head_bytes > H1_HEAD_MAX_BYTES || m->target_bytes == 0 ||
        m->target_bytes > H1_TARGET_MAX_BYTES || m->fields == 0 || m->fields > H1_FIELDS_MAX) {
        return refuse(r, "impossible limits");
    }
    if (m->listen != r->listen) {
        return 0;
    }
    if (r->listed) {
        return refuse(r, "two sets of limits for one listen statement");
    }
    r->listed = true;
    r->ours = m->policy;
    if (r->walk == FILLING) {
        take_limits(r->policy, m);
    }
    return 0;
}

static void take_network(struct reader *r, const struct message_policy_network *m) {
    struct network_set *set = m->trust == TRUST_FORWARDED ? &r->policy->proxies : &r->policy->proxy_senders;
    struct network *n = &set->items[set->count++];
    *n = (struct network){.family = (uint8_t)m->family, .bits = m->bits};
    if (m->address.n > 0) {
        memcpy(n->address, m->address.p, m->address.n);
    }
}

static int on_network(void *context, const struct message_policy_network *m, struct packet *p) {
    struct reader *r = context;
    size_t bytes = m->family == FAMILY_INET ? 4 : m->family == FAMILY_INET6 ? 16 : 0;
    (void)p;
    r->in_rule = false;
    if (m->family == FAMILY_NONE || m->address.n != bytes || m->bits > bytes * 8) {
        return refuse(r, "an impossible network");
    }
    if (m->listen == r->listen && r->walk == COUNTING) {
        *(m->trust == TRUST_FORWARDED ? &r->proxies : &r->senders) += 1;
    } else if (m->listen == r->listen && r->walk == FILLING) {
        take_network(r, m);
    }
    return 0;
}

/* The parsing policy --------------------------------------------------------------------------------------- */

static int on_parsing(void *context, const struct message_policy_parsing *m, struct packet *p) {
    struct reader *r = context;
    (void)p;
    r->in_rule = false;
    if (m->policy != r->current + 1) {
        return refuse(r, "policies are out of order");
    }
    r->current = m->policy;
    if (r->walk != FINDING && m->policy == r->ours) {
        r->refuse_bad_utf8 = m->refuse_bad_utf8;
        r->keep_encoded_slash = m->keep_encoded_slash;
        r->scripted = m->scripted;
    }
    return 0;
}

/* Number 0 is the routing policy's text, which the router wants. */
static int on_text(void *context, const struct message_policy_text *m, struct packet *p) {
    struct reader *r = context;
    (void)p;
    r->in_rule = false;
    int mine = m->policy == 0 ? 0 : belongs(r, m->policy);
    if (mine <= 0 || !r->scripted) {
        return mine < 0 ? mine : 0;
    }
    if (r->walk == FILLING) {
        memcpy(r->text->p + r->text->n, m->part.p, m->part.n);
        r->text->n += m->part.n;
        memcpy(r->text->file, m->file.p, m->file.n);
        r->text->file[m->file.n] = '\0';
    } else {
        r->script_bytes += m->part.n;
    }
    return 0;
}

static int on_method(void *context, const struct message_policy_method *m, struct packet *p) {
    struct reader *r = context;
    (void)p;
    int mine = belongs(r, m->policy);
    if (mine <= 0) {
        return mine;
    }
    if (m->method.n == 0 || r->rules.methods_count == POLICY_METHODS_MAX) {
        return refuse(r, "an empty method, or too many");
    }
    struct slice method = keep(r, m->method);
    if (r->walk == FILLING) {
        r->rules.methods[r->rules.methods_count] = method;
    }
    r->rules.methods_count++;
    return 0;
}

/* The index of a name; while counting it only says whether there is room for one more. */
static int name_index(struct reader *r, struct slice name) {
    if (!is_lower_token(name)) {
        return refuse(r, "a field's name is none");
    }
    if (r->walk == COUNTING) {
        (void)keep(r, name);
        return 0;
    }
    int index = policy_rules_find_name(&r->rules, name);
    index = index >= 0 ? index : policy_rules_add_name(&r->rules, keep(r, name));
    return index >= 0 ? index : refuse(r, "more than 255 different fields");
}

static int on_field(void *context, const struct message_policy_field *m, struct packet *p) {
    struct reader *r = context;
    (void)p;
    int mine = belongs(r, m->policy);
    if (mine <= 0) {
        return mine;
    }
    if ((m->required != 0 && !is_status(m->required)) || (m->repeated != 0 && !is_status(m->repeated)) ||
        (m->too_long != 0 && !is_status(m->too_long)) || r->rules.fields_count == POLICY_FIELDS_MAX) {
        return refuse(r, "an impossible status of a field, or too many fields");
    }
    int name = name_index(r, m->name);
    if (name < 0) {
        return name;
    }
    if (r->walk == FILLING) {
        r->rules.fields[r->rules.fields_count] = (struct policy_field){
            (uint8_t)name, m->remove, m->required, m->repeated, m->too_long, m->max_bytes};
        r->rules.removes |= m->remove;
    }
    r->rules.fields_count++;
    return 0;
}

static int on_rule(void *context, const struct message_policy_rule *m, struct packet *p) {
    struct reader *r = context;
    (void)p;
    int mine = belongs(r, m->policy);
    if (mine < 0) {
        return mine;
    }
    if (!is_status(m->status) || r->rules.rules_count == POLICY_RULES_MAX) {
        return refuse(r, "an impossible status of a rule, or too many rules");
    }
    r->in_rule = true;
    r->group.subject = UINT8_MAX; /* the next condition is no alternative */
    if (mine > 0 && r->walk == FILLING) {
        r->rules.rules[r->rules.rules_count] =
            (struct policy_rule){(uint32_t)r->rules.conditions_count, 0, m->status};
    }
    r->rules.rules_count += mine > 0;
    return 0;
}

/* What a condition of each kind must and must not have. */
static bool is_possible(const struct message_policy_condition *m) {
    bool field = m->subject == SUBJECT_FIELD;
    bool presence = m->match == MATCH_PRESENT || m->match == MATCH_ABSENT;
    bool grammar = m->match == MATCH_GRAMMAR;
    return field == (m->name.n > 0) && (!presence || field) && (presence || grammar) == (m->pattern.n == 0) &&
           grammar == (m->grammar != 0) && (!m->fold || is_folded(m->pattern)) &&
           !(m->alternative && m->pattern.n == 0);
}

static bool same_group(const struct policy_condition *a, const struct policy_condition *b) {
    return a->subject == b->subject && a->match == b->match && a->name == b->name &&
           a->negated == b->negated && a->fold == b->fold;
}

static int add_condition(struct reader *r, struct policy_condition *k, struct slice pattern) {
    if (r->rules.conditions_count == POLICY_CONDITIONS_MAX) {
        return refuse(r, "too many conditions");
    }
    if (k->grammar != 0 && k->grammar != ++r->rules.grammars) {
        return refuse(r, "grammars are out of order");
    }
    k->pattern = keep(r, pattern);
    if (r->walk == FILLING) {
        r->rules.conditions[r->rules.conditions_count] = *k;
        r->rules.rules[r->rules.rules_count - 1].count++;
    }
    r->rules.conditions_count++;
    return 0;
}

static int on_condition(void *context, const struct message_policy_condition *m, struct packet *p) {
    struct reader *r = context;
    (void)p;
    if (!r->in_rule) {
        return refuse(r, "a condition without a rule");
    }
    if (!is_possible(m)) {
        return refuse(r, "an impossible condition");
    }
    bool mine = r->walk != FINDING && r->current == r->ours;
    int name = mine && m->name.n > 0 ? name_index(r, m->name) : 0;
    if (name < 0) {
        return name;
    }
    struct policy_condition k = {.subject = (uint8_t)m->subject,
                                 .match = (uint8_t)m->match,
                                 .name = (uint8_t)name,
                                 .alternative = m->alternative,
                                 .negated = m->negated,
                                 .fold = m->fold,
                                 .grammar = m->grammar};
    if (m->alternative && !same_group(&k, &r->group)) {
        return refuse(r, "an alternative to another condition");
    }
    r->group = k;
    return mine ? add_condition(r, &k, m->pattern) : 0;
}

/* Walking ----------------------------------------------------------------------------------------------- */

static const struct listener_from_config_record handlers = {
    .route_also = on_route_also,
    .route_field = on_route_field,
    .policy_text = on_text,
    .policy_parsing = on_parsing,
    .policy_method = on_method,
    .policy_field = on_field,
    .policy_rule = on_rule,
    .policy_condition = on_condition,
    .policy_listen = on_listen,
    .policy_network = on_network,
};

static int walk(struct reader *r, enum walk which, const uint8_t *bytes, size_t size) {
    struct record_file file;
    struct ring_record record;
    int rc;
    r->walk = which;
    r->current = 0;
    r->in_rule = r->listed = false;
    record_file_init(&file, bytes, size);
    while ((rc = record_file_next(&file, &record)) == 1) {
        rc = listener_from_config_record_dispatch(&handlers, r, PHASE_SERVING, record.type, record.payload,
                                                  record.size, NULL);
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}

/* Arrays of the size that was counted; a rule without a condition would refuse everybody. */
static int allocate(struct reader *r) {
    const struct policy_rules counted = r->rules;
    struct policy *policy = r->policy;
    r->rules = (struct policy_rules){
        .methods = calloc(counted.methods_count + 1, sizeof(struct slice)),
        .names = calloc(POLICY_NAMES_MAX, sizeof(struct slice)),
        .fields = calloc(counted.fields_count + 1, sizeof(struct policy_field)),
        .rules = calloc(counted.rules_count + 1, sizeof(struct policy_rule)),
        .conditions = calloc(counted.conditions_count + 1, sizeof(struct policy_condition)),
        .texts =
            malloc(counted.texts_bytes + POLICY_METHODS_MAX * (MESSAGE_POLICY_METHOD_METHOD_MAX + 2) + 1),
    };
    policy->proxies.items = calloc(r->proxies + 1, sizeof(struct network));
    policy->proxy_senders.items = calloc(r->senders + 1, sizeof(struct network));
    r->text->p = r->scripted ? malloc(r->script_bytes + 1) : NULL;
    const struct policy_rules *t = &r->rules;
    bool all = t->methods && t->names && t->fields && t->rules && t->conditions && t->texts &&
               policy->proxies.items && policy->proxy_senders.items && (r->text->p || !r->scripted);
    return all ? 0 : -ENOMEM;
}

/* "GET, HEAD": behind the texts, where allocate has left room for it. */
static void write_allow(struct policy_rules *t) {
    char *begin = t->texts + t->texts_bytes, *at = begin;
    for (size_t i = 0; i < t->methods_count; i++) {
        if (i > 0) {
            memcpy(at, ", ", 2);
            at += 2;
        }
        memcpy(at, t->methods[i].p, t->methods[i].n);
        at += t->methods[i].n;
    }
    t->allow = t->methods_count > 0 ? slice_from(begin, (size_t)(at - begin)) : policy_default_allow;
}

static int check_filled(struct reader *r) {
    for (size_t i = 0; i < r->rules.rules_count; i++) {
        if (r->rules.rules[i].count == 0) {
            return refuse(r, "a rule without conditions");
        }
    }
    if (r->scripted && r->text->n == 0) {
        return refuse(r, "a policy's script is missing");
    }
    return r->rules.grammars > 0 && !r->scripted ? refuse(r, "grammars without a script") : 0;
}

static int read_all(struct reader *r, const uint8_t *bytes, size_t size) {
    int rc = walk(r, FINDING, bytes, size);
    if (rc == 0 && (!r->listed || r->ours > r->current)) {
        return refuse(r, "nothing is said about this listen statement");
    }
    if (rc == 0) {
        rc = walk(r, COUNTING, bytes, size);
    }
    if (rc == 0) {
        rc = allocate(r);
    }
    if (rc == 0) {
        rc = walk(r, FILLING, bytes, size);
    }
    return rc == 0 ? check_filled(r) : rc;
}

int policy_read(const uint8_t *bytes, size_t size, uint16_t listen, struct policy **out,
                struct policy_text *text, char why[POLICY_WHY_BYTES]) {
    struct reader r = {.listen = listen, .text = text, .why = "it is no file of policies"};
    *text = (struct policy_text){.p = NULL};
    r.policy = calloc(1, sizeof *r.policy);
    struct policy_rules *rules = malloc(sizeof *rules);
    int rc = r.policy != NULL && rules != NULL ? read_all(&r, bytes, size) : -ENOMEM;
    if (rc == 0) {
        r.policy->limits.h1.refuse_bad_utf8 = r.refuse_bad_utf8;
        r.policy->limits.h1.keep_encoded_slash = r.keep_encoded_slash;
        write_allow(&r.rules);
        *rules = r.rules;
        r.policy->rules = rules;
        *out = r.policy;
        return 0;
    }
    (void)snprintf(why, POLICY_WHY_BYTES, "the policies cannot be used: %s",
                   rc == -ENOMEM ? "out of memory" : r.why);
    policy_rules_deinit(&r.rules);
    free(text->p);
    text->p = NULL;
    free(rules);
    policy_read_free(r.policy);
    return rc;
}

void policy_read_free(struct policy *policy) {
    if (policy == NULL) {
        return;
    }
    if (policy->rules != NULL) {
        policy_rules_deinit(policy->rules);
        free(policy->rules);
    }
    free(policy->proxies.items);
    free(policy->proxy_senders.items);
    free(policy);
}
