/* SPDX-License-Identifier: Apache-2.0 */
/* script.h – the Lua sandbox: one VM, its budgets, the names that scripts may use.
 * Runs in: config, vhost; later router and listener. Distrusts: every script and what it returns.
 * This wall keeps honest scripts honest and gives good errors. Security rests on the process cage.
 * One VM per process, used by the thread that made it. No system call per entry into Lua.
 *
 *   script_stack_map(&stack);                      before the cage closes
 *   script_new(&s, &options);                      before the cage closes
 *   script_stack_run(&stack, serve, context);      serve() and all it calls run on the big stack
 *     script_environment_push(s);                  a set of globals; the role adds its own names
 *     script_load(s, text, size, "@vhost.lua");    environment → function
 *     if (script_call(s, 0, 0) < 0) log(script_error(s));
 */
#ifndef LUTTPD_SCRIPT_SCRIPT_H
#define LUTTPD_SCRIPT_SCRIPT_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script/options.h"
#include "script/stack.h"

#define SCRIPT_EXIT_MEMORY 77    /* exit code of a process whose script broke the hard cap */
#define SCRIPT_EXIT_STUCK 78     /* exit code of a process in which C code kept an entry beyond hard_cpu_ms */
#define SCRIPT_HARD_CAP_FACTOR 4 /* hard cap = soft cap times this */
#define SCRIPT_ERROR_MAX_BYTES 2048
#define SCRIPT_TRACE_MAX_BYTES 8192

struct script;

/** How an entry ended. */
enum script_result {
    SCRIPT_DONE = 0,
    SCRIPT_YIELDED = 1,   /* script_resume only: a host function called script_yield */
    SCRIPT_FAILED = -1,   /* an error of the script's; see script_error */
    SCRIPT_OVERTIME = -2, /* interrupted: more CPU time than cpu_ms; see script_error */
    SCRIPT_OVERSIZE = -3, /* interrupted: more memory than memory_bytes; see script_error */
};

/** The last failure. Control characters have been replaced; lines end with \n only. */
struct script_error {
    char message[SCRIPT_ERROR_MAX_BYTES]; /* "vhost.lua:12: reason" */
    char trace[SCRIPT_TRACE_MAX_BYTES];   /* "stack traceback:\n\t..."; may be empty */
};

/** Makes the VM and the deadline timer for the calling thread; takes over SIGPROF; fixes the time
 * zone. Needs open, mmap, getrandom and timer_create: call before the cage closes.
 * Returns 0 with out set (free with script_free), -EBUSY where the process has a VM with the JIT
 * already, else -errno. */
int script_new(struct script **out, const struct script_options *options);

/** Ends the VM. Not from within an entry. NULL is fine. */
void script_free(struct script *s);

/** The main state, for pushing and reading values between entries. Borrowed. */
lua_State *script_state(struct script *s);

/** The script that a state or coroutine belongs to. Cheap. */
struct script *script_of(lua_State *L);

/** Pushes, on the main state, a fresh table of globals holding every allowed name. Tables in it are
 * its own copies: what a script does to them, no other environment and no host code sees. */
void script_environment_push(struct script *s);

/** Compiles text (never bytecode). Takes the environment from the top of the main state and puts
 * the function there. chunk: "@file.lua". Returns SCRIPT_DONE, or another result with script_error
 * and the environment gone. */
int script_load(struct script *s, const char *text, size_t size, const char *chunk);

/** Calls on the main state the function below nargs arguments, within the budgets; pops them.
 * Leaves nresults values (LUA_MULTRET as usual) where it returns SCRIPT_DONE, nothing otherwise.
 * From inside a host function it is part of the entry that runs already. */
int script_call(struct script *s, int nargs, int nresults);

/** The same for a C function on the caller's state: runs f protected, with ud as light userdata.
 * For reading a script's tables where metamethods or errors may happen. */
int script_protect(struct script *s, lua_CFunction f, void *ud);

/** A coroutine for a handler, from a small pool, kept alive until given back. Borrowed. */
lua_State *script_thread_take(struct script *s);

/** Gives a coroutine back. finished: it returned SCRIPT_DONE, so that it may be used again. */
void script_thread_give(struct script *s, lua_State *co, bool finished);

/** Starts (function and nargs values on co) or continues (nargs values: what script_yield returns).
 * Returns a script_result. SCRIPT_DONE: co holds the results. SCRIPT_YIELDED: co holds what was
 * yielded; pop it before the next call. A yield that no host function made is a failure. */
int script_resume(struct script *s, lua_State *co, int nargs);

/** For a host function: `return script_yield(L, n)` suspends the handler until script_resume.
 * Raises an error inside a coroutine that the script itself made. */
int script_yield(lua_State *L, int nresults);

/** Whether the running entry is being ended. Long C loops look at it and return soon. */
bool script_interrupted(const struct script *s);

/** The failure of the last entry that failed. Borrowed; overwritten by the next failure. */
const struct script_error *script_error(const struct script *s);

/** Changes the CPU time of the entries to come, which options began with: loading a script may take
 * longer than what it does for a request. Measured in ticks of a tenth of the time in options. */
void script_set_cpu(struct script *s, uint32_t cpu_ms);

/** Says on whose behalf the next entries run (struct script_activity). */
void script_label(struct script *s, uint64_t label);

/** Bytes that the VM holds, garbage included. */
size_t script_memory_bytes(const struct script *s);

#endif
