/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h – what time it is. Runs in: every process.
 * All of these stay in the vdso: no system call, no error. */
#ifndef LUTTPD_BASE_CLOCK_H
#define LUTTPD_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read_us(clockid_t id) {
    struct timespec t = {0, 0};
    (void)clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/** Microseconds since some fixed moment; never goes back. For measuring. */
static inline uint64_t clock_monotonic_us(void) {
    return clock_read_us(CLOCK_MONOTONIC);
}

/** Milliseconds since some fixed moment; never goes back. For deadlines. */
static inline uint64_t clock_monotonic_ms(void) {
    return clock_monotonic_us() / 1000u;
}

/** Microseconds since the epoch, UTC; the admin may set it back. For showing. */
static inline uint64_t clock_realtime_us(void) {
    return clock_read_us(CLOCK_REALTIME);
}

#endif
