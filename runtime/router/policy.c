/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c – makes the VM and loads the routing policy's script; see policy.h.
 * A load is three entries: luttpd's own Lua gives the script its words, the script runs, luttpd's own Lua
 * puts what it said in order. The old rules stay until the new ones are whole. */
#include "router/policy.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>

#include "router/router.h"
#include "router_lua.h"
#include "script/modules.h"

#define FINISH "luttpd.router.finish" /* registry: the second half of lua/routing/engine.lua */
#define ENVIRONMENT "luttpd.router.environment"

int luaopen_lpeg(lua_State *L);

struct loading {
    struct policy *policy;
    const struct route_policy *facts;
    char chunk[MESSAGE_POLICY_TEXT_FILE_MAX + 2]; /* "@routing.lua" */
    int rules;                                    /* result */
    char *why;
};

int policy_prepare(struct router *r) {
    struct policy *p = &r->policy;
    p->rules = p->decide = LUA_NOREF;
    int rc = script_stack_map(&p->stack);
    const struct script_options options = {.memory_bytes = POLICY_MEMORY_BYTES,
                                           .cpu_ms = POLICY_CPU_MS,
                                           .hard_cpu_ms = POLICY_HARD_CPU_MS,
                                           .stack = &p->stack};
    return rc == 0 ? script_new(&p->script, &options) : rc;
}

/* The line of the policy that is running, 0 where none is; upvalue 1: its chunk's name. */
static int push_line(lua_State *L) {
    lua_Debug frame;
    const char *chunk = lua_tostring(L, lua_upvalueindex(1));
    int line = 0;
    for (int level = 1; line == 0 && lua_getstack(L, level, &frame); level++) {
        if (lua_getinfo(L, "Sl", &frame) && strcmp(frame.source, chunk) == 0) {
            line = frame.currentline > 0 ? frame.currentline : 0;
        }
    }
    lua_pushinteger(L, line);
    return 1;
}

static int begin(lua_State *L) {
    struct loading *load = lua_touserdata(L, 1);
    script_module_push(L, router_files, luaopen_lpeg, "routing.engine");
    lua_getfield(L, -1, "begin");
    script_environment_push(load->policy->script);
    lua_pushnil(L);
    lua_setfield(L, -2, "require");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
    lua_pushstring(L, load->chunk);
    lua_pushcclosure(L, push_line, 1);
    lua_call(L, 2, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, FINISH);
    if (load->policy->decide == LUA_NOREF) {
        script_module_push(L, router_files, luaopen_lpeg, "routing.decide");
        lua_getfield(L, -1, "answer");
        load->policy->decide = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    return 0;
}

static int finish(lua_State *L) {
    struct loading *load = lua_touserdata(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, FINISH);
    lua_pushstring(L, load->chunk + 1);
    lua_call(L, 1, 2);
    if (!lua_istable(L, -2)) {
        return luaL_error(L, "%s", luaL_checkstring(L, -1));
    }
    lua_pop(L, 1);
    load->rules = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* Runs the script; the environment goes with it. */
static int run(struct loading *load) {
    struct script *s = load->policy->script;
    lua_State *L = script_state(s);
    struct slice text = route_policy_text(load->facts);
    lua_getfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
    int rc = script_load(s, text.p, text.n, load->chunk);
    return rc == SCRIPT_DONE ? script_call(s, 0, 0) : rc;
}

static void forget(lua_State *L) {
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, FINISH);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
}

static int load_script(struct loading *load) {
    struct script *s = load->policy->script;
    struct slice file = route_policy_file(load->facts);
    if (route_policy_text(load->facts).n == 0) {
        return 0;
    }
    (void)snprintf(load->chunk, sizeof load->chunk, "@%.*s", (int)file.n, file.p);
    script_set_cpu(s, POLICY_LOAD_CPU_MS);
    int rc = script_protect(s, begin, load);
    if (rc == SCRIPT_DONE) {
        rc = run(load);
    }
    if (rc == SCRIPT_DONE) {
        rc = script_protect(s, finish, load);
    }
    script_set_cpu(s, POLICY_CPU_MS);
    forget(script_state(s));
    if (rc != SCRIPT_DONE) {
        (void)snprintf(load->why, POLICY_WHY_BYTES, "%.*s", POLICY_WHY_BYTES - 1, script_error(s)->message);
    }
    return rc == SCRIPT_DONE ? 0 : -EINVAL;
}

int policy_load(struct router *r, int fd, uint64_t epoch, char why[POLICY_WHY_BYTES]) {
    struct policy *p = &r->policy;
    struct route_policy *facts = NULL;
    struct loading load = {.policy = p, .rules = LUA_NOREF, .why = why};
    int rc = route_policy_open(fd, r->map, &facts);
    if (rc < 0) {
        (void)snprintf(why, POLICY_WHY_BYTES, "the policies cannot be read: %s", strerror(-rc));
        return rc;
    }
    load.facts = facts;
    rc = load_script(&load);
    if (rc < 0) {
        route_policy_free(facts);
        return rc;
    }
    luaL_unref(script_state(p->script), LUA_REGISTRYINDEX, p->rules);
    route_policy_free(p->facts);
    p->facts = facts;
    p->rules = load.rules;
    p->epoch = epoch;
    why[0] = '\0';
    return 0;
}
