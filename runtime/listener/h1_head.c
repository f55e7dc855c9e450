/* SPDX-License-Identifier: Apache-2.0 */
/* h1_head.c – the request head, one pass over its bytes; see h1_head.h.
 *
 *   START → METHOD → TARGET → VERSION → LINE_LF → FIELD → NAME → VALUE → VALUE_LF → FIELD ...
 *                                                    └→ END_LF → done
 *
 * Each state looks at bytes from p->at on and never back. Whether bytes come together or one by
 * one, the first offending byte is found at the same place with the same answer: no state looks
 * ahead, and every limit is a place at which scanning stops.
 *
 * Field lines that are there as a whole and faultless, almost all, are taken by take_lines in one go,
 * which is a third faster. At anything else it stops, and the states find out what it is. */
#include "listener/h1_head.h"
#include "base/must.h"
#include "listener/h1_authority.h"
#include "listener/h1_fields.h"
#include "listener/h1_scan.h"
#include "listener/h1_target.h"

enum state { START, START_LF, METHOD, TARGET, VERSION, LINE_LF, FIELD, NAME, VALUE, VALUE_LF, END_LF };

const struct h1_limits h1_default_limits = {
    .head_bytes = 16384,
    .target_bytes = H1_TARGET_MAX_BYTES,
    .method_bytes = H1_METHOD_MAX_BYTES,
    .fields = H1_FIELDS_MAX,
    .extension_bytes = 4096,
    .trailer_bytes = 4096,
};

