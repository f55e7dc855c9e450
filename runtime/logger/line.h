/* SPDX-License-Identifier: Apache-2.0 */
/* line.h – log records as lines of text. Runs in: logger. Distrusts: every field.
 *
 *   combined   1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "GET /x HTTP/1.1" 200 12 "referer" "agent" "id"
 *   json       {"time":"2000-10-10T13:55:36.123Z","address":"1.2.3.4","method":"GET",...}
 *   error      2000-10-10T13:55:36.123Z [error] text
 *                | the text's second line
 *   lost       the same shapes, so that every reader of a log can still read it: in combined format
 *              a line whose address is "-", in JSON an object with "dropped"
 *
 * The id of the request has 16 hexadecimal digits. Times are UTC. In combined format what is empty is shown as "-". */
#ifndef LUTTPD_LOGGER_LINE_H
#define LUTTPD_LOGGER_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "schema/messages.h"

enum line_kind { LINE_COMBINED, LINE_JSON, LINE_ERROR, LINE_KINDS };

#define LINE_LOST_ROOM 512

/** Times are alike for many lines: the text of the second that was shown last. */
struct line_clock {
    uint64_t second;
    char combined[26]; /* 10/Oct/2000:13:55:36 +0000 */
    char iso[19];      /* 2000-10-10T13:55:36 */
};

void line_clock_init(struct line_clock *c);

/** Bytes that the line of m can take at most. kind: LINE_COMBINED or LINE_JSON. */
size_t line_access_room(enum line_kind kind, const struct message_log_access *m);

/** Writes one line with its newline. out: at least line_access_room(). Returns its bytes. */
size_t line_access(struct line_clock *c, enum line_kind kind, char *out, const struct message_log_access *m);

size_t line_error_room(struct slice speaker, struct slice text);

/** speaker: who says so, shown before the text; empty in a vhost's own log. Returns bytes written. */
size_t line_error(struct line_clock *c, char *out, uint64_t time_us, enum level level, struct slice speaker,
                  struct slice text);

/** Says that records never reached this log, and why. out: LINE_LOST_ROOM. reason: at most 100 bytes
 * of ASCII without quote and backslash. Returns bytes written. */
size_t line_lost(struct line_clock *c, enum line_kind kind, char *out, uint64_t time_us, uint64_t records,
                 const char *reason);

#endif
