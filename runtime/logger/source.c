/* SPDX-License-Identifier: Apache-2.0 */
/* source.c – a process that sends log records. Runs in: logger.
 * Distrusts: everything in the ring.
 *
 *   listener   LOG_ACCESS for any vhost of the route map, LOG_ERROR for the server's log
 *   router     LOG_ERROR for the server's log
 *   vhost      LOG_ERROR for its own log, and nothing else
 *
 * What else it says is refused by the dispatch tables. Blame closes the channel; the logger itself
 * and all other channels live on. */
#include "logger/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/report.h"

#define PAST_US (3600u * UINT64_C(1000000)) /* how old a vhost's record may say it is */

/* The time that a vhost put on its record, unless it is a lie; records wait while there is no
 * logger, so it may lie back some while. */
static uint64_t believable_time(const struct source *s, uint64_t time_us) {
    uint64_t now = clock_realtime_us();
    if (s->peer != PEER_VHOST) {
        return time_us;
    }
    return time_us > now || time_us + PAST_US < now ? now : time_us;
}

static void write_access(struct logger *l, struct site *site, enum line_kind kind,
                         const struct message_log_access *m) {
    struct log_file *f = store_file(&l->store, site, kind);
    char *line = store_reserve(&l->store, f, line_access_room(kind, m));
    if (line != NULL) {
        store_commit(&l->store, f, line_access(&l->clock, kind, line, m));
    }
}

static int on_log_access(void *context, const struct message_log_access *m, struct packet *p) {
    struct source *s = context;
    struct logger *l = s->logger;
    (void)p;
    struct site *site = sites_find(&l->sites, m->vhost);
    if (site == NULL) {
        return -EBADMSG;
    }
    if (l->format != LOG_FORMAT_JSON) {
        write_access(l, site, LINE_COMBINED, m);
    }
    if (l->format != LOG_FORMAT_COMBINED) {
        write_access(l, site, LINE_JSON, m);
    }
    return 0;
}

static int on_log_error(void *context, const struct message_log_error *m, struct packet *p) {
    struct source *s = context;
    struct store *store = &s->logger->store;
    (void)p;
    struct slice speaker = slice_text(s->speaker);
    struct log_file *f = store_file(store, s->site, LINE_ERROR);
    char *line = store_reserve(store, f, line_error_room(speaker, m->text));
    if (line == NULL) {
        return 0;
    }
    uint64_t time_us = believable_time(s, m->time_us);
    store_commit(store, f, line_error(&s->logger->clock, line, time_us, m->level, speaker, m->text));
    return 0;
}

static int on_log_dropped(void *context, const struct message_log_dropped *m, struct packet *p) {
    struct source *s = context;
    char text[96];
    int n = snprintf(text, sizeof text,
                     "luttpd: %llu records dropped: more came than the log's channel could take",
                     (unsigned long long)m->records);
    struct message_log_error line = {
        .time_us = clock_realtime_us(), .level = LEVEL_WARNING, .text = {text, (size_t)n}};
    return on_log_error(s, &line, p);
}

static int dispatch(struct source *s, const struct ring_record *r) {
    static const struct logger_from_listener_ring from_listener = {
        .log_access = on_log_access, .log_error = on_log_error, .log_dropped = on_log_dropped};
    static const struct logger_from_router_ring from_router = {.log_error = on_log_error,
                                                               .log_dropped = on_log_dropped};
    static const struct logger_from_vhost_ring from_vhost = {.log_error = on_log_error,
                                                             .log_dropped = on_log_dropped};
    switch (s->peer) {
    case PEER_LISTENER:
        return logger_from_listener_ring_dispatch(&from_listener, s, PHASE_SERVING, r->type, r->payload,
                                                  r->size, NULL);
    case PEER_ROUTER:
        return logger_from_router_ring_dispatch(&from_router, s, PHASE_SERVING, r->type, r->payload, r->size,
                                                NULL);
    case PEER_VHOST:
        return logger_from_vhost_ring_dispatch(&from_vhost, s, PHASE_SERVING, r->type, r->payload, r->size,
                                               NULL);
    default:
        return -EBADMSG;
    }
}

static uint32_t tick_bytes_max(const struct source *s) {
    return s->peer == PEER_VHOST ? SOURCE_VHOST_BYTES_PER_TICK : UINT32_MAX;
}

/* Reads at most one ring full, however fast the producer writes. Returns the bytes, or -EBADMSG. */
static int drain(struct source *s) {
    struct ring_reader *r = &s->channel.reader;
    struct ring_record record;
    uint64_t begin = r->head;
    uint64_t most = tick_bytes_max(s) - s->tick_bytes;
    if (most > r->size) {
        most = r->size;
    }
    while (r->head - begin < most) {
        int rc = ring_next(r, s->logger->scratch, &record);
        if (rc == 0) {
            break;
        }
        if (rc == 1) {
            rc = dispatch(s, &record);
        }
        if (rc < 0) {
            return rc;
        }
    }
    uint64_t n = r->head - begin;
    uint64_t sum = s->tick_bytes + n;
    s->tick_bytes = sum < tick_bytes_max(s) ? (uint32_t)sum : tick_bytes_max(s);
    if (r->head - s->released > r->size / 2) {
        source_release(s, r->head);
    }
    return (int)n;
}

