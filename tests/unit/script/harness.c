/* SPDX-License-Identifier: Apache-2.0 */
/* harness.c – runs scripts in a child process. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"

#define CHILD_MAX_S 60
#define SIGNALLED 1000

struct child {
    void (*test)(const struct script_stack *, void *);
    void *context;
    struct script_stack stack;
};

static void on_stack(void *context) {
    struct child *c = context;
    c->test(&c->stack, c->context);
}

_Noreturn static void run_child(struct child *c) {
    alarm(CHILD_MAX_S);
    MUST(script_stack_map(&c->stack) == 0);
    script_stack_run(&c->stack, on_stack, c);
    script_stack_unmap(&c->stack);
    fflush(NULL);
    _exit(0);
}

int harness_fork(void (*test)(const struct script_stack *stack, void *context), void *context) {
    struct child c = {.test = test, .context = context};
    fflush(NULL);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        run_child(&c);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

static void keep_line(void *context, const char *text, size_t n) {
    struct run *r = context;
    if (r == NULL) {
        return;
    }
    size_t used = strlen(r->printed), room = sizeof r->printed - used - 2;
    size_t take = n < room ? n : room;
    memcpy(r->printed + used, text, take);
    memcpy(r->printed + used + take, "\n", 2);
}

struct script *harness_new(bool jit, const struct script_stack *stack, struct run *prints) {
    struct script_options options = {
        .jit = jit,
        .memory_bytes = HARNESS_MEMORY_BYTES,
        .cpu_ms = HARNESS_CPU_MS,
        .stack = stack,
        .print = keep_line,
        .context = prints,
    };
    struct script *s = NULL;
    MUST(script_new(&s, &options) == 0);
    return s;
}

void harness_run(struct script *s, const char *text, size_t size, struct run *out) {
    script_environment_push(s);
    uint64_t start = clock_read_us(CLOCK_THREAD_CPUTIME_ID);
    out->message[0] = out->trace[0] = '\0';
    out->result = script_load(s, text, size, "@test.lua");
    if (out->result == SCRIPT_DONE) {
        out->result = script_call(s, 0, 0);
    }
    out->cpu_ms = (unsigned)((clock_read_us(CLOCK_THREAD_CPUTIME_ID) - start) / 1000);
    if (out->result != SCRIPT_DONE) {
        snprintf(out->message, sizeof out->message, "%s", script_error(s)->message);
        snprintf(out->trace, sizeof out->trace, "%s", script_error(s)->trace);
    }
    MUST(lua_gettop(script_state(s)) == 0);
}

void harness_check_alive(struct script *s) {
    static const char text[] =
        "local sum, list = 0, {}\n"
        "for i = 1, 20000 do sum = sum + i end\n"
        "for i = 1, 1000 do list[i] = 'x' .. i end\n"
        "assert(sum == 200010000 and #table.concat(list) == 3893)\n"
        "assert(load('return 6 * 7')() == 42)\n"
        "assert(('a1b2'):gsub('%d', function(d) return d + 1 end) == 'a2b3')\n"
        "assert(select(2, pcall(error, 'e', 0)) == 'e')\n"
        "local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)\n"
        "assert(co() == 1 and co() == 2)\n";
    struct run run = {.result = 0};
    harness_run(s, text, sizeof text - 1, &run);
    if (run.result != SCRIPT_DONE) {
        fprintf(stderr, "the VM is no longer usable: %d %s\n", run.result, run.message);
        exit(3);
    }
}

struct once {
    bool jit;
    const char *text;
    struct run *shared;
};

static void run_once(const struct script_stack *stack, void *context) {
    struct once *once = context;
    struct script *s = harness_new(once->jit, stack, once->shared);
    harness_run(s, once->text, strlen(once->text), once->shared);
    harness_check_alive(s);
    script_free(s);
}

int harness_run_once(bool jit, const char *text, struct run *out) {
    struct run *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(shared != MAP_FAILED);
    struct once once = {jit, text, shared};
    int status = harness_fork(run_once, &once);
    *out = *shared;
    munmap(shared, sizeof *shared);
    return status;
}
