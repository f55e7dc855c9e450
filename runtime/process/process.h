/* SPDX-License-Identifier: Apache-2.0 */
/* process.h – the six steps with which every role starts.
 * Runs in: config, router, listener, vhost, logger. Trusts: master. Each step either succeeds or
 * ends the process with a NOTE that names the part and the reason: there is nothing to check.
 *
 *   1 process_begin         who am I: descriptor 3 is master, not dumpable, dies with its parent
 *   2 process_await_start   master's START message and its descriptors
 *   3 <role>_prepare        whatever needs the outside: mappings, loop, threads' memory
 *   4 process_close_cage    chroot, capabilities, no_new_privs, landlock, threads, seccomp
 *   5 process_ready         tells master
 *   6 <role>_serve          reads the first byte from anyone less trusted than itself
 *
 * Without root every role runs as the user who started master. A role learns this from the kernel
 * (the credentials behind its control channel), never from an argument. */
#ifndef LUTTPD_PROCESS_PROCESS_H
#define LUTTPD_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "channel/packet.h"
#include "schema/processes.h"

#define PROCESS_CONTROL_FD 3   /* the control channel to master */
#define PROCESS_EXIT_FAILED 70 /* a step failed; the NOTE says which */
#define PROCESS_NOTES_PER_SECOND \
    100                    /* more than master shows; without end they would crowd out what it waits for */
#define PROCESS_ORPHAN_S 5 /* seconds that a role has to drain when master has died */

struct process {
    enum role role;
    int control;      /* SEQPACKET socket to master */
    bool single_user; /* luttpd runs without root: the walls that need it are missing */
    struct {
        uint64_t second; /* CLOCK_MONOTONIC, in which sent and dropped count */
        unsigned sent, dropped;
    } notes;
};

/** What the cage of this process must leave reachable. Descriptors are borrowed. */
struct process_places {
    int read_dir;  /* a directory to read beneath, or -1 */
    int write_dir; /* a directory to write beneath, or -1 */
};

/** Step 1. Sends report() to master from here on, so p must live as long as the process.
 * Ignores SIGPIPE. Takes SIGUSR2 for itself: master's death; SIGALRM ends the process then. */
void process_begin(struct process *p, enum role role);

/** Step 2. Receives the packet that must have this type and number of descriptors.
 * Blocks until master sends it. The caller decodes and takes the descriptors. */
void process_await_start(const struct process *p, uint16_t type, size_t fd_count, struct packet *out);

/** Step 4. start_threads: called between landlock and seccomp, may be NULL; it must start every
 * thread that the process will ever have. executable: the process may map executable pages (JIT);
 * only roles that processes.lua allows it may ask. */
void process_close_cage(const struct process *p, const struct process_places *places,
                        void (*start_threads)(void *), void *context, int executable);

/** Called once the cage is closed, before step 5, where something defines it: the escape tests do,
 * to try every attack from inside. Nothing that ships defines it. */
void process_caged(const struct process *p) __attribute__((weak));

/** Step 5. */
void process_ready(const struct process *p);

/** Ends the process: a NOTE "<part>: <strerror>", then exit PROCESS_EXIT_FAILED. error: errno > 0. */
_Noreturn void process_fail(const struct process *p, const char *part, int error);

#endif
