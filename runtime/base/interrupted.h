/* SPDX-License-Identifier: Apache-2.0 */
/* interrupted.h – where a signal has met the thread. Runs in: processes that host Lua. */
#ifndef LUTTPD_BASE_INTERRUPTED_H
#define LUTTPD_BASE_INTERRUPTED_H

#include <stdint.h>
#include <ucontext.h>

/** The address of the interrupted instruction. context: third argument of an SA_SIGINFO handler. */
static inline uintptr_t interrupted_at(const void *context) {
    const ucontext_t *u = context;
#if defined(__x86_64__)
    return (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)u->uc_mcontext.pc;
#else
#error "say here where this machine keeps its program counter"
#endif
}

#endif
