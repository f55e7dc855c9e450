/* SPDX-License-Identifier: Apache-2.0 */
/* nursery.c – a master for the escape tests: starts one role once for each attack, beside a victim,
 * and prints how it went.
 *
 *   nursery -r ROLE -b BINARY -u UID -g GID [-d DIRECTORY] [-v VICTIM_UID] [-n PROCESSES] [-a BYTES]
 *           [-H hardened] [-c confine itself as master does] [-s single user] [-w wait] [-p] ATTACK...
 *
 * For each attack: "ATTACK <tab> what it told <tab> exit N or signal NAME <tab> the victim's fate". Without
 * attacks the role idles: "ready PID MICROSECONDS", then, with -p, what a process under the role's own
 * user can do to it, and with -w nothing until standard input ends.
 * Runs in: the tests, as pid 1 of a pid namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attacks.h"
#include "cage/omit.h"
#include "nursery_start.h"
#include "process/process.h"
#include "process/spawn.h"
#include "schema/messages.h"

struct nursery {
    struct spawn spawn;
    struct start start;
    uid_t victim;
    bool confine;
    bool wait;
    bool sibling;
    const char *test; /* the argument without attack and pid */
};

struct child {
    pid_t pid;
    int pidfd;
    int control;
    bool ready;
    char told[1024];
    struct timespec started;
};

static volatile sig_atomic_t parent_hit;

static void on_signal(int number) {
    (void)number;
    parent_hit = 1;
}

static _Noreturn void fail(const char *what, int error) {
    (void)fprintf(stderr, "nursery: %s: %s\n", what, strerror(error));
    exit(2);
}

static pid_t start_victim(uid_t uid) {
    pid_t pid = fork();
    if (pid == 0) {
        if (setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) {
            _exit(1);
        }
        (void)execl("/bin/sleep", "sleep", "60", (char *)NULL);
        _exit(1);
    }
    return pid;
}

/* The victim must have finished exec: before, it is nursery's copy and nobody may look into it. */
static void await_exec(pid_t pid) {
    char path[64];
    char name[16] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/comm", pid);
    while (strcmp(name, "sleep\n") != 0) {
        FILE *file = fopen(path, "re");
        if (file == NULL || fgets(name, sizeof name, file) == NULL) {
            fail("victim", ESRCH);
        }
        (void)fclose(file);
    }
}

static void on_note(struct child *c, const struct packet *packet) {
    struct message_note note;
    if (message_note_decode(&note, packet_payload(packet), packet->size) != 0) {
        return;
    }
    if (note.text.n > 5 && memcmp(note.text.p, "evil ", 5) == 0) {
        const char *colon = memchr(note.text.p, ':', note.text.n);
        const char *value = colon != NULL ? colon + 2 : note.text.p;
        (void)snprintf(c->told, sizeof c->told, "%.*s", (int)(note.text.p + note.text.n - value), value);
        return;
    }
    (void)printf("note %.*s\n", (int)note.text.n, note.text.p);
}

/* Until the role is ready or gone. A peer that died without reading its START makes the first receive
 * fail with ECONNRESET; what it had sent comes behind that. */
static void listen_to(struct child *c) {
    static struct packet packet;
    int rc = 1;
    while (!c->ready && rc != 0) {
        struct pollfd wait = {.fd = c->control, .events = POLLIN};
        (void)poll(&wait, 1, 10000);
        rc = packet_receive(c->control, &packet);
        if (rc == 1 && packet.type == MESSAGE_NOTE) {
            on_note(c, &packet);
        } else if (rc == 1 && packet.type == MESSAGE_READY) {
            c->ready = true;
        } else if (rc == -EAGAIN && wait.revents == 0) {
            (void)kill(c->pid, SIGKILL);
        }
    }
}

static void begin(struct nursery *n, struct child *c) {
    int ends[2];
    *c = (struct child){.told = "-"};
    int rc = packet_pair(ends);
    if (rc != 0) {
        fail("pair", -rc);
    }
    c->control = ends[0];
    n->spawn.control = ends[1];
    (void)clock_gettime(CLOCK_MONOTONIC, &c->started);
    c->pid = spawn_role(&n->spawn, &c->pidfd);
    if (c->pid < 0) {
        fail("spawn", -c->pid);
    }
    (void)close(ends[1]);
    rc = start_send(&n->start, n->spawn.role, c->control);
    if (rc != 0 && rc != -EPIPE) {
        fail("start", -rc);
    }
    listen_to(c);
}

static void print_end(struct child *c) {
    siginfo_t end = {0};
    (void)close(c->control);
    while (waitid(P_PID, (id_t)c->pid, &end, WEXITED) != 0 && errno == EINTR) {}
    (void)close(c->pidfd);
    if (end.si_code == CLD_EXITED) {
        (void)printf("exit %d", end.si_status);
    } else {
        (void)printf("signal %s%s", sigabbrev_np(end.si_status), end.si_code == CLD_DUMPED ? " core" : "");
    }
}

/* The state letter of /proc/PID/stat, behind the name in brackets. */
static char state_of(pid_t pid) {
    char path[64];
    char line[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) {
        fail(path, errno); /* it is our child, and nobody has waited for it yet */
    }
    (void)fclose(file);
    const char *bracket = strrchr(line, ')');
    return bracket != NULL && bracket[1] != '\0' ? bracket[2] : 'X';
}

