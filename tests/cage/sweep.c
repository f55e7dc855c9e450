/* SPDX-License-Identifier: Apache-2.0 */
/* sweep.c – makes every system call behind a role's closed cage, each in a process of its own, and
 * prints which ones it outlived.
 *
 *   sweep FILTER UID calls       0 to 470, with all arguments 0 and with all -1: "NUMBER NAME ZEROS ONES"
 *   sweep FILTER UID foreign     the same numbers as x32 and i386 calls: prints those that were outlived
 *   sweep FILTER UID arguments   the table of arguments.c: "NAME RESULT"
 *
 * A result is "killed", "lives", an error's name where the call answered ENOSYS or EPERM, or "waits".
 * Runs in: the tests, in a pid namespace of its own. */
#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"
#include "cage/cage.h"
#include "cage/filters.h"

#define LAST_CALL 470
#define X32_BIT 0x40000000L
#define CAGE_FAILED 250

enum abi { ABI_NATIVE, ABI_X32, ABI_I386 };

struct target {
    enum filter filter;
    uid_t uid;
};

/* The role's walls in their order, but for the empty root: no call of this table may matter to it. */
static void close_cage(const struct target *t) {
    struct itimerval soon = {.it_value = {0, 150000}};
    if (setgroups(0, NULL) != 0 || setresgid(t->uid, t->uid, t->uid) != 0 ||
        setresuid(t->uid, t->uid, t->uid) != 0 || cage_hide() != 0 || cage_drop_capabilities(false) != 0 ||
        cage_no_new_privileges(t->filter == FILTER_VHOST) != 0 || cage_landlock(-1, -1) != 0) {
        _exit(CAGE_FAILED);
    }
    (void)alarm(2);
    (void)setitimer(ITIMER_REAL, &soon, NULL);
    if (cage_filter(t->filter) != 0) {
        _exit(CAGE_FAILED);
    }
}

static long call(enum abi abi, long number, const long a[6]) {
#ifdef __x86_64__
    if (abi == ABI_I386) {
        long rc;
        __asm__ volatile("int $0x80"
                         : "=a"(rc)
                         : "0"(number), "b"(0L), "c"(0L), "d"(0L)
                         : "memory", "r8", "r9", "r10", "r11");
        return rc;
    }
#endif
    long rc = syscall(abi == ABI_X32 ? number | X32_BIT : number, a[0], a[1], a[2], a[3], a[4], a[5]);
    return rc < 0 ? -errno : rc;
}

/* Runs in the child; a system call must not let it fall through to anything but its end. */
static _Noreturn void become_victim(const struct target *t, enum abi abi, long number, const long a[6]) {
    close_cage(t);
    long rc = call(abi, number, a);
    (void)syscall(SYS_exit_group, rc == -ENOSYS || rc == -EPERM ? -rc : 0);
    for (;;) {}
}

static const char *outcome(const struct target *t, enum abi abi, long number, const long a[6]) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        become_victim(t, abi, number, a);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return "not tried";
    }
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGSYS ? "killed" : WTERMSIG(status) == SIGALRM ? "waits" : "lives";
    }
    switch (WEXITSTATUS(status)) {
    case CAGE_FAILED:
        return "no cage";
    case ENOSYS:
        return "ENOSYS";
    case EPERM:
        return "EPERM";
    default:
        return "lives";
    }
}

static void sweep_calls(const struct target *t) {
    static const long zeros[6];
    static const long ones[6] = {-1, -1, -1, -1, -1, -1};
    for (long number = 0; number <= LAST_CALL; number++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
        const char *with_zeros = outcome(t, ABI_NATIVE, number, zeros);
        const char *with_ones = outcome(t, ABI_NATIVE, number, ones);
        (void)printf("%ld %s %s %s\n", number, name != NULL ? name : "unknown", with_zeros, with_ones);
        free(name);
    }
}

static void sweep_foreign(const struct target *t) {
    static const long zeros[6];
    for (long number = 0; number <= LAST_CALL; number++) {
        for (enum abi abi = ABI_X32; abi <= ABI_I386; abi++) {
            const char *result = outcome(t, abi, number, zeros);
            if (strcmp(result, "killed") != 0) {
                (void)printf("%ld %s %s\n", number, abi == ABI_X32 ? "x32" : "i386", result);
            }
        }
    }
}

static void sweep_arguments(const struct target *t) {
    for (const struct argument_case *c = argument_cases; c->name != NULL; c++) {
        long a[6];
        for (int i = 0; i < 6; i++) {
            a[i] = c->arguments[i];
        }
        (void)printf("%s %s\n", c->name, outcome(t, ABI_NATIVE, c->number, a));
    }
}

int main(int argc, char **argv) {
    struct target t = {FILTER_COUNT, 0};
    (void)setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    for (unsigned f = 0; argc == 4 && f < FILTER_COUNT; f++) {
        t.filter = strcmp(argv[1], cage_filters[f].name) == 0 ? (enum filter)f : t.filter;
    }
    if (t.filter == FILTER_COUNT || (t.uid = (uid_t)strtoul(argv[2], NULL, 10)) == 0) {
        (void)fputs("usage: sweep FILTER UID calls|foreign|arguments\n", stderr);
        return 2;
    }
    if (strcmp(argv[3], "calls") == 0) {
        sweep_calls(&t);
    } else if (strcmp(argv[3], "foreign") == 0) {
        sweep_foreign(&t);
    } else {
        sweep_arguments(&t);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
