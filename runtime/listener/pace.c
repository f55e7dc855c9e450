/* SPDX-License-Identifier: Apache-2.0 */
/* pace.c – see pace.h. */
#include "listener/pace.h"

void pace_begin(struct pace *p, uint64_t moved) {
    *p = (struct pace){.seen = moved};
}

bool pace_keeps(struct pace *p, uint64_t moved, uint32_t waited_ms, uint32_t rate) {
    uint64_t fresh = moved - p->seen;
    p->seen = moved;
    p->ahead += fresh < PACE_AHEAD_MAX_BYTES ? (int64_t)fresh : PACE_AHEAD_MAX_BYTES;
    if (p->ahead > PACE_AHEAD_MAX_BYTES) {
        p->ahead = PACE_AHEAD_MAX_BYTES;
    }
    p->ahead -= (int64_t)rate * waited_ms / 1000;
    return rate == 0 || p->ahead >= -(int64_t)rate * (PACE_GRACE_MS / 1000);
}
