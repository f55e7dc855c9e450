/* SPDX-License-Identifier: Apache-2.0 */
/* logger.c – the process that writes the logs: its start, its second and its end.
 * Runs in: logger. Trusts: master. */
#include "logger/logger.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/must.h"
#include "base/report.h"
#include "channel/memfd.h"
#include "logger/source.h"

#define TICK_MS 1000
#define ORPHAN_DRAIN_MS (PROCESS_ORPHAN_S * 1000 - 1000) /* master is gone: what is left to do */
#define WRITE_GRACE_MS 500                               /* before a deadline: time for the disk */
#define ROUTE_MAP_MAX (64u * 1024 * 1024)

/* --- start ------------------------------------------------------------------------------------ */

/* Channels of producers need descriptors too: files get a quarter. */
static unsigned files_open_max(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return 1024;
    }
    return limit.rlim_cur / 4 > 8 ? (unsigned)(limit.rlim_cur / 4) : 8;
}

static void read_sites(struct logger *l, int map_fd) {
    const uint8_t *map;
    size_t size;
    int rc = memfd_map_file(map_fd, ROUTE_MAP_MAX, &map, &size);
    (void)close(map_fd);
    if (rc == 0) {
        rc = sites_init(&l->sites, map, size); /* the map stays: names point into it */
    }
    if (rc < 0) {
        process_fail(l->process, "route map", -rc);
    }
}

static void on_batch_done(void *context);

struct logger *logger_prepare(const struct process *process, struct packet *start) {
    struct message_start_logger m;
    struct logger *l = aligned_alloc(64, (sizeof *l + 63) & ~(size_t)63);
    if (l == NULL) {
        process_fail(process, "memory", ENOMEM);
    }
    *l = (struct logger){.process = process};
    int rc = message_start_logger_decode(&m, packet_payload(start), start->size);
    if (rc < 0) {
        process_fail(process, "start message", -rc);
    }
    l->format = m.format;
    l->directory = packet_take(start, 0);
    read_sites(l, packet_take(start, 1));
    TAILQ_INIT(&l->sources);
    line_clock_init(&l->clock);
    rc = uv_loop_init(&l->loop);
    if (rc < 0) {
        process_fail(process, "event loop", -rc);
    }
    store_init(&l->store, &l->loop, l->directory, files_open_max(), on_batch_done, l);
    return l;
}

void logger_start_threads(void *context) {
    struct logger *l = context;
    store_start_thread(&l->store);
}

/* --- the second ------------------------------------------------------------------------------- */

static void drain_all(struct logger *l) {
    struct source *s, *next;
    for (s = TAILQ_FIRST(&l->sources); s != NULL; s = next) {
        next = TAILQ_NEXT(s, link);
        source_tick(s);
    }
}

static void release_covered(struct logger *l) {
    struct source *s;
    TAILQ_FOREACH(s, &l->sources, link) source_release(s, s->covered);
    l->covering = false;
}

/* Sets everything out for the disk. What was read until now can be overwritten in the rings once
 * that batch has come back. */
static void write_everything(struct logger *l) {
    struct source *s;
    l->flush_wanted = l->store.in_flight;
    if (l->flush_wanted) {
        return;
    }
    TAILQ_FOREACH(s, &l->sources, link) s->covered = s->channel.reader.head;
    l->covering = store_flush(&l->store);
    if (!l->covering) {
        release_covered(l);
    }
}

static void on_tick(uv_timer_t *timer) {
    struct logger *l = timer->data;
    drain_all(l);
    write_everything(l);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void exit_when_done(struct logger *l) {
    if (!l->stopping || !store_is_settled(&l->store)) {
        return;
    }
    if (TAILQ_EMPTY(&l->sources) || l->hurrying) {
        uv_stop(&l->loop);
    }
}

static void on_batch_done(void *context) {
    struct logger *l = context;
    if (l->covering) {
        release_covered(l);
    }
    if (l->flush_wanted || (l->stopping && !store_is_settled(&l->store))) {
        write_everything(l);
    }
    exit_when_done(l);
}

static void on_last_deadline(uv_timer_t *timer) {
    (void)timer;
    report(REPORT_WARNING, "the disk did not take the last log records in time");
    _exit(EXIT_SUCCESS); /* the pool thread may hang in the disk: nothing to wait for */
}

static void on_deadline(uv_timer_t *timer) {
    struct logger *l = timer->data;
    l->hurrying = true;
    drain_all(l);
    write_everything(l);
    MUST(uv_timer_start(&l->deadline, on_last_deadline, WRITE_GRACE_MS, 0) == 0);
    exit_when_done(l);
}

/* Producers that are still there keep being heard, until they have gone or drain_ms is nearly over. */
static void begin_stop(struct logger *l, uint64_t drain_ms) {
    uint64_t patience_ms = drain_ms > WRITE_GRACE_MS ? drain_ms - WRITE_GRACE_MS : 0;
    if (l->hurrying || (l->stopping && uv_timer_get_due_in(&l->deadline) <= patience_ms)) {
        return;
    }
    l->stopping = true;
    MUST(uv_timer_start(&l->deadline, on_deadline, patience_ms, 0) == 0);
    drain_all(l);
    write_everything(l);
    exit_when_done(l);
}

void logger_source_gone(struct logger *l) {
    if (!l->stopping || !TAILQ_EMPTY(&l->sources)) {
        return;
    }
    write_everything(l);
    exit_when_done(l);
}

/* --- master ----------------------------------------------------------------------------------- */

static int on_channel(void *context, const struct message_channel *m, struct packet *p) {
    source_open(context, m, packet_take(p, 0));
    return 0;
}

static int on_stop(void *context, const struct message_stop *m, struct packet *p) {
    (void)p;
    begin_stop(context, m->drain_ms);
    return 0;
}

static int on_reopen(void *context, const struct message_reopen *m, struct packet *p) {
    struct logger *l = context;
    (void)m, (void)p;
    drain_all(l);
    store_reopen(&l->store);
    write_everything(l);
    return 0;
}

static void on_control(uv_poll_t *poll, int status, int events) {
    static const struct logger_from_master_control handlers = {
        .channel = on_channel, .stop = on_stop, .reopen = on_reopen};
    struct logger *l = poll->data;
    struct packet packet;
    (void)events;
    int rc = status < 0 ? status : packet_receive(l->process->control, &packet);
    if (rc == 1) {
        rc = logger_from_master_control_dispatch(&handlers, l, PHASE_SERVING, packet.type,
                                                 packet_payload(&packet), packet.size, &packet);
        packet_drop(&packet);
        if (rc < 0) {
            report(REPORT_ERROR, "master sent %s, which the logger refuses", message_name(packet.type));
        }
    } else if (rc == -EBADMSG) {
        report(REPORT_ERROR, "a message from master did not arrive whole");
    } else if (rc != -EAGAIN) {
        (void)uv_poll_stop(poll);
        begin_stop(l, ORPHAN_DRAIN_MS);
    }
}

int logger_serve(struct logger *l) {
    MUST(uv_poll_init(&l->loop, &l->control, l->process->control) == 0);
    MUST(uv_timer_init(&l->loop, &l->tick) == 0);
    MUST(uv_timer_init(&l->loop, &l->deadline) == 0);
    l->control.data = l->tick.data = l->deadline.data = l;
    MUST(uv_poll_start(&l->control, UV_READABLE, on_control) == 0);
    MUST(uv_timer_start(&l->tick, on_tick, TICK_MS, TICK_MS) == 0);
    (void)uv_run(&l->loop, UV_RUN_DEFAULT);
    return EXIT_SUCCESS;
}
