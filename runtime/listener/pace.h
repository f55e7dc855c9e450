/* SPDX-License-Identifier: Apache-2.0 */
/* pace.h – whether bytes come, or go, fast enough on the average.
 * Runs in: listener. Pure: the caller looks at the clock, once a second or so.
 *
 * Whoever falls PACE_GRACE_MS behind the rate is too slow. Whoever is faster gets ahead, but only so far: else
 * a few quick megabytes would buy hours of silence. How far must exceed what a socket takes in one go, since
 * a slow reader's socket stays full until much of that is gone (see PACE_UNSENT_BYTES). */
#ifndef LUTTPD_LISTENER_PACE_H
#define LUTTPD_LISTENER_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_GRACE_MS 10000
#define PACE_UNSENT_BYTES 131072 /* that the kernel holds for a client, beyond its window */
#define PACE_AHEAD_MAX_BYTES (2 * PACE_UNSENT_BYTES) /* that one may be ahead of the rate */

struct pace {
    uint64_t seen; /* bytes moved in all, when the clock last moved */
    int64_t ahead; /* bytes moved beyond the rate; negative: behind it */
};

/** Starts again. moved: bytes moved so far. */
void pace_begin(struct pace *p, uint64_t moved);

/** moved: bytes moved in all by now. waited_ms: how long we have waited for them since the last call; 0 where
 * it was our turn. rate: bytes in a second, 0 for any. Returns false where that is too slow. */
bool pace_keeps(struct pace *p, uint64_t moved, uint32_t waited_ms, uint32_t rate);

#endif
