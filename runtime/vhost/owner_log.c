/* SPDX-License-Identifier: Apache-2.0 */
/* owner_log.c – lines for the owner's error log.
 * Runs in: vhost. The logger escapes and stamps them, and knows from the channel whose they are. */
#include <stdarg.h>
#include <stdio.h>

#include "vhost/vhost.h"

#define LINE_MAX_BYTES 8192

void owner_log(struct vhost *v, enum level level, const char *format, ...) {
    char line[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (n > 0) {
        log_producer_error(&v->log, level, slice_from(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1));
    }
}

void owner_log_failure(struct vhost *v, const char *during) {
    const struct script_error *e = script_error(v->script);
    owner_log(v, LEVEL_ERROR, "%s (%s)%s%s", e->message, during, e->trace[0] != '\0' ? "\n" : "", e->trace);
}

void site_print(void *context, const char *text, size_t n) {
    log_producer_error(&((struct vhost *)context)->log, LEVEL_INFO, slice_from(text, n));
}