void source_release(struct source *s, uint64_t index) {
    if (index <= s->released) {
        return;
    }
    struct ring_reader at_index = s->channel.reader;
    at_index.head = index;
    ring_release(&at_index);
    s->released = index;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void close_source(struct source *s) {
    TAILQ_REMOVE(&s->logger->sources, s, link);
    uv_close((uv_handle_t *)&s->poll, on_closed);
    channel_close(&s->channel);
    logger_source_gone(s->logger);
}

/* why: -errno. A vhost is replaced; listeners and the router only lose their logs, since the logger
 * is not trusted with ending what they hold. */
static void blame(struct source *s, int why) {
    const struct message_blame accusation = {.peer = s->peer, .id = s->id, .generation = s->generation};
    if (s->peer == PEER_VHOST) {
        (void)message_blame_send(s->logger->process->control, &accusation, NULL);
    }
    report(REPORT_WARNING, "%s %llu broke the rules of its log channel, which is closed: %s",
           peer_name(s->peer), (unsigned long long)s->id, strerror(-why));
    close_source(s);
}

/* The last words of a process that is gone. */
static void hang_up(struct source *s) {
    s->tick_bytes = 0;
    int rc = drain(s);
    if (rc < 0) {
        blame(s, rc);
    } else {
        close_source(s);
    }
}

static void on_bell(struct source *s) {
    int n = drain(s);
    if (n < 0) {
        blame(s, n);
        return;
    }
    if (n < SOURCE_BELL_BYTES_MIN && ++s->idle_bells > SOURCE_IDLE_BELLS_MAX) {
        blame(s, -EBUSY);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    struct source *s = poll->data;
    struct packet packet;
    (void)events;
    int rc = status < 0 ? status : channel_receive(&s->channel, &packet);
    if (rc == 1) {
        packet_drop(&packet);
        rc = -EBADMSG;
    }
    if (rc == -EAGAIN) {
        on_bell(s);
    } else if (rc == -EBADMSG) {
        blame(s, rc);
    } else {
        hang_up(s); /* also where it never read what we sent, which libuv calls EBADF */
    }
}

void source_tick(struct source *s) {
    s->tick_bytes = 0;
    s->idle_bells = 0;
    int rc = drain(s);
    if (rc < 0) {
        blame(s, rc);
    }
}

static int start_polling(struct source *s) {
    int rc = uv_poll_init(&s->logger->loop, &s->poll, s->channel.socket);
    if (rc < 0) {
        channel_close(&s->channel);
        free(s);
        return rc;
    }
    s->poll.data = s;
    TAILQ_INSERT_TAIL(&s->logger->sources, s, link);
    return uv_poll_start(&s->poll, UV_READABLE, on_readable);
}

/* Where the errors of such a peer go, or NULL where there is no such peer. */
static struct site *site_of(const struct logger *l, const struct message_channel *m) {
    switch (m->peer) {
    case PEER_ROUTER:
    case PEER_LISTENER:
        return sites_find(&l->sites, 0);
    case PEER_VHOST:
        return m->id != 0 ? sites_find(&l->sites, m->id) : NULL;
    default:
        return NULL;
    }
}

static int make_source(struct logger *l, const struct message_channel *m, int socket, struct site *site) {
    struct source *s = calloc(1, sizeof *s);
    int rc = s == NULL ? -ENOMEM : site == NULL ? -ENOENT : 0;
    if (rc != 0) {
        (void)close(socket);
        free(s);
        return rc;
    }
    *s =
        (struct source){.logger = l, .peer = m->peer, .id = m->id, .generation = m->generation, .site = site};
    if (m->peer == PEER_LISTENER) {
        (void)snprintf(s->speaker, sizeof s->speaker, "listener %llu: ", (unsigned long long)m->id);
    } else if (m->peer == PEER_ROUTER) {
        (void)snprintf(s->speaker, sizeof s->speaker, "router: ");
    }
    rc = channel_make(&s->channel, socket, m->peer == PEER_LISTENER ? CHANNEL_ACCESS_LOG : CHANNEL_LOG);
    if (rc != 0) {
        free(s);
        return rc;
    }
    return start_polling(s);
}

void source_open(struct logger *l, const struct message_channel *m, int socket) {
    int rc = make_source(l, m, socket, site_of(l, m));
    if (rc < 0) {
        report(REPORT_ERROR, "no log channel for %s %llu: %s", peer_name(m->peer), (unsigned long long)m->id,
               strerror(-rc));
    }
}
