/* SPDX-License-Identifier: Apache-2.0 */
/* policies.c – reads and runs the scripts that server.lua names, and luttpd's own where it names none.
 * Runs in: config. Distrusts: the scripts. Each has the budget of an entry; the process as a whole has
 * few seconds, so once they have used that of one, no further script is run. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/must.h"
#include "config/fields.h"
#include "config/steps.h"

#define SCRIPTS "luttpd.config.scripts" /* registry: what policies there are */

/* One of the scripts that server.lua names. */
struct policy {
    struct ending ending;
    int number, count; /* from 1; how many there are */
    char file[STEP_FILE_MAX + 1];
    bool builtin;
    struct slice text;
    const char *unreadable; /* why it cannot be read, or NULL */
    uint64_t cpu_ms;        /* of the policies' scripts so far */
};

/* Step: what server.lua said is judged, and which scripts it names is known. */
static int judge(lua_State *L) {
    struct policy *p = lua_touserdata(L, 1);
    step_push(L, "scripts");
    step_push_failure(L, &p->ending);
    lua_call(L, 1, 1);
    p->count = (int)lua_objlen(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, SCRIPTS);
    return 0;
}

static int select_script(lua_State *L) {
    struct policy *p = lua_touserdata(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, SCRIPTS);
    lua_rawgeti(L, -1, p->number);
    struct slice file = field_text(L, "file");
    p->builtin = field_boolean(L, "builtin");
    (void)snprintf(p->file, sizeof p->file, "%.*s", (int)file.n, file.p);
    return 0;
}

static int open_script(lua_State *L) {
    const struct policy *p = lua_touserdata(L, 1);
    step_push(L, p->unreadable == NULL ? "open" : "unreadable");
    lua_pushinteger(L, p->number);
    if (p->unreadable != NULL) {
        lua_pushstring(L, p->unreadable);
        lua_call(L, 2, 0);
    } else {
        lua_pushlstring(L, p->text.n > 0 ? p->text.p : "", p->text.n);
        step_push_environment(p->ending.config, L);
        lua_call(L, 3, 0);
    }
    return 0;
}

static int close_script(lua_State *L) {
    const struct policy *p = lua_touserdata(L, 1);
    step_push(L, "close");
    lua_pushinteger(L, p->number);
    step_push_failure(L, &p->ending);
    lua_call(L, 2, 0);
    return 0;
}

static uint64_t cpu_ms(void) {
    struct timespec used;
    MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* Reads a policy's text. owned: what is to be freed. */
static void read_policy(struct policy *p, struct config_text *owned, char room[128]) {
    if (p->builtin) {
        const struct embedded_lua *file = config_embedded(p->file);
        MUST(file != NULL);
        p->text = slice_from(file->text, file->size);
        return;
    }
    if (p->cpu_ms >= CONFIG_CPU_MS) {
        p->unreadable = "the policies before it used up their CPU time";
        return;
    }
    int rc = config_read_file(p->ending.config, p->file, CONFIG_POLICY_MAX, owned);
    p->text = slice_from(owned->p, owned->n);
    p->unreadable = rc < 0 ? step_unreadable(-rc, CONFIG_POLICY_MAX, room) : NULL;
}

/* Returns false where the checker itself failed. */
static bool evaluate_policy(struct policy *p) {
    struct script *script = p->ending.config->script;
    struct config_text owned = {NULL, 0};
    char room[128];
    if (script_protect(script, select_script, p) != SCRIPT_DONE) {
        return false;
    }
    read_policy(p, &owned, room);
    bool opened = script_protect(script, open_script, p) == SCRIPT_DONE;
    if (opened && p->unreadable == NULL) {
        uint64_t begun = cpu_ms();
        step_run(&p->ending, p->file, p->text);
        p->cpu_ms += cpu_ms() - begun;
        opened = script_protect(script, close_script, p) == SCRIPT_DONE;
    }
    free(owned.p);
    return opened;
}

bool step_policies(const struct ending *server) {
    struct policy p = {.ending = *server};
    bool fine = script_protect(server->config->script, judge, &p) == SCRIPT_DONE;
    for (p.number = 1; fine && p.number <= p.count; p.number++) {
        p.unreadable = NULL;
        fine = evaluate_policy(&p);
    }
    return fine;
}
