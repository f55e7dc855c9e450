/* SPDX-License-Identifier: Apache-2.0 */
/* policy_records.c – the policies as records, for router and listeners. Runs in: config. */
#include "config/config.h"
#include "config/fields.h"

#define ROUTING_POLICY 0 /* its number in POLICY_TEXT; parsing policies count from 1 */

/* What is written, and to which listen statement or policy it belongs. */
struct writing {
    struct config *config;
    uint16_t number;
};

static const char *family_name_of(int i) {
    return family_name((enum family)i);
}
static const char *kind_name_of(int i) {
    return host_kind_name((enum host_kind)i);
}
static const char *trust_name_of(int i) {
    return trust_name((enum trust)i);
}
static const char *subject_name_of(int i) {
    return subject_name((enum subject)i);
}
static const char *match_name_of(int i) {
    return match_name((enum match)i);
}

/* Listen statements ------------------------------------------------------------------------------ */

static void append_network(void *context, lua_State *L, size_t index) {
    const struct writing *w = context;
    const struct message_policy_network m = {
        .listen = w->number,
        .trust = (enum trust)field_choice(L, "trust", trust_name_of, TRUST_FORWARDED + 1),
        .family = (enum family)field_choice(L, "family", family_name_of, FAMILY_UNIX + 1),
        .address = field_text(L, "address"),
        .bits = field_u16(L, "bits"),
    };
    (void)index;
    field_check_append(L, message_policy_network_append(&w->config->policies, &m));
}

static void append_listen(void *context, lua_State *L, size_t index) {
    struct config *c = context;
    struct writing w = {.config = c, .number = (uint16_t)index};
    struct message_policy_listen m = {.listen = w.number, .policy = field_u16(L, "policy")};
    lua_getfield(L, -1, "limits");
    m.head_bytes = field_u32(L, "head_bytes");
    m.target_bytes = field_u32(L, "target_bytes");
    m.fields = field_u32(L, "fields");
    m.trailer_bytes = field_u32(L, "trailer_bytes");
    m.extension_bytes = field_u32(L, "extension_bytes");
    m.body_bytes = field_number(L, "body_bytes", UINT64_C(1) << 53);
    m.head_ms = field_u32(L, "head_ms");
    m.idle_ms = field_u32(L, "idle_ms");
    m.body_rate = field_u32(L, "body_rate");
    m.send_rate = field_u32(L, "send_rate");
    m.requests = field_u32(L, "requests");
    m.connections = field_u32(L, "connections");
    m.address_connections = field_u32(L, "address_connections");
    lua_pop(L, 1);
    field_check_append(L, message_policy_listen_append(&c->policies, &m));
    field_each(L, "networks", append_network, &w);
}

/* Scripts ---------------------------------------------------------------------------------------- */

/* The script of the table on top: its file and text. */
static void append_text(struct config *c, lua_State *L, uint16_t policy) {
    struct slice text = field_text(L, "text");
    struct message_policy_text m = {.policy = policy, .file = field_text(L, "file")};
    do {
        m.part =
            slice_from(text.p, text.n < MESSAGE_POLICY_TEXT_PART_MAX ? text.n : MESSAGE_POLICY_TEXT_PART_MAX);
        field_check_append(L, message_policy_text_append(&c->policies, &m));
        text = slice_from(text.p + m.part.n, text.n - m.part.n);
    } while (text.n > 0);
}

/* Parsing policies ------------------------------------------------------------------------------- */

static void append_method(void *context, lua_State *L, size_t index) {
    const struct writing *w = context;
    size_t n;
    const char *text = lua_tolstring(L, -1, &n);
    const struct message_policy_method m = {.policy = w->number, .method = slice_from(text, n)};
    (void)index;
    field_check_append(L, message_policy_method_append(&w->config->policies, &m));
}

static void append_field(void *context, lua_State *L, size_t index) {
    const struct writing *w = context;
    const struct message_policy_field m = {
        .policy = w->number,
        .name = field_text(L, "name"),
        .required = field_u16(L, "required"),
        .repeated = field_u16(L, "repeated"),
        .too_long = field_u16(L, "too_long"),
        .max_bytes = field_u32(L, "max_bytes"),
        .remove = field_boolean(L, "remove"),
    };
    (void)index;
    field_check_append(L, message_policy_field_append(&w->config->policies, &m));
}

static void append_condition(void *context, lua_State *L, size_t index) {
    const struct writing *w = context;
    const struct message_policy_condition m = {
        .alternative = field_boolean(L, "alternative"),
        .subject = (enum subject)field_choice(L, "subject", subject_name_of, SUBJECT_FIELD + 1),
        .name = field_text(L, "name"),
        .match = (enum match)field_choice(L, "match", match_name_of, MATCH_GRAMMAR + 1),
        .negated = field_boolean(L, "negated"),
        .fold = field_boolean(L, "fold"),
        .pattern = field_text(L, "pattern"),
        .grammar = field_u16(L, "grammar"),
    };
    (void)index;
    field_check_append(L, message_policy_condition_append(&w->config->policies, &m));
}

static void append_rule(void *context, lua_State *L, size_t index) {
    struct writing *w = context;
    const struct message_policy_rule m = {.policy = w->number, .status = field_u16(L, "status")};
    (void)index;
    field_check_append(L, message_policy_rule_append(&w->config->policies, &m));
    field_each(L, "conditions", append_condition, w);
}

/* The script on top, with the rules that were made of it. */
static void append_parsing(void *context, lua_State *L, size_t index) {
    struct config *c = context;
    struct writing w = {.config = c, .number = (uint16_t)(index + 1)};
    (void)field_push_list(L, "rules");
    const struct message_policy_parsing m = {
        .policy = w.number,
        .refuse_bad_utf8 = field_boolean(L, "refuse_bad_utf8"),
        .keep_encoded_slash = field_boolean(L, "keep_encoded_slash"),
        .scripted = field_boolean(L, "scripted"),
    };
    field_check_append(L, message_policy_parsing_append(&c->policies, &m));
    field_each(L, "methods", append_method, &w);
    field_each(L, "fields", append_field, &w);
    field_each(L, "rules", append_rule, &w);
    lua_pop(L, 1);
    if (m.scripted) {
        append_text(c, L, w.number);
    }
}

/* Routing ---------------------------------------------------------------------------------------- */

static void append_also(void *context, lua_State *L, size_t index) {
    struct config *c = context;
    const struct message_route_also m = {
        .kind = (enum host_kind)field_choice(L, "kind", kind_name_of, HOST_KIND_DEFAULT + 1),
        .host = field_text(L, "host"),
        .vhost = field_text(L, "vhost"),
    };
    (void)index;
    field_check_append(L, message_route_also_append(&c->policies, &m));
}

static void append_route_field(void *context, lua_State *L, size_t index) {
    struct config *c = context;
    size_t n;
    const char *text = lua_tolstring(L, -1, &n);
    const struct message_route_field m = {.name = slice_from(text, n)};
    (void)index;
    field_check_append(L, message_route_field_append(&c->policies, &m));
}

static void append_routing(struct config *c, lua_State *L) {
    (void)field_push_list(L, "routing");
    field_each(L, "may_answer", append_also, c);
    field_each(L, "fields", append_route_field, c);
    (void)field_push_list(L, "script");
    append_text(c, L, ROUTING_POLICY);
    lua_pop(L, 2);
}

void config_write_policies(struct config *c, lua_State *L) {
    field_each(L, "listens", append_listen, c);
    field_each(L, "parsings", append_parsing, c);
    append_routing(c, L);
}
