/* SPDX-License-Identifier: Apache-2.0 */
/* sites.c – whose logs there are: every vhost of the route map, and the server itself.
 * Runs in: logger. Distrusts: the route map's content. */
#include "logger/sites.h"

#include <errno.h>
#include <stdlib.h>

#include "channel/record_file.h"
#include "schema/messages.h"

#define FIRST_CAPACITY 16

/* While the map is read. */
struct reading {
    struct sites *sites;
    size_t capacity;
};

/* A name becomes a directory: it must be one component, visible and not the server's own. */
static int is_file_name(struct slice name) {
    if (name.n == 0 || name.n > SITES_NAME_MAX || name.p[0] == '.') {
        return 0;
    }
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        int word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c != '-' && c != '_' && c != '.') {
            return 0;
        }
    }
    return !slice_equal(name, SLICE(SITES_SERVER_NAME));
}

static int append(struct reading *r, uint64_t vhost, struct slice name) {
    struct sites *s = r->sites;
    if (s->count == r->capacity) {
        size_t capacity = r->capacity != 0 ? 2 * r->capacity : FIRST_CAPACITY;
        struct site *items = reallocarray(s->items, capacity, sizeof *items);
        if (items == NULL) {
            return -ENOMEM;
        }
        s->items = items;
        r->capacity = capacity;
    }
    s->items[s->count++] = (struct site){.vhost = vhost, .name = name};
    return 0;
}

static int on_route_vhost(void *context, const struct message_route_vhost *m, struct packet *p) {
    (void)p;
    if (m->vhost == 0 || !is_file_name(m->name)) {
        return -EBADMSG;
    }
    return append(context, m->vhost, m->name);
}

static int on_route_host(void *context, const struct message_route_host *m, struct packet *p) {
    (void)context, (void)m, (void)p; /* hosts are no business of the logger */
    return 0;
}

static const struct logger_from_config_record handlers = {
    .route_vhost = on_route_vhost,
    .route_host = on_route_host,
};

static int by_vhost(const void *a, const void *b) {
    uint64_t x = ((const struct site *)a)->vhost, y = ((const struct site *)b)->vhost;
    return (x > y) - (x < y);
}

static int read_map(struct reading *r, const uint8_t *map, size_t size) {
    struct record_file file;
    struct ring_record record;
    int rc;
    record_file_init(&file, map, size);
    while ((rc = record_file_next(&file, &record)) == 1) {
        rc = logger_from_config_record_dispatch(&handlers, r, PHASE_SERVING, record.type, record.payload,
                                                record.size, NULL);
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}

int sites_init(struct sites *s, const uint8_t *map, size_t size) {
    *s = (struct sites){0};
    struct reading r = {.sites = s};
    int rc = append(&r, 0, SLICE(SITES_SERVER_NAME));
    if (rc == 0) {
        rc = read_map(&r, map, size);
    }
    if (rc == 0) {
        qsort(s->items, s->count, sizeof *s->items, by_vhost);
    }
    for (size_t i = 1; rc == 0 && i < s->count; i++) {
        if (s->items[i].vhost == s->items[i - 1].vhost) {
            rc = -EBADMSG;
        }
    }
    if (rc < 0) {
        sites_deinit(s);
    }
    return rc;
}

void sites_deinit(struct sites *s) {
    free(s->items);
    *s = (struct sites){0};
}

struct site *sites_find(const struct sites *s, uint64_t vhost) {
    struct site key = {.vhost = vhost};
    return bsearch(&key, s->items, s->count, sizeof *s->items, by_vhost);
}
