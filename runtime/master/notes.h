/* SPDX-License-Identifier: Apache-2.0 */
/* notes.h – the server's own log: lines on standard error, from master and from its children.
 * Runs in: master. Distrusts: every byte of a child's line, and the reader of standard error, who may
 * have stopped reading: a line that would block is dropped and counted. */
#ifndef LUTTPD_MASTER_NOTES_H
#define LUTTPD_MASTER_NOTES_H

#include <stdint.h>

#include "base/report.h"
#include "base/slice.h"

#define NOTES_PER_SECOND 20

/** What one child may still say. Zeroed at the child's birth. */
struct note_allowance {
    uint64_t second; /* CLOCK_MONOTONIC, in which said counts */
    unsigned said, dropped;
};

/** Sends master's own report() lines here. */
void notes_begin(void);

/** One line of a child, after its name: escaped, at most NOTES_PER_SECOND. who, text: borrowed. */
void notes_child(struct note_allowance *a, enum report_level level, const char *who, struct slice text);

/** Says how many lines were dropped, if the second in which that happened is over. */
void notes_settle(struct note_allowance *a, const char *who);

/** Writes text with every byte below 0x20 or above 0x7e, and the backslash, as \xHH.
 * out: room bytes, at least 1; NUL-terminated, cut where it does not fit. */
void notes_escape(char *out, size_t room, struct slice text);

/** Writes a formatted line, cut to PIPE_BUF, to standard error as it is.
 * wait_ms: for whoever reads there; -1 without end. */
void notes_line(int wait_ms, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Writes all of a formatted line to standard output; what the command or a script reads. */
void notes_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
