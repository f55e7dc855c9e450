/* SPDX-License-Identifier: Apache-2.0 */
/* owner_log.c – lines for the owner's error log.
 * Runs in: vhost. The logger escapes and stamps them, and knows from the channel whose they are. */
#include <stdarg.h>
#include <stdio.h>

#include "vhost/answer.h"

#define LINE_MAX_BYTES 8192

static void write_line(struct vhost *v, enum level level, const char *line, int n) {
    if (n > 0) {
        size_t length = n < LINE_MAX_BYTES ? (size_t)n : LINE_MAX_BYTES - 1;
        log_producer_error(&v->log, level, slice_from(line, length));
    }
}

void owner_log(struct vhost *v, enum level level, const char *format, ...) {
    char line[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    write_line(v, level, line, n);
}

void owner_log_failure(struct vhost *v, const char *during) {
    const struct script_error *e = script_error(v->script);
    const char *parting = e->trace[0] != '\0' ? "\n" : "";
    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof line, "%s (%s)%s%s", e->message, during, parting, e->trace);
    write_line(v, LEVEL_ERROR, line, n);
}

void site_print(void *context, const char *text, size_t n) {
    log_producer_error(&((struct vhost *)context)->log, LEVEL_INFO, slice_from(text, n));
}
