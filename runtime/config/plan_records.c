/* SPDX-License-Identifier: Apache-2.0 */
/* plan_records.c – the plan and the route map as records. Runs in: config. */
#include <time.h>

#include "base/must.h"
#include "config/config.h"
#include "config/fields.h"
#include "route/siphash.h"

#define ID_COUNTER_BITS 20 /* a plan has fewer vhosts than this counts */

static const char *format_name_of(int i) {
    return log_format_name((enum log_format)i);
}
static const char *family_name_of(int i) {
    return family_name((enum family)i);
}
static const char *kind_name_of(int i) {
    return host_kind_name((enum host_kind)i);
}

struct numbering {
    struct config *config;
    uint64_t id; /* of the vhost in hand */
};

static void append_listen(void *context, lua_State *L, size_t index) {
    struct config *c = ((struct numbering *)context)->config;
    const struct message_plan_listen m = {
        .family = (enum family)field_choice(L, "family", family_name_of, FAMILY_UNIX + 1),
        .address = field_text(L, "address"),
        .port = field_u16(L, "port"),
        .processes = field_u16(L, "processes"),
        .defer_accept = field_boolean(L, "defer_accept"),
        .fast_open = field_boolean(L, "fast_open"),
    };
    (void)index;
    field_check_append(L, message_plan_listen_append(&c->plan, &m));
}

static void append_host(void *context, lua_State *L, size_t index) {
    const struct numbering *n = context;
    const struct message_route_host m = {
        .kind = (enum host_kind)field_choice(L, "kind", kind_name_of, HOST_KIND_DEFAULT + 1),
        .host = field_text(L, "host"),
        .vhost = n->id,
    };
    (void)index;
    field_check_append(L, message_route_host_append(&n->config->routes, &m));
}

static void append_vhost(void *context, lua_State *L, size_t index) {
    struct numbering *n = context;
    const struct message_plan_vhost m = {
        .vhost = n->id,
        .name = field_text(L, "name"),
        .uid = field_u32(L, "uid"),
        .gid = field_u32(L, "gid"),
        .automatic = field_boolean(L, "automatic"),
        .shared_user = field_boolean(L, "shared_user"),
        .root = field_text(L, "root"),
        .memory_bytes = field_number(L, "memory_bytes", UINT64_C(1) << 53),
        .cpu_ms = field_u32(L, "cpu_ms"),
        .wall_ms = field_u32(L, "wall_ms"),
        .processes = field_u32(L, "processes"),
        .hardened = field_boolean(L, "hardened"),
    };
    const struct message_route_vhost route = {.vhost = n->id, .name = m.name};
    (void)index;
    field_check_append(L, message_plan_vhost_append(&n->config->plan, &m));
    field_check_append(L, message_route_vhost_append(&n->config->routes, &route));
    field_each(L, "hosts", append_host, n);
    n->id++;
}

static size_t count_of(lua_State *L, const char *key) {
    size_t n = field_push_list(L, key);
    lua_pop(L, 1);
    return n;
}

static void write_all(struct config *c, lua_State *L, uint64_t first_vhost, uint64_t fingerprint) {
    struct numbering n = {.config = c, .id = first_vhost};
    const struct message_plan_server server = {
        .logs = field_text(L, "logs"),
        .format = (enum log_format)field_choice(L, "format", format_name_of, LOG_FORMAT_BOTH + 1),
        .listens = (uint32_t)count_of(L, "listens"),
        .vhosts = (uint32_t)count_of(L, "vhosts"),
        .fingerprint = fingerprint,
    };
    c->plan.size = c->routes.size = 0;
    field_check_append(L, message_plan_server_append(&c->plan, &server));
    field_each(L, "listens", append_listen, &n);
    field_each(L, "vhosts", append_vhost, &n);
}

/* A key that everyone may know: whoever writes server.lua is trusted not to look for two plans with the
 * same hash. It must never change while a server runs, so it is no secret of this process. */
static uint64_t fingerprint(const struct config *c) {
    struct siphash_key key = {{UINT64_C(0x6c75747470642d70), UINT64_C(0x6c616e2d30303031)}};
    key.word[0] = siphash(&key, c->plan.bytes, c->plan.size);
    return siphash(&key, c->routes.bytes, c->routes.size);
}

/* Ids are never reused while the machine runs, and nothing on disk holds one: milliseconds since it
 * started, which never go back, and below them a counter. Two plans cannot be made in the same
 * millisecond, because each takes a process of its own longer than that. */
static uint64_t first_id(void) {
    struct timespec now;
    MUST(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return (ms << ID_COUNTER_BITS) + 1;
}

/* Written twice: with numbers from 1 for the fingerprint, then with those that are used. */
void config_write_plan(struct config *c, lua_State *L) {
    write_all(c, L, 1, 0);
    write_all(c, L, first_id(), fingerprint(c));
}
