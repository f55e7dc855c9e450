/* SPDX-License-Identifier: Apache-2.0 */
/* link_streams.c – the slots of one vhost's open streams, and the RESETs that it is owed.
 * Runs in: listener. Distrusts: the vhost, which may not read its ring: a slot whose RESET finds no room is
 * used again only after that was sent, so that the vhost sees no slot taken twice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "listener/connection.h"

#define SLOTS_AT_FIRST 16
#define CONTROL_RESERVE_BYTES 8192 /* of the ring: room for a burst of RESETs */

static int grow_slots(struct link *k) {
    uint32_t count = k->slot_count == 0 ? SLOTS_AT_FIRST : k->slot_count * 2;
    if (count > LINK_STREAMS_MAX) {
        return -EAGAIN;
    }
    struct link_slot *slots = realloc(k->slots, count * sizeof *slots);
    if (slots == NULL) {
        return -EAGAIN;
    }
    k->slots = slots;
    uint16_t *free_slots = realloc(k->free_slots, count * sizeof *free_slots);
    if (free_slots == NULL) {
        return -EAGAIN;
    }
    k->free_slots = free_slots;
    memset(slots + k->slot_count, 0, (count - k->slot_count) * sizeof *slots);
    for (uint32_t i = count; i > k->slot_count; i--) {
        k->free_slots[k->free_count++] = (uint16_t)(i - 1);
    }
    k->slot_count = count;
    return 0;
}

void link_free_slots(struct link *k) {
    free(k->slots);
    free(k->free_slots);
    k->slots = NULL;
    k->free_slots = NULL;
    k->slot_count = k->free_count = k->owed = 0;
}

int link_open_stream(struct link *k, struct connection *c) {
    if (k->free_count == 0 && grow_slots(k) != 0) {
        return -EAGAIN;
    }
    uint16_t slot = k->free_slots[k->free_count - 1];
    uint16_t sequence = (uint16_t)(k->slots[slot].sequence + 1);
    c->stream = slot | (uint32_t)sequence << 16;
    int rc = request_open(c);
    if (rc == 0) {
        k->free_count--;
        k->slots[slot].connection = c;
        k->slots[slot].sequence = sequence;
        c->state = CONNECTION_OPEN;
        c->since_ms = uv_now(&k->listener->loop);
    }
    return rc;
}

/* RESETs that are owed stand in a queue through their slots, oldest first. */
static void owe_reset(struct link *k, uint16_t slot, enum reason reason) {
    k->slots[slot].reason = (uint8_t)reason;
    if (k->owed++ == 0) {
        k->first_owed = slot;
        k->owed_since_ms = uv_now(&k->listener->loop);
    } else {
        k->slots[k->last_owed].next_owed = slot;
    }
    k->last_owed = slot;
}

void link_pay_resets(struct link *k) {
    while (k->owed > 0 && k->state == LINK_OPEN && channel_ready(&k->channel)) {
        uint16_t slot = k->first_owed;
        const struct link_slot *s = &k->slots[slot];
        const struct message_reset reset = {.stream = slot | (uint32_t)s->sequence << 16,
                                            .reason = (enum reason)s->reason};
        if (message_reset_put(&k->channel.writer, &reset) != 0) {
            k->blocked = true; /* tried again soon; a ring that is beyond use is found there too */
            return;
        }
        k->first_owed = s->next_owed;
        k->owed--;
        k->owed_since_ms = uv_now(&k->listener->loop);
        k->free_slots[k->free_count++] = slot;
    }
}

void link_close_stream(struct link *k, struct connection *c, bool abandoned, enum reason reason) {
    uint16_t slot = (uint16_t)c->stream;
    MUST(k->slots[slot].connection == c);
    k->slots[slot].connection = NULL;
    c->state = CONNECTION_ANSWERING; /* whatever fails from here on, the stream ends once */
    if (c->file.announced) {
        file_send_end(&c->file); /* passed and never used: nothing of it reaches another stream */
    }
    if (!abandoned || k->state != LINK_OPEN) {
        k->free_slots[k->free_count++] = slot;
        return;
    }
    k->slots[slot].late = true;
    owe_reset(k, slot, reason);
    link_pay_resets(k);
    link_activate(k);
}

bool link_has_room(struct link *k, size_t payload) {
    return ring_has_room(&k->channel.writer, (uint32_t)payload, CONTROL_RESERVE_BYTES);
}
