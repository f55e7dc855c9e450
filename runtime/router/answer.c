/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c – one question through the policy's rules and functions; see policy.h.
 * What comes back from Lua is read as if anything could be there: what is wrong raises an error. */
#include <arpa/inet.h>
#include <lauxlib.h>
#include <stdio.h>

#include "router/policy.h"
#include "router/router.h"

#define TEXTS_MAX 64 /* bytes of an address as text */

struct deciding {
    struct router *router;
    const struct message_route_ask *ask;
    struct slice host; /* of ask, without a trailing dot */
    struct policy_answer *out;
};

/* The request --------------------------------------------------------------------------------- */

static void set_text(lua_State *L, const char *key, struct slice text) {
    lua_pushlstring(L, text.n > 0 ? text.p : "", text.n);
    lua_setfield(L, -2, key);
}

static void set_address(lua_State *L, const struct message_route_ask *ask) {
    static const char *const families[] = {"none", "inet", "inet6", "unix"};
    char shown[TEXTS_MAX] = "";
    bool inet = ask->family == FAMILY_INET && ask->address.n == 4;
    bool inet6 = ask->family == FAMILY_INET6 && ask->address.n == 16;
    if (inet || inet6) {
        (void)inet_ntop(inet ? AF_INET : AF_INET6, ask->address.p, shown, sizeof shown);
    }
    bool known = inet || inet6 || ask->family == FAMILY_UNIX;
    set_text(L, "family", slice_text(known ? families[ask->family] : families[0]));
    set_text(L, "address", inet || inet6 ? ask->address : SLICE(""));
    set_text(L, "shown", slice_text(shown));
}

static void set_fields(lua_State *L, const struct message_route_ask *ask) {
    lua_createtable(L, (int)ask->fields_count, 0);
    for (size_t i = 0; i < ask->fields_count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushlstring(L, ask->fields[i].name.p, ask->fields[i].name.n);
        lua_rawseti(L, -2, 1);
        lua_pushlstring(L, ask->fields[i].value.p, ask->fields[i].value.n);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "fields");
}

static void push_request(lua_State *L, const struct deciding *d) {
    lua_createtable(L, 0, 9);
    set_text(L, "method", d->ask->method);
    set_text(L, "host", d->host);
    set_text(L, "path", d->ask->path);
    set_text(L, "query", d->ask->query);
    set_text(L, "scheme", slice_text(scheme_name(d->ask->scheme)));
    set_address(L, d->ask);
    set_fields(L, d->ask);
}

/* The answer ------------------------------------------------------------------------------------ */

/* A whole number of the table on top; least where it is nil. */
static uint32_t number_of(lua_State *L, const char *key, uint32_t least, uint32_t most) {
    lua_getfield(L, -1, key);
    lua_Number n = luaL_optnumber(L, -1, least);
    lua_pop(L, 1);
    if (!(n >= least && n <= most)) {
        (void)luaL_error(L, "%s is out of range", key);
    }
    return (uint32_t)n;
}

