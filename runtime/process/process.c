/* SPDX-License-Identifier: Apache-2.0 */
/* process.c – who am I, what does master want, close the cage, tell master.
 * Runs in: every role. Trusts: master and the kernel; checks what master should have done. */
#include "process/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/report.h"
#include "cage/cage.h"
#include "cage/omit.h"
#include "schema/messages.h"

static void send_note(const struct process *p, enum level level, struct slice text) {
    const struct message_note note = {.level = level, .text = text};
    (void)message_note_send(p->control, &note, NULL); /* a master that does not listen misses it */
}

static void begin_second(struct process *p, uint64_t second) {
    char text[64];
    int n = snprintf(text, sizeof text, "%u more lines are not shown", p->notes.dropped);
    if (p->notes.dropped > 0) {
        send_note(p, LEVEL_WARNING, slice_from(text, (size_t)n));
    }
    p->notes.second = second;
    p->notes.sent = p->notes.dropped = 0;
}

static void report_to_master(void *context, enum report_level level, const char *text, size_t n) {
    static const enum level levels[] = {LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR};
    struct process *p = context;
    uint64_t second = clock_monotonic_ms() / 1000;
    if (second != p->notes.second) {
        begin_second(p, second);
    }
    if (p->notes.sent < PROCESS_NOTES_PER_SECOND) {
        p->notes.sent++;
        send_note(p, levels[level], slice_from(text, n));
    } else {
        p->notes.dropped++;
    }
}

_Noreturn void process_fail(const struct process *p, const char *part, int error) {
    (void)p;
    errno = error;
    report(REPORT_ERROR, "%s: %m", part);
    _exit(PROCESS_EXIT_FAILED);
}

static void must_work(const struct process *p, const char *part, int rc) {
    if (rc < 0) {
        process_fail(p, part, -rc);
    }
}

/* Master has died and this process may be too busy to see its control channel end. Arm the kernel's
 * own clock, once; SIGALRM keeps its default, which is the end. */
static void on_orphaned(int number) {
    (void)number;
    (void)alarm(PROCESS_ORPHAN_S);
}

static int handle_signals(bool drains) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction orphaned = {.sa_handler = on_orphaned, .sa_flags = SA_RESTART};
    if (sigaction(SIGPIPE, &ignore, NULL) != 0 || sigaction(SIGUSR2, &orphaned, NULL) != 0) {
        return -errno;
    }
    return prctl(PR_SET_PDEATHSIG, drains ? SIGUSR2 : SIGKILL, 0, 0, 0) == 0 ? 0 : -errno;
}

/* The kernel stamped who made the control channel: master. A parent with another pid means that
 * master died before the signal was set. */
static int meet_master(struct process *p) {
    struct ucred master;
    socklen_t size = sizeof master;
    if (getsockopt(p->control, SOL_SOCKET, SO_PEERCRED, &master, &size) != 0) {
        return -errno;
    }
    p->single_user = master.uid == getuid();
    if (CAGE_HAS(PARENT)) {
        int rc = handle_signals(role_facts[p->role].drains);
        if (rc != 0) {
            return rc;
        }
        if (getppid() != master.pid) {
            return -EOWNERDEAD;
        }
    }
    return getuid() == 0 || geteuid() == 0 || getgid() == 0 ? -EPERM : 0;
}

static int check_null(int fd) {
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return -errno;
    }
    return S_ISCHR(about.st_mode) && about.st_rdev == makedev(1, 3) ? 0 : -EBADF;
}

/* Master promised: standard descriptors lead nowhere, nothing else is open, nothing is inherited. */
static void check_inheritance(const struct process *p) {
    int last = CAGE_SANITIZED ? STDOUT_FILENO : STDERR_FILENO;
    for (int fd = STDIN_FILENO; fd <= last; fd++) {
        must_work(p, "standard descriptors", check_null(fd));
    }
    if (CAGE_HAS(DESCRIPTORS)) {
        must_work(p, "close_range", close_range(PROCESS_CONTROL_FD + 1, ~0U, 0) == 0 ? 0 : -errno);
    }
    if (CAGE_HAS(ENVIRONMENT)) {
        must_work(p, "environment is not empty", environ[0] == NULL ? 0 : -EINVAL);
    }
}

void process_begin(struct process *p, enum role role) {
    *p = (struct process){.role = role, .control = PROCESS_CONTROL_FD};
    report_to(report_to_master, p);
    must_work(p, "dumpable", cage_hide());
    must_work(p, "master", meet_master(p));
    check_inheritance(p);
}

void process_await_start(const struct process *p, uint16_t type, size_t fd_count, struct packet *out) {
    struct pollfd wait = {.fd = p->control, .events = POLLIN};
    int rc = -EAGAIN;
    while (rc == -EAGAIN || rc == -ECONNRESET) { /* reset: said once, then the end */
        if (poll(&wait, 1, -1) < 0 && errno != EINTR) {
            process_fail(p, "waiting for master", errno);
        }
        rc = packet_receive(p->control, out);
    }
    if (rc == 0) {
        _exit(0); /* master has gone: nobody to tell */
    }
    must_work(p, "start", rc);
    if (out->type != type || out->fd_count != fd_count) {
        process_fail(p, "start", EPROTO);
    }
}

/* A directory where the role may have none is a mistake of the role, not of anyone outside. */
static void check_places(const struct role_facts *facts, const struct process_places *places) {
    MUST(places->read_dir < 0 || (facts->landlock & ROLE_LANDLOCK_READ) != 0);
    MUST(places->write_dir < 0 || (facts->landlock & ROLE_LANDLOCK_WRITE) != 0);
}

void process_close_cage(const struct process *p, const struct process_places *places,
                        void (*start_threads)(void *), void *context, int executable) {
    const struct role_facts *facts = &role_facts[p->role];
    check_places(facts, places);
    MUST(!executable || facts->filter_executable != facts->filter);
    if (facts->empty_root && !p->single_user) {
        must_work(p, "empty root", cage_enter_root());
    }
    must_work(p, "capabilities", cage_drop_capabilities(!p->single_user));
    must_work(p, "no_new_privs", cage_no_new_privileges(executable != 0));
    if ((facts->landlock & ROLE_LANDLOCK) != 0) {
        must_work(p, "landlock", cage_landlock(places->read_dir, places->write_dir));
    }
    if (start_threads != NULL) {
        start_threads(context);
    }
    must_work(p, "seccomp", cage_filter(executable ? facts->filter_executable : facts->filter));
    if (process_caged != NULL) {
        process_caged(p);
    }
}

void process_ready(const struct process *p) {
    struct message_ready ready = {0};
    int rc = message_ready_send(p->control, &ready, NULL);
    if (rc == -EPIPE) {
        _exit(0);
    }
    must_work(p, "ready", rc);
}