static struct h1_span span(uint32_t at, uint32_t end) {
    return (struct h1_span){(uint16_t)at, (uint16_t)(end - at)};
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

void h1_head_begin(struct h1_parser *p, const struct h1_limits *limits) {
    MUST(limits->head_bytes <= H1_HEAD_MAX_BYTES && limits->fields <= H1_FIELDS_MAX);
    MUST(limits->target_bytes <= H1_TARGET_MAX_BYTES && limits->method_bytes <= H1_METHOD_MAX_BYTES);
    memset(p, 0, offsetof(struct h1_parser, fields)); /* the rest is written before it is read */
    p->limits = limits;
    p->content_length = H1_LENGTH_UNKNOWN;
}

/* One empty line before the request line is tolerated: RFC 9112 section 2.2. */
static enum h1_verdict on_start(struct h1_parser *p, const char *buf) {
    p->mark = p->at;
    p->state = METHOD;
    if (p->at == 0 && buf[0] == '\r') {
        p->at = 1;
        p->state = START_LF;
    }
    return H1_MORE;
}

static enum h1_verdict on_method(struct h1_parser *p, const char *buf, uint32_t end) {
    uint32_t stop = least(end, p->mark + p->limits->method_bytes + 1);
    while (p->at < stop && h1_token_lower[(uint8_t)buf[p->at]])
        p->at++;
    if (p->at - p->mark > p->limits->method_bytes)
        return h1_refuse(p, 501, "method too long");
    if (p->at == end)
        return H1_MORE;
    if (buf[p->at] != ' ' || p->at == p->mark)
        return h1_refuse(p, 400, "malformed method");
    p->method = span(p->mark, p->at);
    p->mark = ++p->at;
    p->state = TARGET;
    return H1_MORE;
}

static enum h1_verdict on_target(struct h1_parser *p, const char *buf, uint32_t end) {
    uint32_t stop = least(end, p->mark + p->limits->target_bytes + 1);
    p->at = (uint32_t)(h1_scan_visible(buf + p->at, buf + stop) - buf);
    if (p->at - p->mark > p->limits->target_bytes)
        return h1_refuse(p, 414, "request-target too long");
    if (p->at == end)
        return H1_MORE;
    if (buf[p->at] != ' ' || p->at == p->mark)
        return h1_refuse(p, 400, "malformed request-target");
    p->raw = span(p->mark, p->at);
    p->mark = ++p->at;
    p->state = VERSION;
    return H1_MORE;
}

/* "HTTP/" DIGIT "." DIGIT CR. Other major versions are 505, later minor ones are 1.1: RFC 9110
 * section 2.5. */
static enum h1_verdict on_version(struct h1_parser *p, const char *buf, uint32_t end) {
    static const char pattern[] = "HTTP/d.d\r", usual[] = "HTTP/1.1\r";
    if (p->at == p->mark && end - p->at >= sizeof usual - 1 &&
        memcmp(buf + p->at, usual, sizeof usual - 1) == 0) {
        p->at += sizeof usual - 1;
        p->state = LINE_LF;
        return H1_MORE;
    }
    for (; p->at < end && p->state == VERSION; p->at++) {
        char want = pattern[p->at - p->mark], c = buf[p->at];
        bool fits = want == 'd' ? (h1_chars[(uint8_t)c] & H1_CHAR_DIGIT) != 0 : c == want;
        if (!fits)
            return h1_refuse(p, 400, "malformed version");
        if (want == '\r')
            p->state = LINE_LF;
    }
    return H1_MORE;
}

static enum h1_verdict refuse_version(struct h1_parser *p, const char *buf) {
    if (slice_equal(slice_from(buf, p->at), SLICE("PRI * HTTP/2.0\r")))
        p->preface = true;
    return h1_refuse(p, 505, p->preface ? "HTTP/2 with prior knowledge" : "version not supported");
}

static enum h1_verdict on_line_end(struct h1_parser *p, char *buf) {
    if (buf[p->at] != '\n')
        return h1_refuse(p, 400, "bare CR");
    if (buf[p->mark + 5] != '1')
        return refuse_version(p, buf);
    p->version = buf[p->mark + 7] == '0' ? H1_VERSION_10 : H1_VERSION_11;
    p->refusal = h1_target_split(buf, p->method, p->raw, p->limits, &p->target);
    if (p->refusal.status)
        return H1_REFUSED;
    p->at++;
    p->state = FIELD;
    return H1_MORE;
}

static enum h1_verdict on_field(struct h1_parser *p, const char *buf) {
    char c = buf[p->at];
    p->mark = p->at;
    p->state = NAME;
    if (c == '\r') {
        p->at++;
        p->state = END_LF;
    } else if (c == ' ' || c == '\t') {
        return h1_refuse(p, 400, "line folding");
    } else if (p->fields_count == p->limits->fields) {
        return h1_refuse(p, 431, "too many field lines");
    }
    return H1_MORE;
}

static enum h1_verdict on_name(struct h1_parser *p, char *buf, uint32_t end) {
    p->at = (uint32_t)(h1_scan_token(buf + p->at, buf + end) - buf);
    if (p->at == end)
        return H1_MORE;
    if (buf[p->at] != ':' || p->at == p->mark)
        return h1_refuse(p, 400, "malformed field name");
    p->fields[p->fields_count].name = span(p->mark, p->at);
    p->mark = ++p->at;
    p->state = VALUE;
    return H1_MORE;
}

static enum h1_verdict on_value(struct h1_parser *p, const char *buf, uint32_t end) {
    p->at = (uint32_t)(h1_scan_value(buf + p->at, buf + end) - buf);
    if (p->at == end)
        return H1_MORE;
    if (buf[p->at] != '\r')
        return h1_refuse(p, 400, "control byte in a field value");
    p->at++;
    p->state = VALUE_LF;
    return H1_MORE;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* A field line is complete; its name is set, its value lies from from to to, blanks around it. */
static inline enum h1_verdict take_field(struct h1_parser *p, char *buf, uint32_t from, uint32_t to) {
    while (from < to && is_blank(buf[from]))
        from++;
    while (from < to && is_blank(buf[to - 1]))
        to--;
    unsigned index = p->fields_count++;
    p->fields[index].value = span(from, to);
    struct h1_span name = p->fields[index].name;
    enum h1_known known = h1_known_field(buf + name.at, name.n);
    return known == H1_KNOWN_NOT ? H1_MORE : h1_field_take(p, buf, index, known);
}

static enum h1_verdict on_value_end(struct h1_parser *p, char *buf) {
    if (buf[p->at] != '\n')
        return h1_refuse(p, 400, "bare CR");
    p->state = FIELD;
    return take_field(p, buf, p->mark, p->at++ - 1);
}

/* Finds the end of a whole, faultless field line and its colon, and lower-cases its name. Returns
 * the CR, or NULL where the line is not of that kind.
 * A short name is written back only when the value's end is known: a read across bytes just written
 * would have to wait for them. */
static inline const char *scan_line(char *at, const char *stop, char **colon) {
    unsigned usual = 0;
    h1_block name;
    if (stop - at >= H1_BLOCK_BYTES)
        name = h1_block_lower(h1_block_load(at), &usual);
    bool brief = usual > 0 && usual < H1_BLOCK_BYTES && at[usual] == ':';
    *colon = brief ? at + usual : h1_scan_token(at, stop);
    if (*colon == at || *colon == stop || **colon != ':')
        return NULL;
    const char *cr = h1_scan_value(*colon + 1, stop);
    if (brief)
        memcpy(at, &name, sizeof name);
    return stop - cr >= 2 && cr[0] == '\r' && cr[1] == '\n' ? cr : NULL;
}

/* Takes whole field lines as long as nothing is unusual about them. */
static enum h1_verdict take_lines(struct h1_parser *p, char *buf, uint32_t end) {
    char *at = buf + p->at, *colon;
    const char *stop = buf + end, *cr;
    enum h1_verdict v = H1_MORE;
    while (v == H1_MORE && p->fields_count < p->limits->fields &&
           (cr = scan_line(at, stop, &colon)) != NULL) {
        p->fields[p->fields_count].name = span((uint32_t)(at - buf), (uint32_t)(colon - buf));
        at = buf + (cr + 2 - buf);
        v = take_field(p, buf, (uint32_t)(colon + 1 - buf), (uint32_t)(cr - buf));
    }
    p->at = (uint32_t)(at - buf);
    return v;
}

static enum h1_verdict on_end(struct h1_parser *p, const char *buf) {
    if (buf[p->at] != '\n')
        return h1_refuse(p, 400, "bare CR");
    p->consumed = ++p->at;
    return h1_fields_finish(p, buf);
}

/* One step of the machine; p->at < end. */
static inline enum h1_verdict step(struct h1_parser *p, char *buf, uint32_t end) {
    switch ((enum state)p->state) {
    case START:
        return on_start(p, buf);
    case START_LF:
        if (buf[p->at] != '\n')
            return h1_refuse(p, 400, "bare CR");
        p->mark = ++p->at;
        p->state = METHOD;
        return H1_MORE;
    case METHOD:
        return on_method(p, buf, end);
    case TARGET:
        return on_target(p, buf, end);
    case VERSION:
        return on_version(p, buf, end);
    case LINE_LF:
        return on_line_end(p, buf);
    case FIELD:
        if (take_lines(p, buf, end) == H1_REFUSED)
            return H1_REFUSED;
        return p->at < end ? on_field(p, buf) : H1_MORE;
    case NAME:
        return on_name(p, buf, end);
    case VALUE:
        return on_value(p, buf, end);
    case VALUE_LF:
        return on_value_end(p, buf);
    case END_LF:
        return on_end(p, buf);
    }
    MUST(false);
}

enum h1_verdict h1_head_parse(struct h1_parser *p, char *buf, size_t n) {
    uint32_t limit = p->limits->head_bytes;
    uint32_t end = n < limit ? (uint32_t)n : limit;
    enum h1_verdict v = H1_MORE;
    while (v == H1_MORE && p->at < end)
        v = step(p, buf, end);
    if (v == H1_MORE && n >= limit)
        return h1_refuse(p, 431, "head too large");
    return v;
}
