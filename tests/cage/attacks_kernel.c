/* SPDX-License-Identifier: Apache-2.0 */
/* attacks_kernel.c – at more rights, other programs, executable memory and rarely used corners of
 * the kernel; and the controls, which must keep working. Runs in: evil builds of roles. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "attacks.h"
#include "base/report.h"
#include "evil.h"

static int outcome(long rc) {
    return rc < 0 ? -errno : (int)rc;
}

static int exec_program(const struct aim *aim) {
    char *arguments[] = {(char *)"false", NULL};
    char *nothing[] = {NULL};
    (void)aim;
    return outcome(syscall(SYS_execve, "/bin/false", arguments, nothing));
}

/* A program in memory needs no file system. */
static int exec_memory(const struct aim *aim) {
    static const char script[] = "#!/bin/false\n";
    char *arguments[] = {(char *)"false", NULL};
    char *nothing[] = {NULL};
    (void)aim;
    int fd = outcome(syscall(SYS_memfd_create, "x", 0));
    if (fd < 0) {
        return fd;
    }
    (void)!write(fd, script, sizeof script - 1);
    return outcome(syscall(SYS_execveat, fd, "", arguments, nothing, AT_EMPTY_PATH));
}

/* The copy ends at once; it must not go on as this process. */
static int fork_once(const struct aim *aim) {
    (void)aim;
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        _exit(0);
    }
    return outcome(pid);
}

/* By clone, because unshare would refuse a process with threads. */
static int namespace_user(const struct aim *aim) {
    (void)aim;
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        _exit(0);
    }
    return outcome(pid);
}

static int become_root(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_setresuid, 0, 0, 0));
}

static int become_group(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_setresgid, 0, 0, 0));
}

static int join_groups(const struct aim *aim) {
    gid_t root = 0;
    (void)aim;
    return outcome(syscall(SYS_setgroups, 1, &root));
}

static int raise_capability(const struct aim *aim) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{.effective = 1u << CAP_KILL, .permitted = 1u << CAP_KILL}};
    (void)aim;
    return outcome(syscall(SYS_capset, &header, data));
}

static int leave_root(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_chroot, "."));
}

static int mount_something(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL));
}

static int become_dumpable(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static void *page(int protection) {
    long at = syscall(SYS_mmap, NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == -1 ? NULL : (void *)at;
}

static int mprotect_exec(const struct aim *aim) {
    void *at = page(PROT_READ | PROT_WRITE);
    (void)aim;
    return outcome(syscall(SYS_mprotect, at, 4096, PROT_READ | PROT_EXEC));
}

static int mprotect_both(const struct aim *aim) {
    void *at = page(PROT_READ | PROT_WRITE);
    (void)aim;
    return outcome(syscall(SYS_mprotect, at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
}

static int mmap_exec(const struct aim *aim) {
    (void)aim;
    return page(PROT_READ | PROT_WRITE | PROT_EXEC) == NULL ? -errno : 0;
}

static int pkey_exec(const struct aim *aim) {
    void *at = page(PROT_READ | PROT_WRITE);
    (void)aim;
    return outcome(syscall(SYS_pkey_mprotect, at, 4096, PROT_READ | PROT_EXEC, -1));
}

static int io_uring(const struct aim *aim) {
    char parameters[120] = {0};
    (void)aim;
    return outcome(syscall(SYS_io_uring_setup, 1, parameters));
}

static int userfaultfd(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_userfaultfd, 1)); /* user mode only: needs no privilege */
}

static int add_key(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_add_key, "user", "luttpd-test", "x", 1, -3));
}

static int keyctl(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_keyctl, 0, -3, 0, 0, 0));
}

static int bpf(const struct aim *aim) {
    char attributes[128] = {0};
    (void)aim;
    return outcome(syscall(SYS_bpf, 0, attributes, sizeof attributes));
}

static int perf_event(const struct aim *aim) {
    char attributes[128] = {0};
    (void)aim;
    return outcome(syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0));
}

static int plain_memfd(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_memfd_create, "x", 0));
}

