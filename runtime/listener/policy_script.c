/* SPDX-License-Identifier: Apache-2.0 */
/* policy_script.c – runs a parsing policy's script, and asks its hook and grammars. Runs in: listener.
 *
 * A load is three entries: luttpd's own Lua (lua/parsing/run.lua) puts the statements into fresh globals, the
 * script runs, and what it gave is kept in the registry. A request is one entry: the tables are gone through in
 * C, which asks lpeg where a rule has a grammar, and then calls the hook. */
#include "listener/policy_script.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "listener/h1_target.h"
#include "policy_lua.h"
#include "script/modules.h"

#define ENVIRONMENT "luttpd.policy.environment" /* registry, during a load: the script's globals */
#define SESSION "luttpd.policy.session"         /* and what run.lua writes down */

int luaopen_lpeg(lua_State *L);

struct policy_script {
    int hook;     /* registry; LUA_NOREF: none */
    int grammars; /* registry: a list */
};

struct judging {
    struct policy_machine *machine;
    const struct policy_script *script;
    const struct policy_rules *rules;
    struct policy_subject *subject;
    struct own_answer *out;
    lua_State *L;
};

/* The machine ------------------------------------------------------------------------------------------- */

static int prepare(lua_State *L) {
    struct policy_machine *machine = lua_touserdata(L, 1);
    script_module_push(L, policy_files, luaopen_lpeg, "parsing.run");
    lua_getfield(L, -1, "match");
    machine->match = luaL_ref(L, LUA_REGISTRYINDEX);
    policy_head_push(L, machine);
    machine->head = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* Grammars and modules are luttpd's own and small: this cannot fail but for want of memory. */
static void prepare_on_stack(void *context) {
    struct policy_machine *machine = context;
    if (script_protect(machine->script, prepare, machine) != SCRIPT_DONE) {
        script_free(machine->script);
        machine->script = NULL;
    }
}

int policy_machine_init(struct policy_machine *machine, script_print *print, void *context) {
    const struct script_options options = {
        .jit = false,
        .memory_bytes = POLICY_MEMORY_BYTES,
        .cpu_ms = POLICY_CPU_MS,
        .hard_cpu_ms = POLICY_HARD_CPU_MS,
        .stack = &machine->stack,
        .print = print,
        .context = context,
    };
    int rc = script_stack_map(&machine->stack);
    if (rc == 0) {
        rc = script_new(&machine->script, &options);
    }
    if (rc == 0) {
        script_stack_run(&machine->stack, prepare_on_stack, machine);
        rc = machine->script != NULL ? 0 : -ENOMEM;
    }
    return rc;
}

void policy_machine_deinit(struct policy_machine *machine) {
    script_free(machine->script);
    script_stack_unmap(&machine->stack);
}

/* Loading ------------------------------------------------------------------------------------------------- */

static int begin_load(lua_State *L) {
    script_module_push(L, policy_files, luaopen_lpeg, "parsing.run");
    lua_getfield(L, -1, "install");
    script_environment_push(script_of(L));
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
    lua_call(L, 1, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, SESSION);
    return 0;
}

struct ending {
    unsigned grammars;
    struct policy_script *script;
};

/* Config ran the same text, but elsewhere: a script that looks at the clock, say, may give something else. */
static int end_load(lua_State *L) {
    struct ending *e = lua_touserdata(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, SESSION);
    lua_getfield(L, -1, "grammars");
    if (!lua_istable(L, -1) || lua_objlen(L, -1) != e->grammars) {
        return luaL_error(L, "the script gives %d grammars where it gave %d when it was checked",
                          (int)lua_objlen(L, -1), (int)e->grammars);
    }
    e->script->grammars = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, "hook");
    if (lua_isfunction(L, -1)) {
        e->script->hook = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    return 0;
}

static int run_text(struct script *s, const struct policy_text *text) {
    char chunk[sizeof text->file + 1];
    lua_State *L = script_state(s);
    (void)snprintf(chunk, sizeof chunk, "@%s", text->file);
    lua_getfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
    int rc = script_load(s, text->p, text->n, chunk);
    return rc == SCRIPT_DONE ? script_call(s, 0, 0) : rc;
}

static void forget_load(lua_State *L) {
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, SESSION);
}

int policy_script_load(struct policy_machine *machine, const struct policy_text *text, unsigned grammars,
                       struct policy_script **out, char why[POLICY_WHY_BYTES]) {
    struct script *s = machine->script;
    struct policy_script *made = malloc(sizeof *made);
    if (made == NULL) {
        (void)snprintf(why, POLICY_WHY_BYTES, "out of memory");
        return -ENOMEM;
    }
    *made = (struct policy_script){LUA_NOREF, LUA_NOREF};
    struct ending ending = {grammars, made};
    script_set_cpu(s, POLICY_LOAD_CPU_MS);
    int rc = script_protect(s, begin_load, machine);
    if (rc == SCRIPT_DONE) {
        rc = run_text(s, text);
    }
    if (rc == SCRIPT_DONE) {
        rc = script_protect(s, end_load, &ending);
    }
    script_set_cpu(s, POLICY_CPU_MS);
    forget_load(script_state(s));
    if (rc != SCRIPT_DONE) {
        (void)snprintf(why, POLICY_WHY_BYTES, "%.*s", POLICY_WHY_BYTES - 1, script_error(s)->message);
        policy_script_free(machine, made);
        return -EINVAL;
    }
    *out = made;
    return 0;
}

