/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c – from a request to the route that answers it.
 * Runs in: vhost. Distrusts: the request. */
#include <stdlib.h>

#include "vhost/reply.h"
#include "vhost/task.h"

int answer_head(struct vhost *v, struct stream *s, unsigned status, uint64_t length,
                const struct field *fields, size_t count, bool bodiless) {
    v->head.status = (uint16_t)status;
    v->head.content_length = length;
    if (count > 0) {
        memcpy(v->head.fields, fields, count * sizeof *fields);
    }
    v->head.fields_count = count;
    return reply_head(s, &v->head, bodiless);
}

const struct message_open *answer_request_of(struct vhost *v, struct stream *s) {
    if (v->current.stream == s) {
        return v->current.open;
    }
    return s->site != NULL ? task_open(s->site) : NULL;
}

/* OPTIONS where no handler asked for it (RFC 9110, section 9.3.7), and 405. */
static void answer_other_method(struct vhost *v, struct stream *s, unsigned method, unsigned allowed) {
    char allow[METHODS_TEXT_MAX];
    (void)methods_to_text(allowed | METHOD_OPTIONS, allow, sizeof allow);
    if (method != METHOD_OPTIONS) {
        error_page_answer(v, s, 405, allow);
        return;
    }
    const struct field field = {SLICE("allow"), slice_text(allow)};
    if (answer_head(v, s, 204, LENGTH_UNKNOWN, &field, 1, true) != 0) {
        reply_reset(s, REASON_INTERNAL);
        return;
    }
    reply_finish(s);
}

static void answer_found(struct vhost *v, struct stream *s, const struct message_open *m,
                         const struct route_match *match) {
    const struct target *t = v->site.targets[match->target];
    switch (t->kind) {
    case TARGET_HANDLER:
        task_start(v, s, t->handler, match, 0, t->where, NULL);
        break;
    case TARGET_FILES:
        static_answer_file(v, s, m, t, match);
        break;
    case TARGET_REDIRECT:
        static_answer_redirect(v, s, m, t, match);
        break;
    }
}

static void answer(struct vhost *v, struct stream *s, const struct message_open *m) {
    struct route_match match;
    if (v->site.broken) {
        error_page_answer(v, s, 500, NULL);
        return;
    }
    unsigned method = method_from_name(m->method);
    switch (route_table_find(v->site.routes, m->path, method, &match)) {
    case ROUTE_FOUND:
        answer_found(v, s, m, &match);
        break;
    case ROUTE_WRONG_METHOD:
        answer_other_method(v, s, method, match.allowed);
        break;
    case ROUTE_NOT_FOUND:
        error_page_answer(v, s, 404, NULL);
        break;
    }
}

static void on_open(void *context, struct stream *s, const struct message_open *m,
                    const struct ring_record *record) {
    struct vhost *v = context;
    v->current = (struct current){s, m, record};
    answer(v, s, m);
    v->current.stream = NULL;
}

static void on_readable(void *context, struct stream *s) {
    (void)context;
    if (s->site != NULL) {
        task_readable(s->site);
    }
}

static void on_writable(void *context, struct stream *s) {
    (void)context;
    if (s->site != NULL) {
        task_writable(s->site);
    }
}

static void on_expired(void *context, struct stream *s) {
    (void)context;
    if (s->site != NULL) {
        task_expire(s->site);
    } else {
        reply_reset(s, REASON_TIMEOUT);
    }
}

static void on_gone(void *context, struct stream *s) {
    struct vhost *v = context;
    if (s->site != NULL) {
        task_free(s->site);
        s->site = NULL;
    }
    if (v->current.stream == s) {
        v->current.stream = NULL;
    }
}

static void on_turn_over(void *context) {
    struct vhost *v = context;
    if (log_producer_flush(&v->log) != 0) {
        control_lose_logger(v);
    }
    if (v->draining) {
        control_check_drained(v);
    }
}

const struct hub_events answer_events = {
    .open = on_open,
    .readable = on_readable,
    .writable = on_writable,
    .expired = on_expired,
    .gone = on_gone,
    .turn_over = on_turn_over,
};
