/* SPDX-License-Identifier: Apache-2.0 */
/* response.c – from a vhost's HEAD, BODY, FILE and END to bytes for the client.
 * Runs in: listener. Distrusts: the vhost: what it may say next is decided here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "listener/connection.h"
#include "listener/h1_accept.h"
#include "listener/h1_error.h"
#include "listener/h1_response.h"
#include "listener/park.h"

#define HEAD_OVERHEAD_BYTES 512 /* status line, Date, framing and connection fields */

static bool is_head(const struct connection *c) {
    return slice_equal(c->request->head.method, SLICE("HEAD"));
}

static struct h1_response describe(struct connection *c, unsigned status) {
    return (struct h1_response){.version = c->request->head.version,
                                .head = is_head(c),
                                .keep_alive = c->keep,
                                .status = (uint16_t)status,
                                .date = turn_date(c->listener)};
}

/* Fields that only some answers have. seconds: room for Retry-After. Returns their number. */
static size_t own_fields(const struct own_answer *answer, char seconds[12], struct field fields[3]) {
    size_t count = 0;
    if (answer->retry_s > 0) {
        int n = snprintf(seconds, 12, "%u", (unsigned)answer->retry_s);
        fields[count++] = (struct field){SLICE("retry-after"), slice_from(seconds, (size_t)n)};
    }
    if (answer->location.n > 0) {
        fields[count++] = (struct field){SLICE("location"), answer->location};
    }
    if (answer->allow.n > 0) {
        fields[count++] = (struct field){SLICE("allow"), answer->allow};
    }
    return count;
}

bool response_is_json(const struct connection *c) {
    const struct h1_head *head = &c->request->head;
    for (size_t i = 0; i < head->end_to_end; i++) {
        if (slice_equal(head->fields[i].name, SLICE("accept"))) {
            return h1_prefers_json(head->fields[i].value);
        }
    }
    return false;
}

void response_answer(struct connection *c, const struct own_answer *answer) {
    if (!park_wake(c)) {
        return;
    }
    struct h1_response r = describe(c, answer->status);
    const struct h1_page page = {.request = c->id, .text = answer->text, .json = response_is_json(c)};
    struct h1_framing framing;
    struct field fields[3];
    char seconds[12];

    r.fields = fields;
    r.fields_count = own_fields(answer, seconds, fields);
    r.keep_alive = c->keep = c->keep && c->body_done;
    size_t room = H1_ERROR_MAX_BYTES + 64 + answer->location.n + answer->allow.n;
    char *out = output_reserve(c, room);
    if (out == NULL) {
        return;
    }
    int n = h1_error_write(&r, &page, out, room, &framing);
    MUST(n > 0);
    output_commit(c, (size_t)n);
    c->state = CONNECTION_ANSWERING;
    c->keep = framing.keep_alive;
    c->status = answer->status;
    c->content_sent = framing.body == H1_BODY_NONE
                          ? 0
                          : h1_error_body(answer->status, &page, (char[H1_ERROR_BODY_MAX_BYTES]){0});
    c->head_written = c->end_seen = true;
}

void response_own(struct connection *c, unsigned status, unsigned retry_s) {
    const struct own_answer answer = {.status = (uint16_t)status, .retry_s = retry_s};
    response_answer(c, &answer);
}

static size_t head_bytes(const struct message_head *m) {
    size_t n = HEAD_OVERHEAD_BYTES;
    for (size_t i = 0; i < m->fields_count; i++) {
        n += m->fields[i].name.n + m->fields[i].value.n + 4;
    }
    return n;
}

int response_head(struct connection *c, const struct message_head *m) {
    struct h1_framing framing;

    if (c->head_written || m->status < 200 || m->status > 599) {
        return -EBADMSG;
    }
    if (!park_wake(c)) {
        return 0;
    }
    struct h1_response r = describe(c, m->status);
    r.content_length = m->content_length;
    r.fields = m->fields;
    r.fields_count = m->fields_count;
    size_t room = head_bytes(m);
    char *out = output_reserve(c, room);
    if (out == NULL) {
        return 0;
    }
    int n = h1_response_write(&r, out, room, &framing);
    if (n <= 0) {
        return -EBADMSG;
    }
    c->head_at = c->written + (c->out_n - c->out_at);
    output_commit(c, (size_t)n);
    c->head_written = true;
    c->status = m->status;
    c->framing = framing.body;
    c->keep = framing.keep_alive;
    c->content_left = m->content_length;
    turn_touch(c);
    return 0;
}

/* Accounts for n bytes of content that the vhost announced. */
static int take_content(struct connection *c, uint64_t n) {
    if (!c->head_written || c->end_seen) {
        return -EBADMSG;
    }
    if (c->framing == H1_BODY_LENGTH) {
        if (n > c->content_left) {
            return -EBADMSG;
        }
        c->content_left -= n;
    }
    return 0;
}

/* Opens a chunk of n bytes where the framing wants it. */
static bool open_chunk(struct connection *c, uint64_t n) {
    char line[H1_CHUNK_OPEN_MAX];
    if (c->framing != H1_BODY_CHUNKED) {
        return true;
    }
    return output_put(c, slice_from(line, h1_chunk_open(line, n)));
}

