/* SPDX-License-Identifier: Apache-2.0 */
/* attacks_processes.c – at another process: its memory, its life, its share of the machine.
 * Runs in: evil builds of roles. Raw system calls throughout: libc must not soften anything. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attacks.h"

static int outcome(long rc) {
    return rc < 0 ? -errno : (int)rc;
}

static int ptrace_attach(const struct aim *aim) {
    return outcome(syscall(SYS_ptrace, PTRACE_ATTACH, aim->pid, 0, 0));
}

static int ptrace_seize(const struct aim *aim) {
    return outcome(syscall(SYS_ptrace, PTRACE_SEIZE, aim->pid, 0, 0));
}

/* An empty vector would be refused before anybody looks at rights. The remote address need not be
 * mapped: EFAULT means that the kernel did look. */
static int memory(long number, const struct aim *aim) {
    char byte = 0;
    struct iovec local = {&byte, 1};
    struct iovec remote = {(void *)(uintptr_t)0x10000, 1};
    int rc = outcome(syscall(number, aim->pid, &local, 1, &remote, 1, 0));
    return rc == -EFAULT ? 0 : rc;
}

static int memory_read(const struct aim *aim) {
    return memory(SYS_process_vm_readv, aim);
}

static int memory_write(const struct aim *aim) {
    return memory(SYS_process_vm_writev, aim);
}

static int proc_mem(const struct aim *aim) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/mem", aim->pid);
    return outcome(syscall(SYS_openat, AT_FDCWD, path, O_RDWR, 0));
}

static int proc_environ(const struct aim *aim) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/environ", aim->pid);
    return outcome(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0));
}

static int kill_probe(const struct aim *aim) {
    return outcome(syscall(SYS_kill, aim->pid, 0));
}

static int kill_victim(const struct aim *aim) {
    return outcome(syscall(SYS_kill, aim->pid, SIGKILL));
}

static int kill_parent(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_kill, getppid(), SIGTERM));
}

static int kill_everyone(const struct aim *aim) {
    (void)aim;
    return outcome(syscall(SYS_kill, -1, SIGKILL));
}

static int tgkill_victim(const struct aim *aim) {
    return outcome(syscall(SYS_tgkill, aim->pid, aim->pid, SIGKILL));
}

static int tkill_victim(const struct aim *aim) {
    return outcome(syscall(SYS_tkill, aim->pid, SIGKILL));
}

static int queue_signal(const struct aim *aim) {
    siginfo_t info = {.si_code = SI_QUEUE};
    return outcome(syscall(SYS_rt_sigqueueinfo, aim->pid, SIGTERM, &info));
}

static int pidfd_signal(const struct aim *aim) {
    int fd = outcome(syscall(SYS_pidfd_open, aim->pid, 0));
    return fd < 0 ? fd : outcome(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
}

static int pidfd_steal(const struct aim *aim) {
    int fd = outcome(syscall(SYS_pidfd_open, aim->pid, 0));
    return fd < 0 ? fd : outcome(syscall(SYS_pidfd_getfd, fd, 0, 0));
}

static int priority(const struct aim *aim) {
    return outcome(syscall(SYS_setpriority, PRIO_PROCESS, aim->pid, 19));
}

static int affinity(const struct aim *aim) {
    unsigned long first = 1;
    return outcome(syscall(SYS_sched_setaffinity, aim->pid, sizeof first, &first));
}

static int scheduler(const struct aim *aim) {
    struct sched_param idle = {0};
    return outcome(syscall(SYS_sched_setscheduler, aim->pid, SCHED_IDLE, &idle));
}

static int limits(const struct aim *aim) {
    struct rlimit none = {0, 0};
    return outcome(syscall(SYS_prlimit64, aim->pid, RLIMIT_CORE, &none, NULL));
}

const struct named_attack attacks_on_processes[] = {
    {"ptrace_attach", ptrace_attach},
    {"ptrace_seize", ptrace_seize},
    {"memory_read", memory_read},
    {"memory_write", memory_write},
    {"proc_mem", proc_mem},
    {"proc_environ", proc_environ},
    {"kill_probe", kill_probe},
    {"kill_victim", kill_victim},
    {"kill_parent", kill_parent},
    {"kill_everyone", kill_everyone},
    {"tgkill_victim", tgkill_victim},
    {"tkill_victim", tkill_victim},
    {"queue_signal", queue_signal},
    {"pidfd_signal", pidfd_signal},
    {"pidfd_steal", pidfd_steal},
    {"priority", priority},
    {"affinity", affinity},
    {"scheduler", scheduler},
    {"limits", limits},
    {NULL, NULL},
};
