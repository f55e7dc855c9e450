/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ring.c – shared memory as a hostile peer would write it, read and written by ours.
 * Input: a script of steps, each a byte that says what the peer does next, with its operands. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "channel/ring.h"
#include "schema/messages.h"

#define SIZE (64u * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

static struct ring_shared shared;
static uint64_t data[SIZE / 8];
static uint8_t scratch[RECORD_PAYLOAD_MAX];

static uint64_t operand(const uint8_t **p, const uint8_t *end) {
    uint64_t v = 0;
    size_t n = (size_t)(end - *p) < sizeof v ? (size_t)(end - *p) : sizeof v;
    memcpy(&v, *p, n);
    *p += n;
    return v;
}

static void read_one(struct ring_reader *r) {
    struct ring_record record;
    struct message_open open;
    struct message_head head;
    uint64_t before = r->head;
    int rc = ring_next(r, scratch, &record);
    if (rc == 1) {
        if (record.size > RECORD_PAYLOAD_MAX || r->head - before > SIZE) {
            abort();
        }
        (void)message_open_decode(&open, record.payload, record.size);
        (void)message_head_decode(&head, record.payload, record.size);
    } else if (rc != 0 && rc != -EBADMSG) {
        abort();
    }
}

static void write_one(struct ring_writer *w, uint32_t n) {
    uint8_t *room = ring_reserve(w, n);
    if (room == NULL) {
        return;
    }
    if (room < (uint8_t *)data || room + n > (uint8_t *)data + SIZE) {
        abort();
    }
    memset(room, 1, n);
    ring_commit(w, 1, n);
    (void)ring_publish(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n) {
    const uint8_t *p = input;
    const uint8_t *end = input + n;
    struct ring_reader r;
    struct ring_writer w;
    memset(&shared, 0, sizeof shared);
    memset(data, 0, sizeof data);
    ring_reader_init(&r, &shared, data, SIZE);
    ring_writer_init(&w, &shared, data, SIZE);
    while (p < end) {
        uint8_t step = *p++;
        uint64_t value = operand(&p, end);
        switch (step % 8) {
        case 0:
            atomic_store(&shared.tail, value % (4 * SIZE));
            break;
        case 1:
            atomic_store(&shared.tail, value);
            break;
        case 2:
            atomic_store(&shared.head, value % (4 * SIZE));
            break;
        case 3:
            atomic_store(&shared.head, value);
            break;
        case 4:
            data[(value >> 48) % (SIZE / 8)] = value & 0xFFFFFFFFFFFF;
            break;
        case 5:
            write_one(&w, (uint32_t)(value % (RECORD_PAYLOAD_MAX + 1)));
            break;
        case 6:
            read_one(&r);
            (void)ring_doze(&r);
            break;
        default:
            read_one(&r);
            ring_release(&r);
        }
    }
    return 0;
}
