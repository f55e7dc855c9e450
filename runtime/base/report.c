/* SPDX-License-Identifier: Apache-2.0 */
/* report.c – one line to the admin, wherever this process sends them.
 * Runs in: every process. The sink is this process's only mutable global: an assertion that
 * fails anywhere must find it. */
#include "base/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"

static void to_standard_error(void *context, enum report_level level, const char *text, size_t n) {
    static const char *const names[] = {"info", "warning", "error"};
    (void)context;
    (void)dprintf(STDERR_FILENO, "luttpd: %s: %.*s\n", names[level], (int)n, text);
}

static report_sink *current_sink = to_standard_error;
static void *current_context;

void report_to(report_sink *sink, void *context) {
    current_sink = sink != NULL ? sink : to_standard_error;
    current_context = context;
}

void report(enum report_level level, const char *format, ...) {
    char line[REPORT_MAX_BYTES + 1];
    int saved = errno;
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (n > 0) {
        size_t length = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
        current_sink(current_context, level, line, length);
    }
    errno = saved;
}

_Noreturn void must_fail(const char *condition, const char *file, int line) {
    report(REPORT_ERROR, "%s:%d: this must hold and does not: %s", file, line, condition);
    abort();
}
