/* SPDX-License-Identifier: Apache-2.0 */
/* child.h – what master knows of one process that it keeps alive: see children.h.
 * Runs in: master. */
#ifndef LUTTPD_MASTER_CHILD_H
#define LUTTPD_MASTER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "master/notes.h"
#include "schema/processes.h"

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
    uint64_t epoch;         /* router, listeners: of the policies that its START or its last POLICY held */
    uint64_t asked_epoch;   /* of the POLICY that it has not answered yet, 0 for none */
    uint64_t answer_due_ms; /* for that */
    bool keeps_old;         /* it has refused the policies of epoch */
    struct note_allowance notes;
    struct blame_allowance accusations; /* outlives its processes, so that dying buys no more of them */
};

#endif
