/* SPDX-License-Identifier: Apache-2.0 */
/* config.h – the process that turns server.lua into a plan.
 * Runs in: config, for one evaluation. Trusts: master. Distrusts: the configuration, which is a
 * program; /etc/passwd, /etc/group and the table of automatic users are only ever data.
 *
 *   main.c      the six steps            input.c    what is read, before and after the cage closes
 *   modules.c   luttpd's own Lua here    evaluate.c from text to outcome
 *   steps.h     checker and scripts      policies.c policies that server.lua names
 *   outcome.c   faults, or three files:  plan_records.c, policy_records.c; fields.h reads the result
 *
 *   config  <-- control channel -->  master
 *
 * Names are resolved by reading the two files as passwd(5) and group(5) describe them: no name service,
 * no library that would have to be loaded and trusted for it. */
#ifndef LUTTPD_CONFIG_CONFIG_H
#define LUTTPD_CONFIG_CONFIG_H

#include "base/embedded_lua.h"
#include "channel/record_file.h"
#include "process/process.h"
#include "schema/messages.h"
#include "script/script.h"

#define CONFIG_SCRIPT_MAX (8u << 20)    /* bytes of server.lua */
#define CONFIG_ACCOUNTS_MAX (32u << 20) /* bytes of passwd, group, and the table, each */
#define CONFIG_POLICY_MAX (1u << 20)    /* bytes of a policy's script */
#define CONFIG_RECORDS_MAX (64u << 20)  /* bytes of the plan, the route map, the policies, each */
#define CONFIG_MEMORY (128u << 20)      /* soft cap of the VM's heap */
#define CONFIG_CPU_MS 2000              /* of each script, and of each step of the checker */

/** Text that was read from a descriptor. */
struct config_text {
    char *p; /* owned: free() */
    size_t n;
};

struct config {
    const struct process *process;
    struct packet packet; /* START_CONFIG, which start points into */
    struct message_start_config start;
    char file[MESSAGE_START_CONFIG_FILE_MAX + 1];
    int directory, users; /* owned */
    struct config_text passwd, group, automatic, text;
    struct script_stack stack;
    struct script *script;
    struct record_builder plan, routes, policies; /* owned */
};

/** Step 3: takes the descriptors, reads the accounts, makes the VM. Ends the process on failure. */
void config_prepare(struct config *c, const struct process *process);

/** Reads a file of the configuration's directory, or below it. name: relative; links may not lead out of
 * the directory. out: owned by the caller, set on success only. Returns 0 or -errno; -EFBIG where it has
 * more than max bytes, -EXDEV where it leads out, -EINVAL where it is no regular file. */
int config_read_file(const struct config *c, const char *name, size_t max, struct config_text *out);

/** Appends text to the table of automatic users, so that it is on disk. Returns 0 or -errno; on
 * failure the table is as it was. */
int config_append_users(const struct config *c, const char *text, size_t n);

/** Step 6: evaluates, and tells master the outcome. Runs on the script's stack. context: the config. */
void config_evaluate(void *context);

/** Pushes the value of the trusted module of this name ("config.evaluate"). Raises Lua errors. */
void config_require(lua_State *L, const char *module);

/** The text of luttpd's own Lua: name as "policy/parsing.lua". NULL where there is none. */
const struct embedded_lua *config_embedded(const char *name);

/** Tells master about one mistake. Texts are cut to what fits. Waits while master's queue is full. */
void config_fault(const struct config *c, struct slice file, uint32_t line, struct slice key,
                  struct slice reason);

/** Write the plan on top of the stack into c->plan and c->routes, and into c->policies. Raise Lua errors. */
void config_write_plan(struct config *c, lua_State *L);
void config_write_policies(struct config *c, lua_State *L);

/** Seals the three files and sends PLAN. Ends the process where that fails. */
void config_send_plan(struct config *c);

#endif
