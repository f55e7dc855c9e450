/* SPDX-License-Identifier: Apache-2.0 */
/* state.h – what the files of the sandbox share. Private to runtime/script.
 * The deadline's signal handler reads and writes only what is marked so. */
#ifndef LUTTPD_SCRIPT_STATE_H
#define LUTTPD_SCRIPT_STATE_H

#include <signal.h>
#include <time.h>

#include "script/script.h"

#define SCRIPT_THREAD_POOL 64
#define SCRIPT_C_STACK_BYTES (512u << 10) /* for callbacks that nest; unwinding them takes time */

struct script {
    lua_State *L;
    struct script_options options;
    struct script_error error;
    bool described; /* the running entry's failure already stands in error */

    /* one entry; signal: read and written by the handler too */
    volatile sig_atomic_t running;  /* signal: an entry is being timed */
    volatile sig_atomic_t overtime; /* signal: the deadline has passed */
    volatile sig_atomic_t oversize; /* the soft cap has been crossed */
    volatile sig_atomic_t entry;    /* signal: counts entries, wraps */
    lua_State *resumed;             /* the handler's coroutine that runs, or NULL */

    /* deadline */
    timer_t timer;
    bool timer_made;
    void (*poll)(int);           /* makes compiled code look at hooks; NULL without JIT */
    volatile sig_atomic_t seen;  /* signal: the entry that ticks are counted for */
    volatile sig_atomic_t ticks; /* signal: ticks since then */
    uint32_t cpu_ms;             /* the deadline */
    sig_atomic_t ticks_max;      /* how many of them make the deadline */
    sig_atomic_t ticks_hard;     /* so many more, and the process ends; 0: never */

    /* memory */
    lua_Alloc alloc;
    void *alloc_ud;
    size_t used, soft, hard;

    /* C stack: below this address, C functions that call back into Lua refuse */
    uintptr_t floor;

    /* registry references */
    int allowed;  /* table of what every environment holds */
    int describe; /* the message handler */
    int threads;  /* table: coroutine → true, those of handlers */

    unsigned require_depth;
    lua_State *pool[SCRIPT_THREAD_POOL];
    size_t pooled;
};

/* deadline.c */
int script_deadline_start(struct script *s);
void script_deadline_stop(struct script *s);
void script_interrupt(struct script *s); /* from the thread itself, the allocator included */
void script_interrupt_from_signal(struct script *s, const void *context);
void script_calm(struct script *s);
void script_give_way(lua_State *L); /* raises where the entry is overtime */

/* memory.c */
void script_memory_watch(struct script *s);
void script_memory_release(struct script *s);
bool script_memory_regain(struct script *s);

/* environment.c: fills the registry with what environments are made of; runs protected */
int script_environment_prepare(lua_State *L);
void script_environment_make(lua_State *L); /* pushes one on any state */

/* error.c */
int script_describe_handler(lua_State *L);
void script_describe_interrupt(struct script *s, lua_State *L);
void script_describe_coroutine(struct script *s, lua_State *co);
void script_describe_top(struct script *s, lua_State *L);
void script_describe_text(struct script *s, const char *text);

/* guard.c */
void script_guard_room(lua_State *L); /* raises where the C stack runs low */
_Noreturn void script_guard_raise(lua_State *L, int level, const char *text);
void script_guard_register(lua_State *L, int table);

/* library_base.c, library_string.c: set functions in the table at that index */
void script_base_register(lua_State *L, int table);
void script_string_register(lua_State *L, int table);
int script_load_function(lua_State *L); /* load; upvalue 1: the environment */
int script_compile(lua_State *L, const char *text, size_t size, const char *chunk);

/* require.c; upvalue 1: the environment, 2: what has been loaded, 3: true in the library's */
int script_require(lua_State *L);

#endif
