/* SPDX-License-Identifier: Apache-2.0 */
/* host_map.c – an open-addressing table over the hosts of a mapped route map.
 * Runs in: router, listener, logger. Distrusts: the file, checked whole before the first question.
 *
 * Slots hold offsets into the file, 16 bytes each, at most two thirds full, so ten thousand hosts
 * cost 256 KiB. Exact and wildcard patterns share the table, told apart by kind. The hash is keyed
 * anew for each map: a client who chooses hosts cannot aim at one chain. */
#include "route/host_map.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "channel/memfd.h"
#include "channel/record_file.h"
#include "route/siphash.h"
#include "schema/messages.h"

struct slot {
    uint32_t offset; /* of the pattern in the file; 0 marks a free slot: a frame comes first */
    uint32_t tag;    /* high half of the hash */
    uint32_t vhost;  /* index among the vhosts */
    uint16_t length;
    uint16_t kind; /* enum host_kind */
};

struct host_map {
    const uint8_t *bytes;
    size_t size;
    bool mapped; /* munmap when freed */
    struct siphash_key key;
    struct slot *slots;
    uint32_t mask; /* slots - 1 */
    struct host_map_vhost *vhosts;
    size_t vhost_count;
    long default_vhost;           /* index, or -1 */
    uint64_t wildcard_lengths[4]; /* bit n: some wildcard's suffix has n bytes */
};

/* What the first walk finds, so that the second can fill tables of the right size. */
struct census {
    size_t vhosts, hosts;
};

/* Walking ----------------------------------------------------------------------------------- */

/* Every reader of a route map may get the same records: the router's table stands for all. */
static int walk(const uint8_t *bytes, size_t size, const struct router_from_config_record *handlers,
                void *context) {
    struct record_file file;
    struct ring_record record;
    int rc;
    record_file_init(&file, bytes, size);
    while ((rc = record_file_next(&file, &record)) == 1) {
        rc = router_from_config_record_dispatch(handlers, context, PHASE_SERVING, record.type, record.payload,
                                                record.size, NULL);
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}

static int count_vhost(void *context, const struct message_route_vhost *m, struct packet *p) {
    (void)m, (void)p;
    ((struct census *)context)->vhosts++;
    return 0;
}

static int count_host(void *context, const struct message_route_host *m, struct packet *p) {
    (void)m, (void)p;
    ((struct census *)context)->hosts++;
    return 0;
}

/* Asking ------------------------------------------------------------------------------------ */

static uint64_t hash_pattern(const struct host_map *map, struct slice host) {
    return siphash(&map->key, host.p, host.n);
}

/* The slot of this pattern, or the free one where it would go. */
static struct slot *find_slot(const struct host_map *map, enum host_kind kind, struct slice host,
                              uint64_t hash) {
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint32_t at = (uint32_t)hash & map->mask;; at = (at + 1) & map->mask) {
        struct slot *slot = &map->slots[at];
        if (slot->offset == 0) {
            return slot;
        }
        if (slot->tag == tag && slot->kind == kind && slot->length == host.n &&
            memcmp(map->bytes + slot->offset, host.p, host.n) == 0) {
            return slot;
        }
    }
}

static long find_pattern(const struct host_map *map, enum host_kind kind, struct slice host) {
    const struct slot *slot = find_slot(map, kind, host, hash_pattern(map, host));
    return slot->offset == 0 ? -1 : (long)slot->vhost;
}

static bool wildcard_has_length(const struct host_map *map, size_t n) {
    return n < 256 && (map->wildcard_lengths[n / 64] >> (n % 64) & 1) != 0;
}

/* The longest suffix first: it begins behind the leftmost dot. */
static long find_wildcard(const struct host_map *map, struct slice host) {
    for (size_t i = 1; i + 1 < host.n; i++) {
        size_t length = host.n - i - 1;
        if (host.p[i] != '.' || !wildcard_has_length(map, length)) {
            continue;
        }
        long index = find_pattern(map, HOST_KIND_WILDCARD, slice_from(host.p + i + 1, length));
        if (index >= 0) {
            return index;
        }
    }
    return -1;
}

static long find_index(const struct host_map *map, struct slice host) {
    long index = -1;
    if (host.n > 1 && host.p[host.n - 1] == '.') {
        host.n--;
    }
    if (host.n > 0 && host.n < 256) {
        index = find_pattern(map, HOST_KIND_EXACT, host);
        if (index < 0) {
            index = find_wildcard(map, host);
        }
    }
    return index >= 0 ? index : map->default_vhost;
}

bool host_map_find(const struct host_map *map, struct slice host, uint64_t *vhost) {
    long index = find_index(map, host);
    if (index < 0) {
        return false;
    }
    *vhost = map->vhosts[index].id;
    return true;
}

bool host_map_allows(const struct host_map *map, struct slice host, uint64_t vhost) {
    long index = find_index(map, host);
    return index >= 0 && map->vhosts[index].id == vhost;
}

size_t host_map_vhost_count(const struct host_map *map) {
    return map->vhost_count;
}

const struct host_map_vhost *host_map_vhost_at(const struct host_map *map, size_t index) {
    return &map->vhosts[index];
}

