/* SPDX-License-Identifier: Apache-2.0 */
/* h1_chunk.c – the chunked transfer coding; see h1_chunk.h.
 *
 *   SIZE → [EXTENSION] → SIZE_LF → DATA → DATA_CR → DATA_LF → SIZE ...
 *                            └ 0 → LINE → NAME → VALUE → VALUE_LF → LINE ...
 *                                    └→ END_LF → done
 *
 * Framing bytes are few and are taken one by one; content is handed out in one piece.
 *
 * A trailer field whose name is about framing, routing or the connection is refused, though
 * nothing here would ever look at its value: RFC 9110 section 6.5.1 forbids to send it, and
 * whoever sends it hopes for a server that merges trailers into the head. */
#include "listener/h1_chunk.h"
#include "base/must.h"
#include "listener/h1_chars.h"
#include "listener/h1_extension.h"

enum state { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, LINE, NAME, VALUE, VALUE_LF, END_LF, DONE };

#define SIZE_DIGITS_MAX 16

#define FINE ((struct h1_refusal){0, NULL})
#define BAD(why) ((struct h1_refusal){400, (why)})

void h1_chunk_begin(struct h1_chunks *c) {
    *c = (struct h1_chunks){.state = SIZE};
}

static bool is_control(uint8_t ch) {
    return (ch < 0x20 && ch != '\t') || ch == 0x7f;
}

static struct h1_refusal on_extension(struct h1_chunks *c, const struct h1_limits *l, uint8_t ch) {
    c->extension = h1_extension_next(c->extension, ch);
    if (c->extension == H1_EXTENSION_BAD)
        return BAD("malformed chunk extension");
    if (c->extension == H1_EXTENSION_END) {
        c->state = SIZE_LF;
        return FINE;
    }
    return ++c->extensions > l->extension_bytes ? BAD("chunk extensions too large") : FINE;
}

static struct h1_refusal on_size(struct h1_chunks *c, const struct h1_limits *l, uint8_t ch) {
    int value = h1_hex_value(ch);
    if (value >= 0) {
        if (++c->digits > SIZE_DIGITS_MAX || c->size > INT64_MAX >> 4)
            return BAD("chunk size too large");
        c->size = c->size << 4 | (unsigned)value;
        return FINE;
    }
    if (c->digits == 0)
        return BAD("chunk without a size");
    if (ch == ';' || ch == ' ' || ch == '\t') {
        c->state = EXTENSION;
        c->extension = H1_EXTENSION_SEMICOLON;
        return on_extension(c, l, ch);
    }
    if (ch != '\r')
        return BAD("malformed chunk size");
    c->state = SIZE_LF;
    return FINE;
}

static struct h1_refusal on_size_end(struct h1_chunks *c, uint8_t ch) {
    if (ch != '\n')
        return BAD("bare CR in a chunk line");
    if (c->size > INT64_MAX - c->total)
        return BAD("content too large");
    c->total += c->size;
    c->digits = 0;
    c->state = c->size > 0 ? DATA : LINE;
    return FINE;
}

static struct h1_refusal on_data_end(struct h1_chunks *c, uint8_t ch) {
    if (ch != (c->state == DATA_CR ? '\r' : '\n'))
        return BAD("chunk longer than its size");
    c->state = c->state == DATA_CR ? DATA_LF : SIZE;
    return FINE;
}

static struct h1_refusal on_trailer_name(struct h1_chunks *c, uint8_t ch) {
    if (h1_token_lower[ch]) {
        if (c->name_bytes < sizeof c->name)
            c->name[c->name_bytes] = (char)h1_token_lower[ch];
        c->name_bytes++;
        return FINE;
    }
    if (c->name_bytes == 0 || ch != ':')
        return BAD("malformed trailer field");
    enum h1_known known = h1_known_field(c->name, c->name_bytes);
    if (known != H1_KNOWN_NOT && known != H1_KNOWN_DATE)
        return BAD("field that may not stand in the trailers");
    c->state = VALUE;
    return FINE;
}

static struct h1_refusal on_trailer_value(struct h1_chunks *c, uint8_t ch) {
    if (ch == '\r')
        c->state = VALUE_LF;
    else if (is_control(ch))
        return BAD("control byte in a trailer field");
    return FINE;
}

static struct h1_refusal on_trailer_end(struct h1_chunks *c, uint8_t ch) {
    if (ch != '\n')
        return BAD("bare CR in the trailers");
    c->state = c->state == END_LF ? DONE : LINE;
    return FINE;
}

/* All but the empty line at the end counts, so that a limit of 0 lets bodies without trailers pass. */
static struct h1_refusal on_trailer(struct h1_chunks *c, const struct h1_limits *l, uint8_t ch) {
    if (c->state == LINE) {
        c->name_bytes = 0;
        c->state = ch == '\r' ? END_LF : NAME;
        if (c->state == END_LF)
            return FINE;
    }
    if (c->state != END_LF && ++c->trailers > l->trailer_bytes)
        return (struct h1_refusal){431, "trailers too large"};
    if (c->state == NAME)
        return on_trailer_name(c, ch);
    if (c->state == VALUE)
        return on_trailer_value(c, ch);
    return on_trailer_end(c, ch);
}

static struct h1_refusal on_byte(struct h1_chunks *c, const struct h1_limits *l, uint8_t ch) {
    switch ((enum state)c->state) {
    case SIZE:
        return on_size(c, l, ch);
    case EXTENSION:
        return on_extension(c, l, ch);
    case SIZE_LF:
        return on_size_end(c, ch);
    case DATA_CR:
    case DATA_LF:
        return on_data_end(c, ch);
    case LINE:
    case NAME:
    case VALUE:
    case VALUE_LF:
    case END_LF:
        return on_trailer(c, l, ch);
    case DATA:
    case DONE:
        break;
    }
    MUST(false); /* content is not framing */
    return FINE;
}

/* Hands out as much content of the chunk as there is and as fits. */
static enum h1_verdict take_data(struct h1_chunks *c, const char *p, size_t n, size_t room, size_t *used,
                                 struct slice *data) {
    size_t take = n < room ? n : room;
    if (take > c->size)
        take = (size_t)c->size;
    if (take == 0)
        return H1_MORE;
    *data = slice_from(p, take);
    *used += take;
    c->size -= take;
    if (c->size == 0)
        c->state = DATA_CR;
    return H1_DATA;
}

enum h1_verdict h1_chunk_next(struct h1_chunks *c, const struct h1_limits *limits, const char *buf, size_t n,
                              size_t room, size_t *used, struct slice *data, struct h1_refusal *why) {
    *used = 0;
    while (c->state != DONE && *used < n) {
        if (c->state == DATA)
            return take_data(c, buf + *used, n - *used, room, used, data);
        struct h1_refusal r = on_byte(c, limits, (uint8_t)buf[(*used)++]);
        if (r.status) {
            *why = r;
            return H1_REFUSED;
        }
    }
    return c->state == DONE ? H1_DONE : H1_MORE;
}

size_t h1_chunk_open(char out[H1_CHUNK_OPEN_MAX], uint64_t size) {
    MUST(size > 0);
    size_t n = (size_t)(64 - __builtin_clzll(size) + 3) / 4, i = n;
    for (; i > 0; size >>= 4)
        out[--i] = "0123456789abcdef"[size & 15];
    out[n] = '\r';
    out[n + 1] = '\n';
    return n + 2;
}
