/* SPDX-License-Identifier: Apache-2.0 */
/* line.c – log records as lines of text. Runs in: logger. Distrusts: every field. */
#include "logger/line.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/civil.h"
#include "logger/escape.h"

#define FIXED_ROOM 320 /* punctuation, names, time, address and numbers of any line */

void line_clock_init(struct line_clock *c) {
    memset(c, 0, sizeof *c);
    c->second = UINT64_MAX;
}

static char *put(char *out, const char *text, size_t n) {
    if (n != 0) {
        memcpy(out, text, n);
    }
    return out + n;
}

#define PUT(out, literal) put((out), (literal), sizeof(literal) - 1)

static char *put_digits(char *out, unsigned value, int digits) {
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + digits;
}

static char *put_number(char *out, uint64_t value) {
    char reversed[20];
    int n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (n > 0) {
        *out++ = reversed[--n];
    }
    return out;
}

/* As a person reads it on an error page. */
static char *put_request(char *out, uint64_t id) {
    for (int shift = 60; shift >= 0; shift -= 4) {
        *out++ = "0123456789abcdef"[id >> shift & 15];
    }
    return out;
}

static void show_second(struct line_clock *c, uint64_t second) {
    struct civil t;
    civil_from_seconds((int64_t)second, &t);
    char *p = put_digits(c->combined, (unsigned)t.day, 2);
    p = PUT(p, "/");
    p = put(p, civil_months[t.month - 1], 3);
    p = PUT(p, "/");
    p = put_digits(p, (unsigned)t.year, 4);
    p = PUT(p, ":");
    char *clock = p;
    p = put_digits(p, (unsigned)t.hour, 2);
    p = PUT(p, ":");
    p = put_digits(p, (unsigned)t.minute, 2);
    p = PUT(p, ":");
    p = put_digits(p, (unsigned)t.second, 2);
    PUT(p, " +0000");
    p = put_digits(c->iso, (unsigned)t.year, 4);
    p = PUT(p, "-");
    p = put_digits(p, (unsigned)t.month, 2);
    p = PUT(p, "-");
    p = put_digits(p, (unsigned)t.day, 2);
    p = PUT(p, "T");
    put(p, clock, 8);
    c->second = second;
}

static char *put_combined_time(struct line_clock *c, char *out, uint64_t time_us) {
    if (time_us / 1000000 != c->second) {
        show_second(c, time_us / 1000000);
    }
    return put(out, c->combined, sizeof c->combined);
}

static char *put_iso_time(struct line_clock *c, char *out, uint64_t time_us) {
    if (time_us / 1000000 != c->second) {
        show_second(c, time_us / 1000000);
    }
    out = put(out, c->iso, sizeof c->iso);
    out = PUT(out, ".");
    out = put_digits(out, (unsigned)(time_us / 1000 % 1000), 3);
    return PUT(out, "Z");
}

static char *put_address(char *out, enum family family, struct slice address) {
    int af = family == FAMILY_INET && address.n == 4     ? AF_INET
             : family == FAMILY_INET6 && address.n == 16 ? AF_INET6
                                                         : AF_UNSPEC;
    if (af == AF_UNSPEC || inet_ntop(af, address.p, out, INET6_ADDRSTRLEN) == NULL) {
        return PUT(out, "-");
    }
    return out + strlen(out);
}

static char *put_version(char *out, enum version version) {
    return version == VERSION_HTTP10 ? PUT(out, "HTTP/1.0") : PUT(out, "HTTP/1.1");
}

static char *put_quoted(char *out, struct slice s, bool word) {
    return s.n == 0 ? PUT(out, "-") : escape_quoted(out, s, word);
}

