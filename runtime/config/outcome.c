/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.c – the checker's result as messages: faults, or the plan and the route map.
 * Runs in: config. The result comes from our own Lua; what it lacks is raised as a Lua error, and so
 * becomes a fault. */
#include <errno.h>
#include <lauxlib.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "channel/memfd.h"
#include "config/config.h"

#define ID_COUNTER_BITS 20 /* a plan has fewer vhosts than this counts */

/* Sending ------------------------------------------------------------------------------------- */

/* Master reads when it can. Where it never does, the CPU limit is no help, but its death is. */
static void wait_for_room(const struct config *c) {
    struct pollfd waiting = {.fd = c->process->control, .events = POLLOUT};
    if (poll(&waiting, 1, -1) < 0 && errno != EINTR) {
        process_fail(c->process, "control channel", errno);
    }
}

/* Cut to max bytes, not inside a UTF-8 character, and before a NUL. */
static struct slice cut(struct slice text, size_t max) {
    const char *nul = text.n > 0 ? memchr(text.p, '\0', text.n) : NULL;
    if (nul != NULL) {
        text.n = (size_t)(nul - text.p);
    }
    if (text.n > max) {
        text.n = max;
        while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xc0) == 0x80) {
            text.n--;
        }
    }
    return text;
}

void config_fault(const struct config *c, struct slice file, uint32_t line, struct slice key,
                  struct slice reason) {
    const struct message_fault m = {
        .file = cut(file, MESSAGE_FAULT_FILE_MAX),
        .line = line,
        .key = cut(key, MESSAGE_FAULT_KEY_MAX),
        .reason = cut(reason, MESSAGE_FAULT_REASON_MAX),
    };
    int rc;
    while ((rc = message_fault_send(c->process->control, &m, NULL)) == -EAGAIN) {
        wait_for_room(c);
    }
    if (rc < 0) {
        process_fail(c->process, "control channel", -rc);
    }
}

/* Fields of the table on top ----------------------------------------------------------------- */

/* The string stays in its table, so the slice lives as long as that. */
static struct slice text_field(lua_State *L, const char *key) {
    size_t n;
    lua_getfield(L, -1, key);
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "the plan lacks the text %s", key);
    }
    const char *p = lua_tolstring(L, -1, &n);
    lua_pop(L, 1);
    return slice_from(p, n);
}

static uint64_t number_field(lua_State *L, const char *key, uint64_t max) {
    lua_getfield(L, -1, key);
    lua_Number value = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || !(value >= 0) || value > (lua_Number)max) {
        luaL_error(L, "the plan lacks the number %s", key);
    }
    lua_pop(L, 1);
    return (uint64_t)value;
}

