/* SPDX-License-Identifier: Apache-2.0 */
/* stack.h – a stack of its own for the VM.
 * Runs in: every process that hosts Lua. RLIMIT_STACK stays at 8 MiB, because libuv's threads take
 * their size from it; nested callbacks from Lua through C need more. Only touched pages cost memory. */
#ifndef LUTTPD_SCRIPT_STACK_H
#define LUTTPD_SCRIPT_STACK_H

#include <stddef.h>

#define SCRIPT_STACK_BYTES (64u << 20) /* counts towards RLIMIT_AS */

struct script_stack {
    void *base;   /* the lowest address, a guard page */
    size_t bytes; /* guard page included */
};

/** Maps the stack. Returns 0, or -errno. Unmap with script_stack_unmap, not while it is in use. */
int script_stack_map(struct script_stack *out);
void script_stack_unmap(struct script_stack *stack);

/** Calls fn(context) on the stack and returns when it does. Meant for one call that serves until the
 * process ends. Calls rt_sigprocmask. Not recursive. */
void script_stack_run(const struct script_stack *stack, void (*fn)(void *), void *context);

#endif