static int seccomp_notifier(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_seccomp, 2, 0, &(unsigned){0x7fff0000u}));
}

static int crash(const struct aim *aim) {
    volatile uintptr_t nowhere = 16;
    (void)aim;
    *(volatile int *)nowhere = 1;
    return 0;
}

/* Not an attack by itself: a secret as a careful program keeps it, on a page that no core file would hold.
 * It is each byte of the aim's path plus one, and nowhere else: the path itself is in every process. */
static int plant(const struct aim *aim) {
    size_t n = strlen(aim->path);
    char *at = page(PROT_READ | PROT_WRITE);
    if (at == NULL || madvise(at, 4096, MADV_DONTDUMP) != 0) {
        return -errno;
    }
    for (size_t i = 0; i < n; i++) {
        at[i] = (char)(aim->path[i] + 1);
    }
    return 0;
}

/* Not an attack by itself: a role that is too busy to notice anything, such as master's death. */
static _Noreturn int hang(const struct aim *aim) {
    (void)aim;
    report(REPORT_INFO, "hanging");
    for (volatile unsigned n = 0;; n++) {}
}

/* The filter must hold threads that started before it. */
static int socket_from_thread(const struct aim *aim) {
    (void)aim;
    return evil_run_in_thread != NULL ? evil_run_in_thread() : -ENOTSUP;
}

const struct named_attack attacks_on_kernel[] = {
    {"exec_program", exec_program},
    {"exec_memory", exec_memory},
    {"fork_once", fork_once},
    {"namespace_user", namespace_user},
    {"become_root", become_root},
    {"become_group", become_group},
    {"join_groups", join_groups},
    {"raise_capability", raise_capability},
    {"leave_root", leave_root},
    {"mount_something", mount_something},
    {"become_dumpable", become_dumpable},
    {"mprotect_exec", mprotect_exec},
    {"mprotect_both", mprotect_both},
    {"mmap_exec", mmap_exec},
    {"pkey_exec", pkey_exec},
    {"io_uring", io_uring},
    {"userfaultfd", userfaultfd},
    {"add_key", add_key},
    {"keyctl", keyctl},
    {"bpf", bpf},
    {"perf_event", perf_event},
    {"plain_memfd", plain_memfd},
    {"seccomp_notifier", seccomp_notifier},
    {"crash", crash},
    {"socket_from_thread", socket_from_thread},
    {"hang", hang},
    {"plant", plant},
    {NULL, NULL},
};

static int works_memory(const struct aim *aim) {
    (void)aim;
    void *big = malloc(1u << 20);
    void *small = malloc(64);
    int rc = big != NULL && small != NULL && page(PROT_READ | PROT_WRITE) != NULL ? 0 : -ENOMEM;
    free(big);
    free(small);
    return rc;
}

static int works_clock(const struct aim *aim) {
    struct timespec now;
    (void)aim;
    return outcome(syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &now));
}

/* As the Lua deadline does: raise sends a signal to the own pid. */
static int works_raise(const struct aim *aim) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)aim;
    (void)sigaction(SIGPROF, &ignore, NULL);
    return raise(SIGPROF) == 0 ? 0 : -errno;
}

static int works_stat(const struct aim *aim) {
    struct stat about;
    (void)aim;
    return outcome(fstat(0, &about));
}

static int works_clone3(const struct aim *aim) {
    (void)aim;
    return syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS ? 0 : -errno;
}

/* Roles without a directory have nothing to open: success too. */
static int works_own_file(const struct aim *aim) {
    uint64_t how[3] = {O_RDONLY, 0, 0};
    if (aim->directory < 0) {
        return 0;
    }
    return outcome(syscall(SYS_openat2, aim->directory, "own", how, sizeof how));
}

static int works_abort(const struct aim *aim) {
    (void)aim;
    abort();
}

const struct named_attack controls[] = {
    {"works_memory", works_memory}, {"works_clock", works_clock},
    {"works_raise", works_raise},   {"works_stat", works_stat},
    {"works_clone3", works_clone3}, {"works_own_file", works_own_file},
    {"works_abort", works_abort},   {NULL, NULL},
};