/* The victim sleeps undisturbed; a signal that was sent to it wakes it first, then has its effect. */
static const char *fate(pid_t victim) {
    if (parent_hit) {
        return "parent hit";
    }
    char state;
    while ((state = state_of(victim)) == 'R') {
        (void)usleep(200);
    }
    return state == 'Z' || state == 'X' ? "dead" : "alive";
}

static void attack_once(struct nursery *n, const char *name) {
    char argument[1024];
    struct child child;
    pid_t victim = start_victim(n->victim);
    await_exec(victim);
    (void)snprintf(argument, sizeof argument, "%s;attack=%s;pid=%d", n->test, name, victim);
    cage_omitted_argument = argument;
    parent_hit = 0;
    begin(n, &child);
    (void)printf("%s\t%s\t", name, child.told);
    print_end(&child);
    (void)printf("\t%s\n", fate(victim));
    (void)kill(victim, SIGKILL);
    (void)waitpid(victim, NULL, 0);
}

/* Runs in a copy of nursery that has become the role's user. */
static _Noreturn void attack_as_sibling(const struct nursery *n, const struct named_attack *a, pid_t pid) {
    struct aim aim = {.pid = pid};
    uid_t uid = n->spawn.uid;
    gid_t gid = n->spawn.gid;
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
        _exit(1);
    }
    int rc = a->run(&aim);
    (void)printf("%s\t%s\n", a->name, rc < 0 ? strerrorname_np(-rc) : "ok");
    (void)fflush(stdout);
    _exit(0);
}

/* What somebody under the role's own user can do to it from outside: trace it, read its memory. */
static void attack_from_beside(const struct nursery *n, pid_t pid) {
    for (int i = 0; i < 6; i++) {
        (void)fflush(stdout);
        pid_t sibling = fork();
        if (sibling == 0) {
            attack_as_sibling(n, &attacks_on_processes[i], pid);
        }
        (void)waitpid(sibling, NULL, 0);
        (void)kill(pid, SIGCONT); /* an attached process stays stopped when its tracer has gone */
    }
}

static void idle(struct nursery *n) {
    struct child child;
    struct timespec now;
    char byte;
    begin(n, &child);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    long us = (now.tv_sec - child.started.tv_sec) * 1000000 + (now.tv_nsec - child.started.tv_nsec) / 1000;
    (void)printf("%s %d %ld\n", child.ready ? "ready" : "failed", child.pid, us);
    if (n->sibling && child.ready) {
        attack_from_beside(n, child.pid);
    }
    (void)fflush(stdout);
    while (n->wait && read(STDIN_FILENO, &byte, 1) > 0) {}
    print_end(&child);
    (void)printf("\n");
}

static enum role role_named(const char *name) {
    for (enum role r = ROLE_CONFIG; r < ROLE_COUNT; r++) {
        if (strcmp(name, role_facts[r].name) == 0) {
            return r;
        }
    }
    fail(name, EINVAL);
}

static void parse(struct nursery *n, int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "r:b:u:g:d:v:n:a:Hcswp")) != -1) {
        switch (option) {
        case 'r':
            n->spawn.role = role_named(optarg);
            break;
        case 'b':
            n->spawn.binary = open(optarg, O_PATH | O_CLOEXEC);
            break;
        case 'u':
            n->spawn.uid = (uid_t)strtoul(optarg, NULL, 10);
            break;
        case 'g':
            n->spawn.gid = (gid_t)strtoul(optarg, NULL, 10);
            break;
        case 'd':
            n->start.directory = open(optarg, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            break;
        case 'v':
            n->victim = (uid_t)strtoul(optarg, NULL, 10);
            break;
        case 'n':
            n->spawn.processes = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'a':
            n->spawn.address_space_bytes = strtoull(optarg, NULL, 10);
            break;
        case 'H':
            n->start.hardened = true;
            break;
        case 'c':
            n->confine = true;
            break;
        case 's':
            n->spawn.single_user = true;
            break;
        case 'w':
            n->wait = true;
            break;
        case 'p':
            n->sibling = true;
            break;
        default:
            fail("usage", EINVAL);
        }
    }
}

static void prepare(struct nursery *n) {
    if (!n->spawn.single_user) {
        n->spawn.network = spawn_empty_network();
        n->spawn.root = spawn_empty_root();
        if (n->spawn.network < 0 || n->spawn.root < 0) {
            fail("empty network and root", n->spawn.network < 0 ? -n->spawn.network : -n->spawn.root);
        }
    }
    const char *part = n->confine ? spawn_confine_master(n->spawn.single_user) : NULL;
    if (part != NULL) {
        fail(part, errno);
    }
}

int main(int argc, char **argv) {
    struct nursery n = {.spawn = {.binary = -1, .network = -1, .root = -1}, .start = {.directory = -1}};
    struct sigaction notice = {.sa_handler = on_signal};
    n.test = cage_omitted_argument != NULL ? cage_omitted_argument : "test:";
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)sigaction(SIGTERM, &notice, NULL);
    parse(&n, argc, argv);
    n.spawn.label = "probe";
    prepare(&n);
    if (optind == argc) {
        idle(&n);
    }
    for (int i = optind; i < argc; i++) {
        attack_once(&n, argv[i]);
    }
    return 0;
}