static bool close_chunk(struct connection *c) {
    return c->framing != H1_BODY_CHUNKED || output_put(c, H1_CHUNK_CLOSE);
}

int response_body(struct connection *c, const struct message_body *m) {
    if (m->data.n > c->window || take_content(c, m->data.n) != 0) {
        return -EBADMSG;
    }
    c->window -= (uint32_t)m->data.n;
    turn_touch(c);
    if (c->framing == H1_BODY_NONE || m->data.n == 0) {
        return 0;
    }
    if (open_chunk(c, m->data.n) && output_put(c, m->data) && close_chunk(c)) {
        c->content_sent += m->data.n;
    }
    return 0;
}

/* There are too many open files: the head is taken back if none of it was written. */
static void refuse_file(struct connection *c) {
    link_close_stream(c->link, c, true, REASON_REFUSED);
    if (c->written <= c->head_at) {
        c->out_n = c->out_at + (size_t)(c->head_at - c->written);
        c->head_written = false;
    }
    response_broken(c, 503);
    turn_touch(c);
}

int response_file(struct connection *c, const struct message_file *m) {
    if (c->file.active || m->length > INT64_MAX - m->offset || m->offset > INT64_MAX ||
        take_content(c, m->length) != 0) {
        return -EBADMSG;
    }
    c->file.announced = false;
    if (c->file.refused && c->framing != H1_BODY_NONE) {
        refuse_file(c);
        return 0;
    }
    turn_touch(c);
    if (c->framing == H1_BODY_NONE || m->length == 0) {
        file_send_end(&c->file);
        return 0;
    }
    c->file.offset = m->offset;
    c->file.left = m->length;
    c->file.active = true;
    if (open_chunk(c, m->length)) {
        c->file_at = c->out_n;
        (void)close_chunk(c);
    }
    return 0;
}

int response_end(struct connection *c) {
    bool complete = c->framing != H1_BODY_LENGTH || c->content_left == 0;
    if (!c->head_written || c->end_seen || !complete) {
        return -EBADMSG;
    }
    if (c->framing == H1_BODY_CHUNKED && !output_put(c, H1_CHUNK_LAST)) {
        return 0;
    }
    c->end_seen = true;
    turn_touch(c);
    return 0;
}

void response_consumed(struct connection *c) {
    size_t waiting = c->out_n - c->out_at;
    if (c->state != CONNECTION_OPEN || c->end_seen || waiting + c->window > STREAM_CREDIT_BYTES / 2) {
        return;
    }
    const struct message_credit credit = {.stream = c->stream,
                                          .bytes = STREAM_CREDIT_BYTES - c->window - (uint32_t)waiting};
    /* Credit leaves the room that a RESET for every stream needs. */
    if (link_has_room(c->link, MESSAGE_CREDIT_MAX) &&
        message_credit_put(&c->link->channel.writer, &credit) == 0) {
        c->window += credit.bytes;
    } else {
        c->link->blocked = true; /* tried again soon */
    }
    link_activate(c->link);
}

void response_broken(struct connection *c, unsigned status) {
    if (!c->head_written) {
        response_own(c, status, status == 503 ? 1 : 0);
        return;
    }
    c->keep = false;
    c->state = CONNECTION_ANSWERING; /* no stream any more */
    connection_abort(c);
}

void response_log(struct connection *c) {
    if (!park_wake(c) || c->request == NULL) {
        return;
    }
    const struct h1_head *head = &c->request->head;
    uint64_t duration_us = clock_monotonic_us() - c->began_monotonic_us;
    struct message_log_access m = {
        .vhost = c->link != NULL ? c->link->vhost : 0,
        .time_us = c->began_us,
        .duration_us = duration_us < UINT32_MAX ? (uint32_t)duration_us : UINT32_MAX,
        .status = c->status,
        .sent_bytes = c->content_sent,
        .version = head->version == H1_VERSION_10 ? VERSION_HTTP10 : VERSION_HTTP11,
        .family = c->client.family,
        .address = network_client_address(&c->client),
        .request = c->id,
        .method = head->method,
        .target = head->target,
        .host = head->host};
    for (size_t i = 0; i < head->fields_count; i++) {
        const struct field *f = &head->fields[i];
        if (f->name.n == 7 && slice_equal(f->name, SLICE("referer"))) {
            m.referer = f->value;
        } else if (f->name.n == 10 && slice_equal(f->name, SLICE("user-agent"))) {
            m.agent = f->value;
        }
    }
    log_producer_access(&c->listener->log, &m);
}

/* Whether the client may still be sending what nobody will read: a body, or requests that it thought would
 * be answered, since it was not the one who wanted to close. */
static bool client_may_send(const struct connection *c) {
    const struct request *r = c->request;
    return !c->ended_by_client && (!c->body_done || r->body_at < r->n || r->head.keep_alive);
}

void response_finish(struct connection *c) {
    if (c->state == CONNECTION_OPEN) {
        link_close_stream(c->link, c, !c->body_done, REASON_CANCELLED);
        c->state = CONNECTION_ANSWERING; /* answered: no stream any more */
    }
    response_log(c);
    c->keep = c->keep && c->body_done && !c->listener->draining;
    if (c->keep) {
        connection_next_request(c);
    } else if (client_may_send(c)) {
        connection_linger(c);
    } else {
        connection_close(c);
    }
}
