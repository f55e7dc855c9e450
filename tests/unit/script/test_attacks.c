/* SPDX-License-Identifier: Apache-2.0 */
/* test_attacks.c – every script in attacks/ is stopped as its first line expects, with and without
 * the JIT, and the VM still works.
 *
 *   -- expect: overtime | oversize | done | failed [TEXT] | any | exit
 *
 * any: whatever happens must happen within the budgets, and the assertions in the script must hold
 * where it comes to an end. exit: the process ends with SCRIPT_EXIT_MEMORY. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

#define TEXT_MAX_BYTES 8192
#define ROUNDS_COMPILED 2 /* what the first round compiled, the second runs */
#define ROUNDS_INTERPRETED 1

/* The budget, one tick and the kernel's own, and the time that unwinding takes: half of it again.
 * What is added covers a machine that runs other things; sanitizers unwind slowly. */
#ifdef LUTTPD_ASAN
#define CPU_BOUND_MS (HARNESS_CPU_MS * 3 / 2 + 2000)
#define SLOW true /* steps take so long that the deadline may come before the limit of steps */
#else
#define SLOW false
#define CPU_BOUND_MS (HARNESS_CPU_MS * 3 / 2 + 150)
#endif

struct attack {
    const char *path;
    bool jit;
    char text[TEXT_MAX_BYTES];
    char expect[128];
};

static void read_attack(struct attack *a) {
    FILE *file = fopen(a->path, "r");
    assert_non_null(file);
    size_t n = fread(a->text, 1, sizeof a->text - 1, file);
    assert_true(n < sizeof a->text - 1);
    a->text[n] = '\0';
    fclose(file);
    assert_int_equal(1, sscanf(a->text, "-- expect: %127[^\n]", a->expect));
}

static bool as_expected(const struct attack *a, const struct run *r) {
    if (strncmp(a->expect, "failed", 6) == 0) {
        const char *part = a->expect + 6 + strspn(a->expect + 6, " ");
        return (r->result == SCRIPT_FAILED && strstr(r->message, part) != NULL) ||
               (SLOW && r->result == SCRIPT_OVERTIME);
    }
    if (strcmp(a->expect, "any") == 0) {
        return r->result != SCRIPT_FAILED;
    }
    int wanted = strcmp(a->expect, "overtime") == 0   ? SCRIPT_OVERTIME
                 : strcmp(a->expect, "oversize") == 0 ? SCRIPT_OVERSIZE
                                                      : SCRIPT_DONE;
    return r->result == wanted;
}

static void attack_child(const struct script_stack *stack, void *context) {
    struct attack *a = context;
    struct script *s = harness_new(a->jit, stack, NULL);
    int rounds = a->jit ? ROUNDS_COMPILED : ROUNDS_INTERPRETED;
    for (int i = 0; i < rounds; i++) {
        struct run r = {.result = 0};
        harness_run(s, a->text, strlen(a->text), &r);
        if (!as_expected(a, &r) || r.cpu_ms > CPU_BOUND_MS) {
            fprintf(stderr, "%s (jit %d, round %d): result %d after %u ms: %s\n", a->path, a->jit, i,
                    r.result, r.cpu_ms, r.message);
            exit(2);
        }
        harness_check_alive(s);
    }
    script_free(s);
}

static bool run_attack(const char *path, bool jit) {
    struct attack *a = calloc(1, sizeof *a);
    assert_non_null(a);
    a->path = path;
    a->jit = jit;
    read_attack(a);
    int wanted = strcmp(a->expect, "exit") == 0 ? SCRIPT_EXIT_MEMORY : 0;
    int status = harness_fork(attack_child, a);
    if (status != wanted) {
        fprintf(stderr, "%s, jit %d: the child ended with %d\n", path, jit, status);
    }
    free(a);
    return status == wanted;
}

static void run_all(bool jit) {
    glob_t found;
    assert_int_equal(0, glob("attacks/*.lua", 0, NULL, &found));
    assert_true(found.gl_pathc > 70);
    size_t stopped = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        stopped += run_attack(found.gl_pathv[i], jit);
    }
    assert_int_equal(stopped, found.gl_pathc);
    globfree(&found);
}

static void test_attacks_are_stopped_when_compiled(void **state) {
    (void)state;
    run_all(true);
}

static void test_attacks_are_stopped_when_interpreted(void **state) {
    (void)state;
    run_all(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attacks_are_stopped_when_compiled),
        cmocka_unit_test(test_attacks_are_stopped_when_interpreted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
