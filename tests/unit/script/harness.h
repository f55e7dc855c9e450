/* SPDX-License-Identifier: Apache-2.0 */
/* harness.h – runs scripts in a child process, so that a crash is a failure and not the end of the
 * run, and hands back what happened. */
#ifndef LUTTPD_TESTS_SCRIPT_HARNESS_H
#define LUTTPD_TESTS_SCRIPT_HARNESS_H

#include <lauxlib.h>

#include "script/script.h"

#define HARNESS_CPU_MS 100
#define HARNESS_MEMORY_BYTES (16u << 20)

struct run {
    int result;      /* of script_load or script_call */
    unsigned cpu_ms; /* the thread's, of the entry */
    char message[SCRIPT_ERROR_MAX_BYTES];
    char trace[SCRIPT_TRACE_MAX_BYTES];
    char printed[4096]; /* lines of print, each ended by \n */
};

/** Calls test(stack, context) in a child, on a big stack of its own. The child exits 0 unless test
 * exits otherwise. Returns the child's exit code, or 1000 and its signal. Kills it after 60 s. */
int harness_fork(void (*test)(const struct script_stack *stack, void *context), void *context);

/** A VM with the limits above. stack: NULL for the thread's own. Never NULL. */
struct script *harness_new(bool jit, const struct script_stack *stack, struct run *prints);

/** Runs text in a fresh environment of s. */
void harness_run(struct script *s, const char *text, size_t size, struct run *out);

/** Fails the child unless the VM still computes, concatenates, loads and collects as it should. */
void harness_check_alive(struct script *s);

/** One VM in a child, one text. Returns what harness_fork returned; out as far as the child came. */
int harness_run_once(bool jit, const char *text, struct run *out);

#endif
