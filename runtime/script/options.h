/* SPDX-License-Identifier: Apache-2.0 */
/* options.h – what a script is made with: budgets, where modules come from, who watches.
 * Runs in: config, vhost. Part of script.h. */
#ifndef LUTTPD_SCRIPT_OPTIONS_H
#define LUTTPD_SCRIPT_OPTIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script/stack.h"

#define SCRIPT_TEXT_MAX_BYTES (4u << 20)     /* of one module or one load() */
#define SCRIPT_MODULES_MAX 256               /* that one environment may require */
#define SCRIPT_MODULES_MAX_BYTES (16u << 20) /* of their text, together */
#define SCRIPT_REQUIRE_DEPTH_MAX 32
#define SCRIPT_MODULE_NAME_MAX 127 /* lower-case identifiers joined by dots */

/** What runs, for a watchdog outside. May lie in shared memory; written, never read back. */
struct script_activity {
    _Atomic uint64_t since_ms; /* CLOCK_MONOTONIC at entry, 4 ms coarse; 0 while no Lua runs */
    _Atomic uint64_t entries;  /* entries so far */
    _Atomic uint64_t label;    /* the caller's: a stream id, say; see script_label */
};

/** The text of a module. */
struct script_source {
    const char *text; /* lives until release is called */
    size_t size;
    char chunk[192];                               /* name for messages, as "@blog/posts.lua" */
    bool library;                                  /* luttpd's own: runs apart from the site's globals */
    void (*release)(struct script_source *source); /* may be NULL */
    void *owner;                                   /* for release */
};

/** Finds the module called name (its grammar already checked). May block for one file.
 * Returns 0 with out filled, -ENOENT where there is none (the script sees "module not found"),
 * or -errno (the script sees strerror). */
typedef int script_find_module(void *context, const char *name, struct script_source *out);

/** Takes one line that a script printed: borrowed, not NUL-terminated, may hold any byte. */
typedef void script_print(void *context, const char *text, size_t n);

struct script_options {
    bool jit;             /* false: no executable pages are ever asked for */
    size_t memory_bytes;  /* soft cap: what runs is interrupted; the hard cap ends the process */
    uint32_t cpu_ms;      /* CPU time of one entry from C into Lua, at least 10 */
    uint32_t hard_cpu_ms; /* an entry that C keeps that long beyond its deadline ends the process; 0: never */
    const struct script_stack *stack; /* borrowed: where entries must run; NULL: not checked */
    script_find_module *find_module;  /* NULL: no modules */
    script_print *print;              /* NULL: print is silent */
    void *context;                    /* handed to both */
    struct script_activity *activity; /* borrowed; may be NULL */
};

#endif
