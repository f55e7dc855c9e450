/* SPDX-License-Identifier: Apache-2.0 */
/* report.h – what a process has to say to the admin.
 * Runs in: every process. In a role the line travels to master as a NOTE; in master and the
 * command it goes to standard error. Never for a request: those are log records. */
#ifndef LUTTPD_BASE_REPORT_H
#define LUTTPD_BASE_REPORT_H

#include <stddef.h>

enum report_level { REPORT_INFO, REPORT_WARNING, REPORT_ERROR };

#define REPORT_MAX_BYTES 1024 /* longer lines are cut */

/** Where lines go. text: borrowed, n bytes, no newline, no NUL counted. Must not block. */
typedef void report_sink(void *context, enum report_level level, const char *text, size_t n);

/** Sends every later line to sink; context is handed through. NULL: back to standard error. */
void report_to(report_sink *sink, void *context);

/** Formats one line and hands it to the sink. Async-signal-unsafe. Keeps errno. */
void report(enum report_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
