/* SPDX-License-Identifier: Apache-2.0 */
/* stack.c – a stack of its own for the VM. Runs in: every process that hosts Lua.
 * The two sanitizer functions exist only in sanitizer builds: elsewhere the weak names are NULL. */
#include "script/stack.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/must.h"

__attribute__((weak)) void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t size);
__attribute__((weak)) void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size);

struct switched {
    void (*fn)(void *);
    void *context;
    ucontext_t here, there;
    const void *caller_bottom;
    size_t caller_size;
};

static size_t guard_bytes(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Huge pages are declined: one of them would cost more than a whole idle process may. */
int script_stack_map(struct script_stack *out) {
    size_t bytes = SCRIPT_STACK_BYTES;
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED) {
        return -errno;
    }
    if (mprotect(base, guard_bytes(), PROT_NONE) != 0) {
        int error = errno;
        munmap(base, bytes);
        return -error;
    }
    (void)madvise(base, bytes, MADV_NOHUGEPAGE);
    *out = (struct script_stack){base, bytes};
    return 0;
}

void script_stack_unmap(struct script_stack *stack) {
    if (stack->base != NULL) {
        MUST(munmap(stack->base, stack->bytes) == 0);
    }
    *stack = (struct script_stack){NULL, 0};
}

/* makecontext hands over ints only, so the pointer travels as two halves. */
static void on_new_stack(unsigned high, unsigned low) {
    struct switched *w = (struct switched *)((uintptr_t)high << 32 | low);
    if (__sanitizer_finish_switch_fiber != NULL) {
        __sanitizer_finish_switch_fiber(NULL, &w->caller_bottom, &w->caller_size);
    }
    w->fn(w->context);
    if (__sanitizer_start_switch_fiber != NULL) {
        __sanitizer_start_switch_fiber(NULL, w->caller_bottom, w->caller_size);
    }
}

void script_stack_run(const struct script_stack *stack, void (*fn)(void *), void *context) {
    struct switched w = {.fn = fn, .context = context};
    char *bottom = (char *)stack->base + guard_bytes();
    size_t bytes = stack->bytes - guard_bytes();
    MUST(getcontext(&w.there) == 0);
    w.there.uc_stack.ss_sp = bottom;
    w.there.uc_stack.ss_size = bytes;
    w.there.uc_link = &w.here;
    uintptr_t at = (uintptr_t)&w;
    makecontext(&w.there, (void (*)(void))on_new_stack, 2, (unsigned)(at >> 32), (unsigned)at);
    void *fake = NULL;
    if (__sanitizer_start_switch_fiber != NULL) {
        __sanitizer_start_switch_fiber(&fake, bottom, bytes);
    }
    MUST(swapcontext(&w.here, &w.there) == 0);
    if (__sanitizer_finish_switch_fiber != NULL) {
        __sanitizer_finish_switch_fiber(fake, NULL, NULL);
    }
}
