/* SPDX-License-Identifier: Apache-2.0 */
/* notes.c – the server's own log: lines on standard error, from master and from its children.
 * Runs in: master. Distrusts: every byte of a child's line, and the reader of standard error. */
#include "master/notes.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES PIPE_BUF /* what a pipe that can be written to takes without blocking */

static const char *const level_names[] = {"", "warning: ", "error: "};

void notes_escape(char *out, size_t room, struct slice text) {
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < text.n && at + 4 < room; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            out[at++] = (char)c;
        } else {
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = digits[c >> 4];
            out[at++] = digits[c & 15];
        }
    }
    out[at] = '\0';
}

static void write_error(int wait_ms, const char *line, size_t n) {
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, wait_ms) == 1 && (ready.revents & POLLOUT) != 0) {
        (void)!write(STDERR_FILENO, line, n);
    }
}

/* Never waits for whoever reads standard error. */
static void write_line(enum report_level level, const char *who, struct slice text) {
    char line[LINE_BYTES];
    int n =
        snprintf(line, sizeof line, "luttpd: %s%s%s", level_names[level], who, who[0] != '\0' ? ": " : "");
    size_t at = n > 0 && (size_t)n < sizeof line / 2 ? (size_t)n : 0;

    notes_escape(line + at, sizeof line - at - 1, text);
    at += strlen(line + at);
    line[at++] = '\n';
    write_error(0, line, at);
}

static void on_report(void *context, enum report_level level, const char *text, size_t n) {
    (void)context;
    write_line(level, "", slice_from(text, n));
}

void notes_begin(void) {
    report_to(on_report, NULL);
}

void notes_settle(struct note_allowance *a, const char *who) {
    uint64_t second = clock_monotonic_ms() / 1000;
    if (a->second == second) {
        return;
    }
    unsigned dropped = a->dropped;
    *a = (struct note_allowance){.second = second};
    if (dropped > 0) {
        char text[64];
        int n = snprintf(text, sizeof text, "%u more lines are not shown", dropped);
        write_line(REPORT_WARNING, who, slice_from(text, (size_t)n));
    }
}

void notes_child(struct note_allowance *a, enum report_level level, const char *who, struct slice text) {
    notes_settle(a, who);
    if (a->said < NOTES_PER_SECOND) {
        a->said++;
        write_line(level, who, text);
    } else {
        a->dropped++;
    }
}

void notes_line(int wait_ms, const char *format, ...) {
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (n >= (int)sizeof line) {
        n = sizeof line - 1;
        line[n - 1] = '\n';
    }
    write_error(wait_ms, line, (size_t)n);
}

void notes_print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vdprintf(STDOUT_FILENO, format, arguments);
    va_end(arguments);
}