/* A collection costs a fraction of a millisecond, and a policy's end is rare: the old one is gone at once. */
void policy_script_free(struct policy_machine *machine, struct policy_script *script) {
    if (script == NULL) {
        return;
    }
    lua_State *L = script_state(machine->script);
    luaL_unref(L, LUA_REGISTRYINDEX, script->hook);
    luaL_unref(L, LUA_REGISTRYINDEX, script->grammars);
    (void)lua_gc(L, LUA_GCCOLLECT, 0);
    free(script);
}

/* Judging -------------------------------------------------------------------------------------------------- */

static bool match_grammar(void *context, unsigned grammar, struct slice text) {
    const struct judging *j = context;
    lua_State *L = j->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, j->machine->match);
    lua_rawgeti(L, LUA_REGISTRYINDEX, j->script->grammars);
    lua_rawgeti(L, -1, (int)grammar);
    lua_remove(L, -2);
    lua_pushlstring(L, text.n > 0 ? text.p : "", text.n);
    lua_call(L, 2, 1);
    bool matched = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return matched;
}

/* A sentence for people: not what would end a line, and cut where it is long, between characters. */
static struct slice take_sentence(lua_State *L, struct policy_machine *machine) {
    size_t n;
    if (lua_isnil(L, -1)) {
        return SLICE("");
    }
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "on_head returned a %s as the sentence", luaL_typename(L, -1));
    }
    const char *text = lua_tolstring(L, -1, &n);
    if (!h1_path_is_utf8(slice_from(text, n))) {
        luaL_error(L, "on_head returned a sentence that is not UTF-8");
    }
    for (; n > POLICY_SENTENCE_BYTES || (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80); n--) {}
    for (size_t i = 0; i < n; i++) {
        machine->sentence[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
    }
    return slice_from(machine->sentence, n);
}

static struct slice take_location(lua_State *L, struct policy_machine *machine) {
    size_t n;
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "on_head returned a redirect without the location behind its status");
    }
    const char *text = lua_tolstring(L, -1, &n);
    bool fit = n > 0 && n <= POLICY_LOCATION_BYTES;
    for (size_t i = 0; fit && i < n; i++) {
        fit = text[i] > ' ' && text[i] < 0x7f && strchr("\"<>\\^`{|}", text[i]) == NULL;
    }
    if (!fit) {
        luaL_error(L, "on_head returned a location that is none, or longer than %d bytes",
                   POLICY_LOCATION_BYTES);
    }
    memcpy(machine->location, text, n);
    return slice_from(machine->location, n);
}

static bool is_redirect(lua_Number status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* On top: what the hook returned, a status and what belongs to it. */
static void take_answer(lua_State *L, const struct judging *j) {
    if (lua_isnil(L, -2)) {
        return;
    }
    if (lua_type(L, -2) != LUA_TNUMBER) {
        luaL_error(L, "on_head returned a %s: it returns nothing, or a status", luaL_typename(L, -2));
    }
    lua_Number status = lua_tonumber(L, -2);
    bool redirect = is_redirect(status);
    if (!redirect && !(status >= 400 && status <= 599 && status == (lua_Number)(int)status)) {
        luaL_error(L, "on_head returned the status %f: it is 400 to 599, or a redirect's", status);
    }
    if (redirect) {
        j->out->location = take_location(L, j->machine);
    } else {
        j->out->text = take_sentence(L, j->machine);
    }
    j->out->status = (uint16_t)status;
}

static int judge(lua_State *L) {
    struct judging *j = lua_touserdata(L, 1);
    struct policy_matter matter;
    matter.head = j->subject->head;
    matter.scratch = j->machine->scratch;
    matter.grammar = match_grammar;
    matter.context = j;
    j->L = L;
    j->out->status = (uint16_t)policy_rules_judge(j->rules, &matter);
    if (j->out->status == 0 && j->script->hook != LUA_NOREF) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, j->script->hook);
        lua_rawgeti(L, LUA_REGISTRYINDEX, j->machine->head);
        lua_call(L, 1, 2);
        take_answer(L, j);
    }
    return 0;
}

int policy_script_judge(struct policy_machine *machine, const struct policy_script *script,
                        const struct policy_rules *rules, struct policy_subject *subject,
                        struct own_answer *out) {
    struct judging j = {machine, script, rules, subject, out, NULL};
    machine->subject = subject;
    int rc = script_protect(machine->script, judge, &j);
    machine->subject = NULL;
    return rc;
}
