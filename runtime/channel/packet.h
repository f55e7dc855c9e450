/* SPDX-License-Identifier: Apache-2.0 */
/* packet.h – one message on a SEQPACKET socket, with its descriptors.
 * Runs in: every process. Distrusts: everything the peer sends; the kernel keeps boundaries.
 * Never blocks, whatever flags the peer has set on the shared description (MSG_DONTWAIT). */
#ifndef LUTTPD_CHANNEL_PACKET_H
#define LUTTPD_CHANNEL_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "channel/record.h"

#define PACKET_FDS_MAX 4
#define PACKET_PAYLOAD_MAX 8952 /* the largest control message; checked against messages.lua */

struct packet {
    uint16_t type;
    uint32_t size; /* bytes of payload */
    size_t fd_count;
    int fds[PACKET_FDS_MAX]; /* owned by the packet until taken; -1 once taken */
    uint8_t frame[RECORD_HEADER_BYTES + PACKET_PAYLOAD_MAX];
};

/** The payload of a received packet; lives as long as the packet. */
static inline const uint8_t *packet_payload(const struct packet *p) {
    return p->frame + RECORD_HEADER_BYTES;
}

/** Makes a connected pair of SEQPACKET sockets, close-on-exec.
 * Returns 0, or -errno with ends untouched. The caller owns both. */
int packet_pair(int ends[2]);

/** Sends one framed message (header and payload, as message_*_write made it).
 * frame: borrowed. fds: borrowed, stay open here whatever happens.
 * Returns 0; -EAGAIN where the peer's queue is full; -EPIPE where it is gone; else -errno. */
int packet_send(int socket, const void *frame, size_t bytes, const int *fds, size_t fd_count);

/** Receives one packet.
 * Returns 1 with out filled; 0 where the peer has closed; -EAGAIN where nothing waits;
 * -EBADMSG where the frame is wrong, cut, or carries more than PACKET_FDS_MAX descriptors (all that
 * came are closed); else -errno. Received descriptors are close-on-exec. */
int packet_receive(int socket, struct packet *out);

/** Takes descriptor number index out of the packet; the caller owns it. */
int packet_take(struct packet *p, size_t index);

/** Closes the descriptors that nobody took. */
void packet_drop(struct packet *p);

#endif
