/* SPDX-License-Identifier: Apache-2.0 */
/* master.h – the whole state of master, and who does what with it.
 * Runs in: master. Distrusts: every child, and config's plan.
 *
 *   main.c       the order of a start       evaluate.c   asks config for the plan
 *   places.c     files and directories      bind.c       listening sockets
 *   children.c   spawn, reap, back-off      start.c      what each role is told first
 *   dispatch.c   what children may say      introduce.c  who is connected with whom
 *   serve.c      the loop, signals, the end blame.c      who may have whom replaced
 *   reload.c     new policies while it runs
 *
 *   config, router, listener, vhost, logger  -- control channel --  master
 */
#ifndef LUTTPD_MASTER_MASTER_H
#define LUTTPD_MASTER_MASTER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel/packet.h"
#include "master/child.h"
#include "master/plan.h"
#include "process/state_lock.h"

enum { EXIT_FAILED = 1, EXIT_CONFIGURATION = 3 };

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

#define CHILDREN_MAX (3 + PLAN_LISTENERS_MAX + PLAN_VHOSTS_MAX)

/** What config has said, until somebody takes it. */
struct evaluation {
    int plan, routes, policies; /* owned, -1 until PLAN */
    unsigned faults;
    bool finished; /* config has ended, and well */
};

struct options {
    const char *directory, *file, *state; /* the configuration's directory and name; the state directory */
    bool check, single_user;
};

enum reload_phase { RELOAD_NOT, RELOAD_EVALUATING, RELOAD_ROUTER, RELOAD_LISTENERS };

/** SIGHUP and what follows from it. */
struct reload {
    enum reload_phase phase;
    bool wanted;     /* SIGHUP has come since the last one began */
    uint64_t epoch;  /* the last that was offered: none is ever offered twice */
    int policies;    /* owned: what the router is asked to take; -1 in other phases */
    uint64_t due_ms; /* RELOAD_ROUTER: for that */
    unsigned begun, ended;
    enum state_reload how; /* the last one ended */
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
    int routes, policies;    /* owned: those that roles start with */
    uint64_t epoch;          /* of the policies */
    struct plan plan, fresh; /* fresh: of a reload, open only while it is compared */
    struct reload reload;
    struct bound_socket sockets[PLAN_LISTENERS_MAX]; /* one for each listener process */
    struct child children[CHILDREN_MAX];             /* config, logger, router, listeners, vhosts */
    size_t child_count, starting;                    /* starting: vhosts in CHILD_STARTING */
    struct pollfd polled[1 + 2 * CHILDREN_MAX];      /* signals, then control and pidfd of each child */
    struct wishes wishes;
    bool serving; /* has said so */
    enum stop_phase stop;
    uint64_t stop_due_ms;   /* when what is left of this phase is killed */
    struct packet packet;   /* where packets are received */
    struct child *speaking; /* whose packet that is */
};

#endif
