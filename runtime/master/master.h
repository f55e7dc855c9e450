/* SPDX-License-Identifier: Apache-2.0 */
/* master.h – the whole state of master, and who does what with it.
 * Runs in: master. Distrusts: every child, and config's plan.
 *
 *   main.c       the order of a start       evaluate.c   asks config for the plan
 *   places.c     files and directories      bind.c       listening sockets
 *   children.c   spawn, reap, back-off      start.c      what each role is told first
 *   dispatch.c   what children may say      introduce.c  who is connected with whom
 *   serve.c      the loop, signals, the end blame.c      who may have whom replaced
 *
 *   config, router, listener, vhost, logger  -- control channel --  master
 */
#ifndef LUTTPD_MASTER_MASTER_H
#define LUTTPD_MASTER_MASTER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel/packet.h"
#include "master/notes.h"
#include "master/plan.h"
#include "schema/processes.h"

enum { EXIT_FAILED = 1, EXIT_CONFIGURATION = 3 };

/** How often one child is still believed. */
struct blame_allowance {
    uint64_t minute_ms; /* when the minute began in which believed counts */
    unsigned believed;
    bool told; /* of this minute: that it is believed no more */
};

enum child_state {
    CHILD_WAITING,  /* starts at due_ms */
    CHILD_STARTING, /* READY by due_ms, or it is killed */
    CHILD_SERVING,
    CHILD_KILLED, /* to be reaped */
    CHILD_DONE,   /* will not be started again */
};

struct child {
    enum role role;
    size_t index; /* among its kind: of the listener process, of the vhost in the plan */
    enum child_state state;
    bool settled; /* was ready once, or failed once: the server need not wait for it to answer */
    pid_t pid;
    int pidfd;   /* owned, -1 while there is no process */
    int control; /* owned, -1 likewise */
    uint64_t due_ms;
    uint64_t ready_ms;
    uint64_t stuck_ms; /* since when its control channel has been full or closed, 0 where it is not */
    bool hung_up;      /* it has closed its end: it is ending, or will be ended */
    unsigned failures; /* in a row */
    uint64_t generation;
    uint64_t device;        /* vhost: st_dev of its root */
    bool has_router;        /* listener: connected with the router that runs now */
    bool has_logger;        /* producers: with the logger that runs now */
    uint64_t budget_second; /* in which packets counts */
    unsigned packets;       /* received in that second */
    struct note_allowance notes;
    struct blame_allowance accusations; /* outlives its processes, so that dying buys no more of them */
};

/** One SO_REUSEPORT socket for each listener process; kept for its successors. */
struct bound_socket {
    int fd; /* owned */
    uint16_t port;
    size_t listen; /* in the plan */
};

/** What listeners want to be connected with. */
struct wishes {
    bool wanted[PLAN_LISTENERS_MAX][PLAN_VHOSTS_MAX];
    uint64_t served_ms[PLAN_LISTENERS_MAX][PLAN_VHOSTS_MAX]; /* the last introduction of the two */
    size_t count[PLAN_LISTENERS_MAX];                        /* wanted ones of each listener */
};

#define CHILDREN_MAX (2 + PLAN_LISTENERS_MAX + PLAN_VHOSTS_MAX)

/** What config has said. */
struct evaluation {
    int plan, routes, policies; /* owned, -1 until PLAN */
    unsigned faults;
};

struct options {
    const char *directory, *file, *state; /* the configuration's directory and name; the state directory */
    bool check, single_user;
};

enum stop_phase { STOP_NOT, STOP_LISTENERS, STOP_VHOSTS, STOP_ROUTER, STOP_LOGGER, STOP_DONE };

/** Every table has its largest size: master allocates nothing. Pages that are not used cost nothing. */
struct master {
    struct options options;
    struct plan_rules rules;
    int binaries[ROLE_COUNT]; /* owned, O_PATH; -1 for master */
    int network, root;        /* owned: the empty network namespace and root; -1 in single-user mode */
    int signals;              /* owned signalfd */
    int lock;                 /* owned */
    int logs;                 /* owned: the log directory */
    struct evaluation evaluation;
    uint64_t epoch; /* of the policies */
    struct plan plan;
    struct bound_socket sockets[PLAN_LISTENERS_MAX]; /* one for each listener process */
    struct child config;
    struct child children[CHILDREN_MAX];        /* logger, router, listeners, vhosts */
    size_t child_count, starting;               /* starting: vhosts in CHILD_STARTING */
    struct pollfd polled[1 + 2 * CHILDREN_MAX]; /* signals, then control and pidfd of each child */
    struct wishes wishes;
    bool serving; /* has said so */
    enum stop_phase stop;
    uint64_t stop_due_ms;   /* when what is left of this phase is killed */
    struct packet packet;   /* where packets are received */
    struct child *speaking; /* whose packet that is */
};

#endif
