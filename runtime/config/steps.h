/* SPDX-License-Identifier: Apache-2.0 */
/* steps.h – the steps of the checker (lua/config/evaluate.lua), and the scripts that run between them.
 * Runs in: config. Each step and each script is an entry of its own, within its budgets, so that a script
 * that was stopped can still be reported. */
#ifndef LUTTPD_CONFIG_STEPS_H
#define LUTTPD_CONFIG_STEPS_H

#include "config/config.h"

#define STEP_FILE_MAX 255 /* bytes of a script's name, as lua/config/kinds.lua allows */

/** How a script ended. */
struct ending {
    struct config *config;
    char failure[SCRIPT_ERROR_MAX_BYTES]; /* why it did not end well */
    bool failed;
    bool planned; /* the last step: the plan is made, and on disk what it needs */
};

/** For script_protect, with the config: begins the evaluation, and prepares server.lua's globals. */
int step_begin(lua_State *L);

/** Inside an entry: pushes the step of this name, a function. Raises Lua errors. */
void step_push(lua_State *L, const char *name);

/** Pushes why a script failed, or nil. */
void step_push_failure(lua_State *L, const struct ending *e);

/** Pushes the globals for the next step_run: what the sandbox allows, without modules; the checker adds
 * the statements. */
void step_push_environment(struct config *c, lua_State *L);

/** Outside an entry: runs a script in the globals pushed last. Sets e->failed and e->failure. */
void step_run(struct ending *e, const char *file, struct slice text);

/** Why a file of the configuration cannot be read, in words. error: an errno; max: its largest size. */
const char *step_unreadable(int error, size_t max, char room[128]);

/** Finds out what policies server.lua names, and evaluates each. server: how server.lua ended.
 * Returns false where the checker itself failed: script_error says why. */
bool step_policies(const struct ending *server);

#endif