static bool flag_of(lua_State *L, const char *key) {
    lua_getfield(L, -1, key);
    bool set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

static int choice_of(lua_State *L, const char *key, const char *otherwise, const char *const names[]) {
    lua_getfield(L, -1, key);
    int found = luaL_checkoption(L, -1, otherwise, names);
    lua_pop(L, 1);
    return found;
}

static struct slice text_of(lua_State *L, const char *key, char *room, size_t bytes) {
    size_t n;
    lua_getfield(L, -1, key);
    const char *text = luaL_optlstring(L, -1, "", &n);
    if (n > bytes) {
        (void)luaL_error(L, "%s is too long", key);
    }
    memcpy(room, text, n);
    lua_pop(L, 1);
    return slice_from(room, n);
}

/* Item number i of choices, on top of the stack: the vhost must be allowed for the host. */
static void read_choice(lua_State *L, const struct deciding *d, unsigned i) {
    const struct policy *policy = &d->router->policy;
    size_t n;
    lua_getfield(L, -1, "vhost");
    const char *name = luaL_checklstring(L, -1, &n);
    const struct host_map_vhost *vhost = route_policy_vhost(policy->facts, slice_from(name, n));
    if (vhost == NULL || !route_policy_allows(policy->facts, d->router->map, d->host, vhost->id)) {
        (void)luaL_error(L, "the vhost \"%s\" may not answer for this host", name);
        return;
    }
    lua_pop(L, 1);
    d->out->route.vhosts[i] = vhost->id;
    d->out->route.weights[i] = number_of(L, "weight", 1, 1000000);
}

static void read_choices(lua_State *L, const struct deciding *d) {
    struct message_route *m = &d->out->route;
    lua_getfield(L, -1, "choices");
    luaL_checktype(L, -1, LUA_TTABLE);
    size_t count = lua_objlen(L, -1);
    if (count < 1 || count > sizeof m->vhosts / sizeof *m->vhosts) {
        (void)luaL_error(L, "one to eight vhosts may answer");
    }
    for (unsigned i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        read_choice(L, d, i);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    m->choices = (uint16_t)count;
    m->by_client = flag_of(L, "by_client");
}

static void by_map(const struct deciding *d) {
    struct message_route *m = &d->out->route;
    m->verdict = VERDICT_NONE;
    if (host_map_find(d->router->map, d->host, &m->vhosts[0])) {
        m->verdict = VERDICT_VHOST;
        m->choices = 1;
        m->weights[0] = 1;
    }
}

static void read_redirect(lua_State *L, const struct deciding *d) {
    struct message_route *m = &d->out->route;
    m->status = (uint16_t)number_of(L, "status", 301, 308);
    m->location = text_of(L, "location", d->out->location, sizeof d->out->location);
    m->keep_path = flag_of(L, "keep_path");
    m->keep_from = (uint16_t)number_of(L, "keep_from", 0, (uint32_t)d->ask->path.n);
}

static void read_answer(lua_State *L, const struct deciding *d) {
    struct message_route *m = &d->out->route;
    m->status = (uint16_t)number_of(L, "status", 200, 599);
    m->text = text_of(L, "text", d->out->text, sizeof d->out->text);
    m->retry_s = number_of(L, "retry_s", 0, UINT32_MAX);
}

static void read_verdict(lua_State *L, const struct deciding *d) {
    static const char *const names[] = {"map", "vhost", "none", "redirect", "answer", NULL};
    static const enum verdict verdicts[] = {VERDICT_NONE, VERDICT_VHOST, VERDICT_NONE, VERDICT_REDIRECT,
                                            VERDICT_ANSWER};
    int number = choice_of(L, "verdict", NULL, names);
    d->out->route.verdict = verdicts[number];
    if (number == 0) {
        by_map(d);
    } else if (number == 1) {
        read_choices(L, d);
    } else if (number == 3) {
        read_redirect(L, d);
    } else if (number == 4) {
        read_answer(L, d);
    }
}

static void read_reuse(lua_State *L, const struct deciding *d) {
    static const char *const reuses[] = {"once", "path", "prefix", "authority", NULL};
    static const char *const selectors[] = {"none", "cookie", "field", NULL};
    struct message_route *m = &d->out->route;
    m->reuse = (enum reuse)choice_of(L, "reuse", NULL, reuses);
    m->prefix_bytes = (uint16_t)number_of(L, "prefix_bytes", 0, (uint32_t)d->ask->path.n);
    m->reuse_ms = number_of(L, "reuse_ms", 0, UINT32_MAX);
    m->selector = (enum selector)choice_of(L, "selector", "none", selectors);
    m->selector_name = text_of(L, "selector_name", d->out->selector_name, sizeof d->out->selector_name);
}

static int decide(lua_State *L) {
    struct deciding *d = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, d->router->policy.decide);
    lua_rawgeti(L, LUA_REGISTRYINDEX, d->router->policy.rules);
    push_request(L, d);
    lua_call(L, 2, 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    read_verdict(L, d);
    read_reuse(L, d);
    return 0;
}

/* Nobody learns from the answer why; the log says it. */
static void fail(struct router *r, const struct deciding *d, struct message_route *m) {
    char text[SCRIPT_ERROR_MAX_BYTES + 320];
    int n = snprintf(text, sizeof text, "routing policy, for host %.*s: %s", (int)d->host.n, d->host.p,
                     script_error(r->policy.script)->message);
    log_producer_error(&r->log, LEVEL_ERROR, slice_from(text, (size_t)n));
    *m = (struct message_route){
        .ask = m->ask, .epoch = m->epoch, .verdict = VERDICT_ANSWER, .status = 500, .reuse = REUSE_ONCE};
}

void policy_answer(struct router *r, const struct message_route_ask *ask, struct policy_answer *out) {
    struct deciding d = {.router = r, .ask = ask, .host = ask->authority, .out = out};
    out->route = (struct message_route){.ask = ask->ask, .epoch = r->policy.epoch, .reuse = REUSE_AUTHORITY};
    if (d.host.n > 1 && d.host.p[d.host.n - 1] == '.') {
        d.host.n--;
    }
    if (r->policy.rules == LUA_NOREF) {
        by_map(&d);
    } else if (script_protect(r->policy.script, decide, &d) != SCRIPT_DONE) {
        fail(r, &d, &out->route);
    }
}