static char *put_combined(struct line_clock *c, char *out, const struct message_log_access *m) {
    out = put_address(out, m->family, m->address);
    out = PUT(out, " - - [");
    out = put_combined_time(c, out, m->time_us);
    out = PUT(out, "] \"");
    out = put_quoted(out, m->method, true);
    out = PUT(out, " ");
    out = put_quoted(out, m->target, true);
    out = PUT(out, " ");
    out = put_version(out, m->version);
    out = PUT(out, "\" ");
    out = put_number(out, m->status);
    out = PUT(out, " ");
    out = put_number(out, m->sent_bytes);
    out = PUT(out, " \"");
    out = put_quoted(out, m->referer, false);
    out = PUT(out, "\" \"");
    out = put_quoted(out, m->agent, false);
    out = PUT(out, "\" \"");
    out = put_request(out, m->request);
    return PUT(out, "\"\n");
}

/* name: with the punctuation before and after it. */
static char *put_member(char *out, const char *name, struct slice value) {
    out = put(out, name, strlen(name));
    return escape_json(out, value);
}

static char *put_json(struct line_clock *c, char *out, const struct message_log_access *m) {
    out = PUT(out, "{\"time\":\"");
    out = put_iso_time(c, out, m->time_us);
    out = PUT(out, "\",\"address\":\"");
    out = put_address(out, m->family, m->address);
    out = put_member(out, "\",\"method\":\"", m->method);
    out = put_member(out, "\",\"target\":\"", m->target);
    out = PUT(out, "\",\"protocol\":\"");
    out = put_version(out, m->version);
    out = put_member(out, "\",\"host\":\"", m->host);
    out = PUT(out, "\",\"status\":");
    out = put_number(out, m->status);
    out = PUT(out, ",\"bytes\":");
    out = put_number(out, m->sent_bytes);
    out = PUT(out, ",\"duration_us\":");
    out = put_number(out, m->duration_us);
    out = put_member(out, ",\"referer\":\"", m->referer);
    out = put_member(out, "\",\"agent\":\"", m->agent);
    out = PUT(out, "\",\"request\":\"");
    out = put_request(out, m->request);
    return PUT(out, "\"}\n");
}

size_t line_access_room(enum line_kind kind, const struct message_log_access *m) {
    size_t n = m->method.n + m->target.n + m->host.n + m->referer.n + m->agent.n;
    return FIXED_ROOM + (kind == LINE_JSON ? ESCAPE_JSON_ROOM(n) : ESCAPE_QUOTED_ROOM(n));
}

size_t line_access(struct line_clock *c, enum line_kind kind, char *out, const struct message_log_access *m) {
    char *end = kind == LINE_JSON ? put_json(c, out, m) : put_combined(c, out, m);
    return (size_t)(end - out);
}

size_t line_error_room(struct slice speaker, struct slice text) {
    return FIXED_ROOM + speaker.n + ESCAPE_TEXT_ROOM(text.n);
}

size_t line_error(struct line_clock *c, char *out, uint64_t time_us, enum level level, struct slice speaker,
                  struct slice text) {
    char *p = put_iso_time(c, out, time_us);
    p = PUT(p, " [");
    const char *name = level_name(level);
    p = put(p, name, strlen(name));
    p = PUT(p, "] ");
    p = put(p, speaker.p, speaker.n);
    p = escape_text(p, text);
    p = PUT(p, "\n");
    return (size_t)(p - out);
}

size_t line_lost(struct line_clock *c, enum line_kind kind, char *out, uint64_t time_us, uint64_t records,
                 const char *reason) {
    static const char *const parts[LINE_KINDS][4] = {
        {"- - - [", "] \"-\" 0 0 \"-\" \"luttpd: ", " records dropped: ", "\" \"-\"\n"},
        {"{\"time\":\"", "\",\"dropped\":", ",\"reason\":\"", "\"}\n"},
        {"", " [warning] luttpd: ", " records dropped: ", "\n"},
    };
    const char *const *part = parts[kind];
    char *p = put(out, part[0], strlen(part[0]));
    p = kind == LINE_COMBINED ? put_combined_time(c, p, time_us) : put_iso_time(c, p, time_us);
    p = put(p, part[1], strlen(part[1]));
    p = put_number(p, records);
    p = put(p, part[2], strlen(part[2]));
    p = put(p, reason, strnlen(reason, 100));
    p = put(p, part[3], strlen(part[3]));
    return (size_t)(p - out);
}
