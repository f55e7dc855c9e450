/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.c – from fork to exec: everything about a child that needs privilege, in an order in which
 * each step still has what it needs. Runs in: master and, between fork and exec, its child.
 *
 *   session                its own: no terminal, no signals meant for a foreground group
 *   network namespace      needs SYS_ADMIN
 *   working directory      the empty root; the role makes it its root directory
 *   limits, group, user    SETGID, SETUID; the change of user keeps permitted capabilities
 *   bounding set           SETPCAP, and the last use of it
 *   ambient set            what the role needs for its own first step survives exec
 *   parent's death         cleared by a change of credentials, so after it
 *   descriptors            0 to 2 lead nowhere, 3 is master, nothing else
 *   exec                   on a descriptor: no path is resolved with the child's rights */
#include "process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/cage.h"
#include "cage/omit.h"
#include "cage/privileges.h"
#include "process/process.h"
#include "schema/messages.h"

#define BINARY_FD 4            /* close-on-exec, behind the control channel */
#define FIRST_FREE_FD 10       /* where descriptors wait while 0 to 4 are put in order */
#define STACK_BYTES (8u << 20) /* libuv's threads take their size from this limit */

/* exec clears handlers but keeps what is ignored or blocked. */
static int reset_signals(const struct spawn *s) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;
    (void)s;
    for (int number = 1; number < NSIG; number++) {
        (void)sigaction(number, &standard, NULL); /* SIGKILL and SIGSTOP refuse */
    }
    (void)sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0 ? 0 : -errno;
}

/* A session of its own: no controlling terminal, and Ctrl-C reaches master alone, which then lets
 * everyone finish. */
static int leave_session(const struct spawn *s) {
    (void)s;
    return setsid() >= 0 ? 0 : -errno;
}

static int enter_network(const struct spawn *s) {
    if (s->single_user || !role_facts[s->role].empty_network || !CAGE_HAS(NETWORK)) {
        return 0;
    }
    return setns(s->network, CLONE_NEWNET) == 0 ? 0 : -errno;
}

static int enter_directory(const struct spawn *s) {
    (void)umask(077);
    if (!CAGE_HAS(ROOT)) {
        return 0;
    }
    bool empty = !s->single_user && role_facts[s->role].empty_root;
    int rc = empty ? fchdir(s->root) : chdir("/");
    return rc == 0 ? 0 : -errno;
}

static int limit(int resource, uint64_t value) {
    struct rlimit both = {value, value};
    return setrlimit(resource, &both) == 0 ? 0 : -errno;
}

/* The hard limit of the stack stays: raising it back is nobody's gain. */
static int set_limits(const struct spawn *s) {
    struct rlimit stack;
    if (!CAGE_HAS(LIMITS)) {
        return 0;
    }
    int rc = getrlimit(RLIMIT_STACK, &stack) == 0 ? 0 : -errno;
    if (rc == 0 && stack.rlim_max >= STACK_BYTES) {
        stack.rlim_cur = STACK_BYTES;
        rc = setrlimit(RLIMIT_STACK, &stack) == 0 ? 0 : -errno;
    }
    if (rc == 0) {
        rc = limit(RLIMIT_CORE, 0);
    }
    if (rc == 0 && s->address_space_bytes != 0 && !CAGE_SANITIZED) {
        rc = limit(RLIMIT_AS, s->address_space_bytes);
    }
    if (rc == 0 && s->cpu_s != 0) {
        rc = limit(RLIMIT_CPU, s->cpu_s);
    }
    return rc;
}

/* The number of processes is limited after the change of user: set before, exec would fail wherever
 * the owner's other programs already exceed it. */
static int change_user(const struct spawn *s) {
    if (!s->single_user) {
        if (setgroups(0, NULL) != 0 || setresgid(s->gid, s->gid, s->gid) != 0 ||
            prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setresuid(s->uid, s->uid, s->uid) != 0) {
            return -errno;
        }
    }
    return s->processes != 0 && CAGE_HAS(LIMITS) ? limit(RLIMIT_NPROC, s->processes) : 0;
}

