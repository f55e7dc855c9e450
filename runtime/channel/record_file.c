/* SPDX-License-Identifier: Apache-2.0 */
/* record_file.c – walks the records of a plan or route map, and builds them.
 * Runs in: config (builds); master, router, listener, logger (walk). Distrusts: the content. */
#include "channel/record_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

#define ALIGNMENT 8u

void record_file_init(struct record_file *f, const uint8_t *bytes, size_t size) {
    *f = (struct record_file){.bytes = bytes, .size = size};
}

int record_file_next(struct record_file *f, struct ring_record *out) {
    struct record_header header;
    size_t rest = f->size - f->at;
    if (rest == 0) {
        return 0;
    }
    if (rest < RECORD_HEADER_BYTES) {
        return -EBADMSG;
    }
    memcpy(&header, f->bytes + f->at, sizeof header);
    if (header.reserved != 0 || header.type == RECORD_PAD || header.size > RECORD_PAYLOAD_MAX ||
        header.size > rest - RECORD_HEADER_BYTES) {
        return -EBADMSG;
    }
    size_t whole = (RECORD_HEADER_BYTES + header.size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (whole > rest) {
        return -EBADMSG;
    }
    *out = (struct ring_record){
        .type = header.type, .size = header.size, .payload = f->bytes + f->at + RECORD_HEADER_BYTES};
    f->at += whole;
    return 1;
}

void *record_builder_reserve(struct record_builder *b, size_t frame_max) {
    size_t need = b->size + frame_max + ALIGNMENT;
    if (need > b->capacity) {
        size_t capacity = b->capacity > 0 ? b->capacity : 4096;
        while (capacity < need) {
            capacity *= 2;
        }
        uint8_t *bytes = realloc(b->bytes, capacity);
        if (bytes == NULL) {
            return NULL;
        }
        b->bytes = bytes;
        b->capacity = capacity;
    }
    return b->bytes + b->size;
}

void record_builder_commit(struct record_builder *b, size_t frame_bytes) {
    MUST(frame_bytes <= b->capacity - b->size);
    b->size += frame_bytes;
    while (b->size % ALIGNMENT != 0) {
        b->bytes[b->size++] = 0;
    }
}
