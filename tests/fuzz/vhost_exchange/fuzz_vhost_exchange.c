/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_vhost_exchange.c – a listener that says anything at any time, and a site that answers in every
 * way there is. Input: steps of one byte with its operands; most make messages that are well formed,
 * so that the rules beyond the codec are reached. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/report.h"
#include "vhost/reply.h"

#define STEPS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

struct world {
    const uint8_t *at, *end;
    uv_loop_t loop;
    struct hub hub;
    struct channel listener;
    uint32_t streams;
    _Alignas(8) uint8_t scratch[RECORD_PAYLOAD_MAX];
};

static char content[70000];

static uint32_t operand(struct world *w, size_t bytes) {
    uint32_t v = 0;
    for (size_t i = 0; i < bytes && w->at < w->end; i++) {
        v = v << 8 | *w->at++;
    }
    return v;
}

/* What the site does with a stream: whatever the input says. */
static void act(struct world *w, struct stream *s) {
    struct message_head head = {.status = 200, .content_length = LENGTH_UNKNOWN};
    uint32_t what = operand(w, 1);
    if ((what & 1) != 0 && !reply_begun(s)) {
        head.content_length = (what & 2) != 0 ? 100 : LENGTH_UNKNOWN;
        (void)reply_head(s, &head, (what & 4) != 0);
    }
    bool open = s->reply.stage == REPLY_HEAD || s->reply.stage == REPLY_CONTENT;
    if ((what & 8) != 0 && open && !s->reply.waiting && !s->reply.finishing) {
        (void)reply_write(s, slice_from(content, operand(w, 2)));
    }
    if ((what & 16) != 0) {
        stream_consume(s);
    }
    if ((what & 32) != 0 && open && !s->reply.finishing) {
        reply_finish(s);
    } else if ((what & 64) != 0) {
        reply_reset(s, REASON_INTERNAL);
    }
}

static void on_open(void *c, struct stream *s, const struct message_open *m, const struct ring_record *r) {
    (void)m, (void)r;
    ((struct world *)c)->streams++;
    act(c, s);
}

static void on_event(void *c, struct stream *s) {
    MUST(s->body.unread + s->body.granted + s->body.credit <= STREAM_CREDIT_BYTES);
    act(c, s);
}

static void on_gone(void *c, struct stream *s) {
    (void)s;
    ((struct world *)c)->streams--;
}

static void on_turn_over(void *c) {
    (void)c;
}

static const struct hub_events events = {on_open, on_event, on_event, on_event, on_gone, on_turn_over};

static void put_open(struct world *w, uint32_t stream) {
    const struct message_open m = {
        .stream = stream, .body = (stream & 1) != 0, .method = SLICE("GET"), .path = SLICE("/")};
    (void)message_open_put(&w->listener.writer, &m);
}

static void put_body(struct world *w, uint32_t stream) {
    size_t n = operand(w, 2) % (MESSAGE_BODY_DATA_MAX + 1);
    const struct message_body m = {.stream = stream, .data = slice_from(content, n)};
    (void)message_body_put(&w->listener.writer, &m);
}

static void put_raw(struct world *w) {
    uint16_t type = (uint16_t)(operand(w, 1) + 1);
    size_t n = operand(w, 1) < (size_t)(w->end - w->at) ? operand(w, 1) : (size_t)(w->end - w->at);
    n = n < (size_t)(w->end - w->at) ? n : (size_t)(w->end - w->at);
    void *room = ring_reserve(&w->listener.writer, (uint32_t)n);
    if (room != NULL) {
        memcpy(room, w->at, n);
        ring_commit(&w->listener.writer, type, (uint32_t)n);
        w->at += n;
    }
}

static void hear_all(struct world *w) {
    struct ring_record r;
    while (ring_next(&w->listener.reader, w->scratch, &r) == 1) {}
    ring_release(&w->listener.reader);
}

static void turn(struct world *w) {
    (void)channel_flush(&w->listener);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    MUST(w->streams == w->hub.live);
}

static void step(struct world *w) {
    uint32_t what = operand(w, 1), stream = (what >> 4) << 16 | operand(w, 1) % 8;
    const struct message_credit credit = {.stream = stream, .bytes = (what & 8) != 0 ? 0x7fff0000u : 1000};
    const struct message_end end = {.stream = stream};
    const struct message_reset reset = {.stream = stream};
    switch (what % 8) {
    case 0:
        put_open(w, stream);
        break;
    case 1:
        put_body(w, stream);
        break;
    case 2:
        (void)message_end_put(&w->listener.writer, &end);
        break;
    case 3:
        (void)message_credit_put(&w->listener.writer, &credit);
        break;
    case 4:
        (void)message_reset_put(&w->listener.writer, &reset);
        break;
    case 5:
        put_raw(w);
        break;
    case 6:
        hear_all(w);
        break;
    default:
        turn(w);
    }
}

static void say_nothing(void *context, enum report_level level, const char *text, size_t n) {
    (void)context, (void)level, (void)text, (void)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n) {
    static struct world w;
    int ends[2];
    w = (struct world){.at = input, .end = input + n};
    report_to(say_nothing, NULL);
    MUST(uv_loop_init(&w.loop) == 0 && hub_init(&w.hub, &w.loop, &events, &w, 5) == 0);
    MUST(packet_pair(ends) == 0 && channel_make(&w.listener, ends[0], CHANNEL_DATA) == 0);
    MUST(exchange_add(&w.hub, ends[1], 1) == 0);
    turn(&w);
    for (int i = 0; i < STEPS_MAX && w.at < w.end; i++) {
        step(&w);
    }
    turn(&w);
    hub_close(&w.hub);
    MUST(w.hub.live == 0 && w.streams == 0);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    MUST(uv_loop_close(&w.loop) == 0);
    hub_deinit(&w.hub);
    channel_close(&w.listener);
    return 0;
}