/* Inheritable comes before the bounding set is emptied: it may only grow within that. */
static int cut_capabilities(const struct spawn *s) {
    uint64_t first = role_facts[s->role].first_capabilities;
    uint64_t all;
    if (s->single_user) {
        return 0;
    }
    int rc = privileges_get(&all);
    if (rc == 0) {
        rc = privileges_set(all, first);
    }
    if (rc == 0) {
        rc = privileges_bound(0);
    }
    for (unsigned c = 0; rc == 0 && c < 64; c++) {
        if ((first >> c & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) != 0) {
            rc = -errno;
        }
    }
    return rc == 0 ? privileges_set(first, first) : rc;
}

/* Until the role has begun it has nothing to drain; then it sets its own signal. Master may have died
 * already: the kernel wrote its pid into the control channel. */
static int follow_parent(const struct spawn *s) {
    struct ucred master;
    socklen_t size = sizeof master;
    if (!CAGE_HAS(PARENT)) {
        return 0;
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
        getsockopt(s->control, SOL_SOCKET, SO_PEERCRED, &master, &size) != 0) {
        return -errno;
    }
    return getppid() == master.pid ? 0 : -EOWNERDEAD;
}

static int arrange_descriptors(const struct spawn *s) {
    int control = fcntl(s->control, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    int binary = fcntl(s->binary, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (control < 0 || binary < 0 || nowhere < 0) {
        return -errno;
    }
    int last = CAGE_SANITIZED ? STDOUT_FILENO : STDERR_FILENO;
    for (int fd = STDIN_FILENO; fd <= last; fd++) {
        if (fd == nowhere ? fcntl(fd, F_SETFD, 0) != 0 : dup2(nowhere, fd) != fd) {
            return -errno;
        }
    }
    if (dup2(control, PROCESS_CONTROL_FD) < 0 || dup3(binary, BINARY_FD, O_CLOEXEC) < 0) {
        return -errno;
    }
    return CAGE_HAS(DESCRIPTORS) && close_range(BINARY_FD + 1, ~0U, 0) != 0 ? -errno : 0;
}

static int execute(const struct spawn *s) {
    char title[sizeof "luttpd: " + 16 + SPAWN_LABEL_MAX];
    char *arguments[] = {title, CAGE_ARGUMENT, NULL};
    char *nothing[] = {NULL};
    const char *label = s->label != NULL ? s->label : "";
    (void)snprintf(title, sizeof title, "luttpd: %s%s%.*s", role_facts[s->role].name,
                   *label != '\0' ? " " : "", SPAWN_LABEL_MAX, label);
    (void)execveat(BINARY_FD, "", arguments, CAGE_HAS(ENVIRONMENT) ? nothing : environ, AT_EMPTY_PATH);
    return -errno;
}

static const struct step {
    const char *part;
    int (*take)(const struct spawn *s);
} steps[] = {
    {"signals", reset_signals},
    {"session", leave_session},
    {"network namespace", enter_network},
    {"working directory", enter_directory},
    {"limits", set_limits},
    {"user", change_user},
    {"capabilities", cut_capabilities},
    {"parent's death", follow_parent},
    {"descriptors", arrange_descriptors},
    {"exec", execute},
};

/* s->control stays valid until descriptors are in order, then 3 is the same socket. */
static _Noreturn void become(const struct spawn *s) {
    char text[128];
    int rc = 0;
    size_t i = 0;
    while (i < sizeof steps / sizeof *steps && (rc = steps[i].take(s)) == 0) {
        i++;
    }
    int n = snprintf(text, sizeof text, "%s: %s", steps[i].part, strerror(-rc));
    struct message_note note = {.level = LEVEL_ERROR, .text = slice_from(text, (size_t)n)};
    int control = steps[i].take == execute ? PROCESS_CONTROL_FD : s->control;
    (void)message_note_send(control, &note, NULL);
    _exit(PROCESS_EXIT_FAILED);
}

static bool complete(const struct spawn *s) {
    if (s->binary < 0 || s->control < 0 || s->role == ROLE_MASTER) {
        return false;
    }
    return s->single_user || (s->uid != 0 && s->gid != 0 && s->network >= 0 && s->root >= 0);
}

/* All signals wait while the child could still run master's handlers. */
pid_t spawn_role(const struct spawn *s, int *pidfd) {
    sigset_t all;
    sigset_t before;
    int fd = -1;
    if (!complete(s)) {
        return -EINVAL;
    }
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, NULL);
    if (pid == 0) {
        become(s);
    }
    int error = errno;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        return -error;
    }
    *pidfd = fd;
    return (pid_t)pid;
}