static bool boolean_field(lua_State *L, const char *key) {
    lua_getfield(L, -1, key);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The number of the name that the field holds, among those that name_of gives. */
static int named_field(lua_State *L, const char *key, const char *(*name_of)(int), int count) {
    struct slice name = text_field(L, key);
    for (int i = 0; i < count; i++) {
        if (slice_equal(name, slice_text(name_of(i)))) {
            return i;
        }
    }
    return luaL_error(L, "the plan holds an unknown %s", key);
}

static const char *format_name_of(int i) {
    return log_format_name((enum log_format)i);
}
static const char *family_name_of(int i) {
    return family_name((enum family)i);
}
static const char *kind_name_of(int i) {
    return host_kind_name((enum host_kind)i);
}

/* Pushes the list in the field; returns how many items it has. */
static size_t push_list(lua_State *L, const char *key) {
    lua_getfield(L, -1, key);
    if (!lua_istable(L, -1)) {
        luaL_error(L, "the plan lacks the list %s", key);
    }
    return lua_objlen(L, -1);
}

static void check_appended(lua_State *L, int rc) {
    if (rc < 0) {
        luaL_error(L, "the plan does not fit its records: %s", strerror(-rc));
    }
}

/* The plan ------------------------------------------------------------------------------------ */

static void append_listen(struct config *c, lua_State *L) {
    const struct message_plan_listen m = {
        .family = (enum family)named_field(L, "family", family_name_of, FAMILY_UNIX + 1),
        .address = text_field(L, "address"),
        .port = (uint16_t)number_field(L, "port", UINT16_MAX),
        .processes = (uint16_t)number_field(L, "processes", UINT16_MAX),
    };
    check_appended(L, message_plan_listen_append(&c->plan, &m));
}

static void append_policy(struct config *c, lua_State *L, uint16_t listen) {
    const struct message_policy_listen m = {
        .listen = listen,
        .policy = 1,
        .head_bytes = 16384,
        .target_bytes = 8192,
        .fields = 128,
        .trailer_bytes = 4096,
        .extension_bytes = 4096,
        .head_ms = 10000,
        .idle_ms = 60000,
        .requests = 10000,
    };
    check_appended(L, message_policy_listen_append(&c->policies, &m));
}

static void append_vhost(struct config *c, lua_State *L, uint64_t id) {
    const struct message_plan_vhost m = {
        .vhost = id,
        .name = text_field(L, "name"),
        .uid = (uint32_t)number_field(L, "uid", UINT32_MAX),
        .gid = (uint32_t)number_field(L, "gid", UINT32_MAX),
        .automatic = boolean_field(L, "automatic"),
        .shared_user = boolean_field(L, "shared_user"),
        .root = text_field(L, "root"),
        .memory_bytes = number_field(L, "memory_bytes", UINT64_C(1) << 53),
        .cpu_ms = (uint32_t)number_field(L, "cpu_ms", UINT32_MAX),
        .wall_ms = (uint32_t)number_field(L, "wall_ms", UINT32_MAX),
        .processes = (uint32_t)number_field(L, "processes", UINT32_MAX),
        .hardened = boolean_field(L, "hardened"),
    };
    const struct message_route_vhost route = {.vhost = id, .name = m.name};
    check_appended(L, message_plan_vhost_append(&c->plan, &m));
    check_appended(L, message_route_vhost_append(&c->routes, &route));
}

static void append_hosts(struct config *c, lua_State *L, uint64_t id) {
    size_t n = push_list(L, "hosts");
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, (int)i);
        const struct message_route_host m = {
            .kind = (enum host_kind)named_field(L, "kind", kind_name_of, HOST_KIND_DEFAULT + 1),
            .host = text_field(L, "host"),
            .vhost = id,
        };
        check_appended(L, message_route_host_append(&c->routes, &m));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
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

static void read_plan(struct config *c, lua_State *L) {
    size_t vhosts = push_list(L, "vhosts");
    lua_pop(L, 1);
    size_t listens = push_list(L, "listens");
    lua_pop(L, 1);
    const struct message_plan_server server = {
        .logs = text_field(L, "logs"),
        .format = (enum log_format)named_field(L, "format", format_name_of, LOG_FORMAT_BOTH + 1),
        .listens = (uint32_t)listens,
        .vhosts = (uint32_t)vhosts,
    };
    check_appended(L, message_plan_server_append(&c->plan, &server));
    (void)push_list(L, "listens");
    for (size_t i = 1; i <= listens; i++) {
        lua_rawgeti(L, -1, (int)i);
        append_listen(c, L);
        append_policy(c, L, (uint16_t)(i - 1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    const struct message_policy_parsing parsing = {.policy = 1};
    check_appended(L, message_policy_parsing_append(&c->policies, &parsing));
    (void)push_list(L, "vhosts");
    uint64_t id = first_id();
    for (size_t i = 1; i <= vhosts; i++, id++) {
        lua_rawgeti(L, -1, (int)i);
        append_vhost(c, L, id);
        append_hosts(c, L, id);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void config_send_plan(struct config *c) {
    const struct message_plan plan = {0};
    int fds[3] = {
        memfd_make_file("luttpd-plan", c->plan.bytes, c->plan.size),
        memfd_make_file("luttpd-routes", c->routes.bytes, c->routes.size),
        memfd_make_file("luttpd-policies", c->policies.bytes, c->policies.size),
    };
    for (size_t i = 0; i < 3; i++) {
        if (fds[i] < 0) {
            process_fail(c->process, "plan", -fds[i]);
        }
    }
    int rc;
    while ((rc = message_plan_send(c->process->control, &plan, fds)) == -EAGAIN) {
        wait_for_room(c);
    }
    if (rc < 0) {
        process_fail(c->process, "plan", -rc);
    }
}

/* Mistakes ------------------------------------------------------------------------------------ */

static void read_mistakes(const struct config *c, lua_State *L, size_t n) {
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, (int)i);
        config_fault(c, text_field(L, "file"), (uint32_t)number_field(L, "line", UINT32_MAX),
                     text_field(L, "key"), text_field(L, "reason"));
        lua_pop(L, 1);
    }
}

bool config_read_result(struct config *c, lua_State *L) {
    size_t mistakes = push_list(L, "mistakes");
    read_mistakes(c, L, mistakes);
    lua_pop(L, 1);
    if (mistakes > 0) {
        return false;
    }
    lua_getfield(L, -1, "plan");
    if (!lua_istable(L, -1)) {
        luaL_error(L, "there is neither a mistake nor a plan");
    }
    read_plan(c, L);
    lua_pop(L, 1);
    return true;
}