/* Ids rise through the file, so the vhosts are sorted as they come. */
long host_map_vhost_index(const struct host_map *map, uint64_t vhost) {
    size_t low = 0, high = map->vhost_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->vhosts[middle].id < vhost) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < map->vhost_count && map->vhosts[low].id == vhost ? (long)low : -1;
}

/* Building ---------------------------------------------------------------------------------- */

static int take_vhost(void *context, const struct message_route_vhost *m, struct packet *p) {
    struct host_map *map = context;
    (void)p;
    if (m->vhost == 0 || m->name.n == 0) {
        return -EBADMSG;
    }
    if (map->vhost_count > 0 && m->vhost <= map->vhosts[map->vhost_count - 1].id) {
        return -EBADMSG;
    }
    map->vhosts[map->vhost_count++] = (struct host_map_vhost){m->vhost, m->name};
    return 0;
}

/* A pattern that no well-formed lower-case host can have would only hide a mistake. */
static bool pattern_is_possible(struct slice host) {
    if (host.n == 0 || host.n > 255 || host.p[0] == '.' || host.p[host.n - 1] == '.') {
        return false;
    }
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if (c <= ' ' || c >= 0x7f || (c >= 'A' && c <= 'Z') || c == '*') {
            return false;
        }
    }
    return true;
}

static int take_default(struct host_map *map, struct slice host, long index) {
    if (host.n != 0 || map->default_vhost >= 0) {
        return -EBADMSG;
    }
    map->default_vhost = index;
    return 0;
}

static int take_host(void *context, const struct message_route_host *m, struct packet *p) {
    struct host_map *map = context;
    long index = host_map_vhost_index(map, m->vhost);
    (void)p;
    if (index < 0) {
        return -EBADMSG;
    }
    if (m->kind == HOST_KIND_DEFAULT) {
        return take_default(map, m->host, index);
    }
    if (!pattern_is_possible(m->host)) {
        return -EBADMSG;
    }
    uint64_t hash = hash_pattern(map, m->host);
    struct slot *slot = find_slot(map, m->kind, m->host, hash);
    if (slot->offset != 0) {
        return -EBADMSG; /* the same pattern twice */
    }
    slot->offset = (uint32_t)((const uint8_t *)m->host.p - map->bytes);
    slot->tag = (uint32_t)(hash >> 32);
    slot->vhost = (uint32_t)index;
    slot->length = (uint16_t)m->host.n;
    slot->kind = (uint16_t)m->kind;
    if (m->kind == HOST_KIND_WILDCARD) {
        map->wildcard_lengths[m->host.n / 64] |= UINT64_C(1) << (m->host.n % 64);
    }
    return 0;
}

static int allocate(struct host_map *map, const struct census *census) {
    size_t slots = 16;
    while (slots < census->hosts + census->hosts / 2 + 1) {
        slots *= 2;
    }
    map->mask = (uint32_t)(slots - 1);
    map->slots = calloc(slots, sizeof(*map->slots));
    map->vhosts = calloc(census->vhosts + 1, sizeof(*map->vhosts));
    return map->slots != NULL && map->vhosts != NULL ? 0 : -ENOMEM;
}

static int fill(struct host_map *map) {
    static const struct router_from_config_record counting = {.route_vhost = count_vhost,
                                                              .route_host = count_host};
    static const struct router_from_config_record taking = {.route_vhost = take_vhost,
                                                            .route_host = take_host};
    struct census census = {0, 0};
    int rc = walk(map->bytes, map->size, &counting, &census);
    if (rc == 0) {
        rc = allocate(map, &census);
    }
    return rc == 0 ? walk(map->bytes, map->size, &taking, map) : rc;
}

int host_map_new(const uint8_t *bytes, size_t size, struct host_map **out) {
    if (size > HOST_MAP_FILE_MAX) {
        return -EFBIG;
    }
    struct host_map *map = calloc(1, sizeof(*map));
    if (map == NULL) {
        return -ENOMEM;
    }
    map->bytes = bytes;
    map->size = size;
    map->default_vhost = -1;
    int rc = getrandom(&map->key, sizeof(map->key), 0) == (ssize_t)sizeof(map->key) ? 0 : -errno;
    if (rc == 0) {
        rc = fill(map);
    }
    if (rc < 0) {
        host_map_free(map);
        return rc;
    }
    *out = map;
    return 0;
}

int host_map_open(int fd, struct host_map **out) {
    const uint8_t *bytes;
    size_t size;
    int rc = memfd_map_file(fd, HOST_MAP_FILE_MAX, &bytes, &size);
    if (rc < 0) {
        return rc;
    }
    rc = host_map_new(bytes, size, out);
    if (rc < 0) {
        munmap((void *)(uintptr_t)bytes, size);
    } else {
        (*out)->mapped = true;
    }
    return rc;
}

void host_map_free(struct host_map *map) {
    if (map == NULL) {
        return;
    }
    if (map->mapped) {
        munmap((void *)(uintptr_t)map->bytes, map->size);
    }
    free(map->slots);
    free(map->vhosts);
    free(map);
}
