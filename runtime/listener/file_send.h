/* SPDX-License-Identifier: Apache-2.0 */
/* file_send.h – content from a vhost's open file to a client, without ever waiting for a disk.
 * Runs in: listener. Distrusts: the descriptor: it may be anything, from anywhere, and change.
 *
 * First look: statx without synchronising (a dead file system still answers), regular file, on the
 * vhost's own device. Cached pages go out by sendfile on the loop; a probe that never waits tells
 * whether they are; what is cold is sent by a file thread, at most FILE_JOBS_PER_LINK for a vhost.
 * A descriptor that failed the first look is closed on a thread: even close can hang. */
#ifndef LUTTPD_LISTENER_FILE_SEND_H
#define LUTTPD_LISTENER_FILE_SEND_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "channel/packet.h"

#define FILE_JOBS_PER_LINK 2
#define FILE_DOOMED_MAX 64            /* descriptors of one vhost that wait to be closed */
#define FILE_SWIFT_BYTES (512 * 1024) /* of content: whoever has taken that is no slow reader */
#define FILE_STEP_BYTES (512 * 1024)  /* sent in one go, so that others get their turn */

struct connection;
struct link;

/** A vhost's open file, for all connections to which it goes: ten thousand slow readers of one file hold one
 * descriptor. What is the same file, device and inode tell; each vhost has its own, since another might have
 * been allowed less. */
struct file_shared {
    struct file_shared *next; /* in its bucket */
    const struct link *link;
    uint64_t device, inode;
    size_t users;
    int fd; /* owned */
};

struct file_send {
    struct file_shared *shared; /* one of whose users this is; NULL for none */
    int fd;                     /* shared's; -1 for none */
    bool announced;             /* the descriptor came, its FILE did not yet */
    bool refused;               /* it came, but there were too many: it is closed */
    bool active;
    bool swift; /* the client has read so much that the kernel may hold more for it */
    bool full;  /* the client's socket had no room, and has not said that it has some */
    bool job;   /* a file thread is at work: neither fd nor socket may be closed */
    uint64_t offset, left;
    uint64_t warm_to;            /* where the last probe found pages in memory */
    struct connection *next_job; /* in its link, while it waits for a thread */
    uv_work_t work;
    int socket;     /* for the thread */
    int64_t result; /* of the thread: bytes, or -errno */
};

enum file_progress { FILE_SENT_ALL, FILE_SOCKET_FULL, FILE_JOB_RUNS, FILE_MORE, FILE_FAILED };

/** Looks at a descriptor for the first time. Returns 0 with f taking fd (or refused: too many files are
 * open), or -EBADMSG where it is not a regular file of the vhost's device; fd is taken in every outcome. */
int file_send_take(struct link *k, struct file_send *f, int fd);

/** Takes the regular file fd of the vhost k, or one that is open already. Returns 0, or -ENFILE where too many
 * are open; fd is taken in every outcome. */
int file_share_take(struct link *k, struct file_send *f, uint64_t inode, int fd);

/** Is no user of its file any more. */
void file_share_end(struct file_send *f);

/** Closes, on a thread, whatever descriptors are left in a packet. Returns false where so many of this
 * vhost's wait to be closed that no more may come. */
bool file_send_discard(struct link *k, struct packet *p);

/** Sends some of the file of c, which is active. FILE_FAILED: shorter than promised, or an error:
 * the connection must be cut. */
enum file_progress file_send_step(struct connection *c);

/** Ends with the file: closes it. Must not be called while job is set. */
void file_send_end(struct file_send *f);

/** Starts the file threads. Call between landlock and seccomp. */
void file_send_start_threads(void *loop);

#endif
