/* SPDX-License-Identifier: Apache-2.0 */
/* link.h – the listener's side of one vhost: its channel, its open streams, who waits for it.
 * Runs in: listener. Distrusts: everything the vhost sends; cuts it off at the first broken rule.
 *
 *   ABSENT --someone wants it--> ASKED --CHANNEL--> OPEN --its death or fault--> ABSENT
 */
#ifndef LUTTPD_LISTENER_LINK_H
#define LUTTPD_LISTENER_LINK_H

#include "listener/listener.h"

enum link_state { LINK_ABSENT, LINK_ASKED, LINK_OPEN };

/** One stream's place. Its id is slot + sequence * 65536; the sequence rises with each use. */
struct link_slot {
    struct connection *connection; /* NULL: free */
    uint16_t sequence;
    uint16_t next_owed; /* the next slot whose RESET is owed */
    uint8_t reason;     /* of that RESET */
    bool
        late; /* a use ended by our RESET: messages for it may still come, until one of the present use does */
};

struct doomed;

struct link {
    struct listener *listener;
    uint64_t vhost;
    struct slice name;
    enum link_state state;
    uint64_t generation, device;
    struct channel channel;
    uv_poll_t *poll;
    uint64_t refused_until_ms; /* master said so: nobody is asked before then (uv_now) */
    bool unasked;              /* ASKED, but the router's socket was full: asked again soon */
    bool dozing;               /* our flag in the ring is set: the vhost will ring */
    bool is_active;
    bool blocked;          /* no room or slot: tried again soon */
    unsigned empty_bells;  /* packets since the last record or second */
    unsigned idle_records; /* of this second */
    struct link *next_active;

    struct link_slot *slots;
    uint16_t *free_slots;
    uint32_t slot_count, free_count;
    uint32_t owed; /* RESETs that did not fit the ring yet */
    uint16_t first_owed, last_owed;
    uint64_t owed_since_ms; /* since when none of them could be sent (uv_now) */

    struct connection *first, *last; /* waiting for the channel, room or a slot; oldest first */
    size_t waiting;

    unsigned doomed_count; /* descriptors that wait to be closed; the first is being closed */
    struct doomed *first_doomed, *last_doomed;
    unsigned file_jobs;                      /* running on file threads */
    struct connection *first_job, *last_job; /* waiting for a file thread */
};

/** Prepares a link for each vhost of the map. Returns 0 or -ENOMEM. */
int links_init(struct listener *l);

/** Takes the data channel that master made. socket: taken. */
void link_open(struct link *k, int socket, uint64_t generation, uint64_t device);

/** Master says that the vhost cannot be had before retry_ms: answers 503 to those who wait. */
void link_refused(struct link *k, uint32_t retry_ms);

/** Hands the request of c to the vhost now or as soon as possible. c is idle of streams. */
void link_call(struct link *k, struct connection *c);

/** Takes a connection out of the waiting queue. */
void link_forget(struct link *k, struct connection *c);

/** Gives the request of c a slot and puts OPEN. Returns 0, -EAGAIN where there is no slot or room, -EBADMSG. */
int link_open_stream(struct link *k, struct connection *c);

/** Sends RESETs that are owed, as far as there is room. */
void link_pay_resets(struct link *k);

/** Frees the table of slots; no stream is open. */
void link_free_slots(struct link *k);

/** Ends the stream of c after both sides have ended it (abandoned false), or early, telling the
 * vhost with RESET (abandoned true). */
void link_close_stream(struct link *k, struct connection *c, bool abandoned, enum reason reason);

/** Whether a message of payload bytes of content may be put now, leaving room for control messages. */
bool link_has_room(struct link *k, size_t payload);

/** Dispatches a packet of the vhost and drops what is left of it. Returns 0 or -EBADMSG. */
int link_dispatch_packet(struct link *k, struct packet *p);

#define DRAIN_RECORDS_MAX 1024 /* in one go, so that one vhost does not hold up the others */

/** Drains the ring, dispatching to response.c. Cuts the vhost off where it breaks a rule. */
void link_drain(struct link *k);

/** Tries those who wait. */
void link_serve_waiting(struct link *k);

/** There may be room now: lets everyone who was held up try again. */
void link_unblock(struct link *k);

/** Answers for those who have waited too long. now: uv_now. */
void link_sweep(struct link *k, uint64_t now);

/** Rings if the vhost sleeps, then lets our side sleep. Returns false where more has come. */
bool link_settle(struct link *k);

/** Marks the link as one to look at in the end of this turn. */
void link_activate(struct link *k);

/** The vhost broke a rule: has master replace it, reports it, closes the channel, answers for its
 * streams. */
void link_blame(struct link *k, const char *why);

#endif
