/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c – one evaluation, from the text of server.lua to what master is told.
 * Runs in: config. Distrusts: the scripts. */
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "config/fields.h"
#include "config/steps.h"

static void read_mistake(void *context, lua_State *L, size_t index) {
    (void)index;
    config_fault(context, field_text(L, "file"), field_u32(L, "line"), field_text(L, "key"),
                 field_text(L, "reason"));
}

/* Whoever reads a file of records takes no more: better told here than there. */
static bool fits(const struct config *c, const struct record_builder *b, const char *what) {
    if (b->size <= CONFIG_RECORDS_MAX) {
        return true;
    }
    char text[128];
    (void)snprintf(text, sizeof text, "%s take %zu MB as records: %u MB are possible", what, b->size >> 20,
                   CONFIG_RECORDS_MAX >> 20);
    config_fault(c, slice_text(c->file), 0, SLICE(""), slice_text(text));
    return false;
}

/* Reads mistakes or plan from the checker's result on top of the stack. Returns false where there are
 * mistakes. */
static bool read_result(struct config *c, lua_State *L) {
    size_t mistakes = field_push_list(L, "mistakes");
    lua_pop(L, 1);
    field_each(L, "mistakes", read_mistake, c);
    if (mistakes > 0) {
        return false;
    }
    (void)field_push_list(L, "plan");
    config_write_plan(c, L);
    config_write_policies(c, L);
    lua_pop(L, 1);
    return fits(c, &c->plan, "the plan") && fits(c, &c->routes, "the vhosts and their hosts") &&
           fits(c, &c->policies, "the policies");
}

/* Users that a plan mentions must never be given to anyone else: they are on disk before it leaves. */
static bool remember_users(const struct config *c, lua_State *L) {
    size_t n;
    lua_getfield(L, -1, "appendix");
    const char *text = luaL_checklstring(L, -1, &n);
    int rc = n > 0 && !c->start.check_only ? config_append_users(c, text, n) : 0;
    lua_pop(L, 1);
    if (rc < 0) {
        lua_pushfstring(L, "the table of automatic users cannot be written: %s", strerror(-rc));
        config_fault(c, slice_text(c->file), 0, SLICE("automatic_users"), slice_text(lua_tostring(L, -1)));
        lua_pop(L, 1);
    }
    return rc == 0;
}

static int finish(lua_State *L) {
    struct ending *e = lua_touserdata(L, 1);
    step_push(L, "finish");
    lua_call(L, 0, 1);
    e->planned = read_result(e->config, L) && remember_users(e->config, L);
    return 0;
}

/* A step of the checker failed: too much for its budgets, or our own mistake. Never a crash. */
static void fault_inside(const struct config *c) {
    char text[SCRIPT_ERROR_MAX_BYTES + 64];
    (void)snprintf(text, sizeof text, "the configuration could not be checked: %s",
                   script_error(c->script)->message);
    config_fault(c, slice_text(c->file), 0, SLICE(""), slice_text(text));
}

const char *step_unreadable(int error, size_t max, char room[128]) {
    if (error == EXDEV) {
        return "it is a link that leads out of its directory";
    }
    if (error == EINVAL) {
        return "it is not a regular file";
    }
    if (error == EFBIG) {
        (void)snprintf(room, 128, "it is larger than %zu MB", max >> 20);
    } else {
        (void)snprintf(room, 128, "%s", strerror(error));
    }
    return room;
}

static void fault_unreadable(const struct config *c, int error) {
    char room[128], text[160];
    (void)snprintf(text, sizeof text, "cannot be read: %s", step_unreadable(error, CONFIG_SCRIPT_MAX, room));
    config_fault(c, slice_text(c->file), 0, SLICE(""), slice_text(text));
}

void config_evaluate(void *context) {
    struct config *c = context;
    struct ending e = {.config = c};
    int rc = config_read_file(c, c->file, CONFIG_SCRIPT_MAX, &c->text);
    if (rc < 0) {
        fault_unreadable(c, -rc);
        return;
    }
    if (script_protect(c->script, step_begin, c) != SCRIPT_DONE) {
        fault_inside(c);
        return;
    }
    step_run(&e, c->file, slice_from(c->text.p, c->text.n));
    if (!step_policies(&e) || script_protect(c->script, finish, &e) != SCRIPT_DONE) {
        fault_inside(c);
    } else if (e.planned) {
        config_send_plan(c);
    }
}
