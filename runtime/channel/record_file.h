/* SPDX-License-Identifier: Apache-2.0 */
/* record_file.h – walks the records of a plan or route map, and builds them.
 * Runs in: config (builds); master, router, listener, logger (walk). Distrusts: the content.
 *
 *   struct record_file f;  record_file_init(&f, bytes, size);
 *   while ((rc = record_file_next(&f, &record)) == 1) dispatch(record);   rc < 0: malformed
 */
#ifndef LUTTPD_CHANNEL_RECORD_FILE_H
#define LUTTPD_CHANNEL_RECORD_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "channel/ring.h"

struct record_file {
    const uint8_t *bytes; /* borrowed; must not change while it is walked */
    size_t size;
    size_t at;
};

void record_file_init(struct record_file *f, const uint8_t *bytes, size_t size);

/** Returns 1 with out pointing into the bytes, 0 at the end, -EBADMSG where a frame is wrong. */
int record_file_next(struct record_file *f, struct ring_record *out);

/** A growing buffer of records. */
struct record_builder {
    uint8_t *bytes; /* owned: free() */
    size_t size, capacity;
};

/** Room for a frame of up to frame_max bytes at the end, or NULL (out of memory). */
void *record_builder_reserve(struct record_builder *b, size_t frame_max);

/** Keeps frame_bytes of what was reserved, padded to eight bytes. */
void record_builder_commit(struct record_builder *b, size_t frame_bytes);

#endif
