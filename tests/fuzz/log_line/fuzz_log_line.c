/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_log_line.c – decodes the input as a record for the logger and writes its lines: each stays in
 * its room, is printable, is one line (or one and its continuations), and can be read back. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "logger/escape.h"
#include "logger/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_one_record(const char *line, size_t n, int continues) {
    MUST(n > 0 && line[n - 1] == '\n');
    for (size_t i = 0; i < n - 1; i++) {
        if (line[i] == '\n') {
            MUST(continues && n - i - 1 >= sizeof ESCAPE_CONTINUATION - 1);
            MUST(memcmp(line + i + 1, ESCAPE_CONTINUATION, sizeof ESCAPE_CONTINUATION - 1) == 0);
        } else {
            MUST((line[i] >= 0x20 && line[i] < 0x7f) || (continues && line[i] == '\t'));
        }
    }
}

static unsigned hex_value(char c) {
    MUST((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Undoes escape_quoted and compares. */
static void must_read_back(struct slice in) {
    char *out = malloc(ESCAPE_QUOTED_ROOM(in.n) + 1);
    MUST(out != NULL);
    const char *end = escape_quoted(out, in, true), *p = out;
    for (size_t i = 0; i < in.n; i++) {
        unsigned byte = (uint8_t)*p;
        MUST(p < end && *p != ' ' && *p != '"');
        if (*p == '\\') {
            MUST(end - p >= 4 && p[1] == 'x');
            byte = hex_value(p[2]) << 4 | hex_value(p[3]);
            p += 3;
        }
        p++;
        MUST(byte == (uint8_t)in.p[i]);
    }
    MUST(p == end);
    free(out);
}

/* Quotes of a JSON line are the writer's own: as many as its members have. */
static void must_be_an_object(const char *line, size_t n) {
    unsigned quotes = 0;
    for (size_t i = 0; i < n; i++) {
        quotes += line[i] == '"';
        if (line[i] == '\\') {
            MUST(n - i > 6 && line[i + 1] == 'u');
        }
    }
    MUST(quotes == 9 * 4 + 3 * 2 && line[0] == '{' && line[n - 2] == '}');
}

static void write_access(const struct message_log_access *m) {
    struct line_clock clock;
    line_clock_init(&clock);
    for (enum line_kind kind = LINE_COMBINED; kind <= LINE_JSON; kind++) {
        size_t room = line_access_room(kind, m);
        char *out = malloc(room);
        MUST(out != NULL);
        size_t n = line_access(&clock, kind, out, m);
        MUST(n <= room);
        must_be_one_record(out, n, 0);
        if (kind == LINE_JSON) {
            must_be_an_object(out, n);
        }
        free(out);
    }
    must_read_back(m->target);
}

static void write_error(const struct message_log_error *m) {
    struct line_clock clock;
    line_clock_init(&clock);
    size_t room = line_error_room(SLICE("router: "), m->text);
    char *out = malloc(room);
    MUST(out != NULL);
    size_t n = line_error(&clock, out, m->time_us, m->level, SLICE("router: "), m->text);
    MUST(n <= room);
    must_be_one_record(out, n, 1);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct message_log_access access;
    struct message_log_error error;
    if (size == 0) {
        return -1;
    }
    if (data[0] % 2 == 0 && message_log_access_decode(&access, data + 1, size - 1) == 0) {
        write_access(&access);
    }
    if (data[0] % 2 == 1 && message_log_error_decode(&error, data + 1, size - 1) == 0) {
        write_error(&error);
    }
    must_read_back(slice_from((const char *)data, size));
    return 0;
}
