/* SPDX-License-Identifier: Apache-2.0 */
/* record.h – the eight bytes before every message, on sockets, rings and in plan files alike.
 * Runs in: every process. The generated codecs know the payload; this knows the frame. */
#ifndef LUTTPD_CHANNEL_RECORD_H
#define LUTTPD_CHANNEL_RECORD_H

#include <stddef.h>
#include <stdint.h>

struct record_header {
    uint32_t size;     /* bytes of payload that follow */
    uint16_t type;     /* message id, or RECORD_PAD in a ring */
    uint16_t reserved; /* 0 */
};

#define RECORD_HEADER_BYTES 8
#define RECORD_PAYLOAD_MAX 32760 /* header and payload fit 32 KiB: half of the smallest ring */
#define RECORD_MAX_BYTES (RECORD_HEADER_BYTES + RECORD_PAYLOAD_MAX)
#define RECORD_PAD 0 /* fills a ring to its end; never a message */

#endif
