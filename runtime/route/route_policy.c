/* SPDX-License-Identifier: Apache-2.0 */
/* route_policy.c – see route_policy.h. Two sorted lists: vhosts by name, and what they may answer. */
#include "route/route_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "channel/memfd.h"
#include "channel/record_file.h"
#include "schema/messages.h"

#define ALSO_MAX 1000000u

/* A pattern for which a vhost may answer. */
struct also {
    uint32_t host_at; /* in text */
    uint16_t host_bytes;
    uint16_t kind; /* enum host_kind */
    uint64_t vhost;
};

/* Bytes that grow. */
struct text {
    char *p;
    size_t n, room;
};

struct route_policy {
    const struct host_map_vhost **names; /* the map's vhosts, sorted by name */
    size_t name_count;
    struct also *also; /* sorted */
    size_t also_count, also_room;
    struct text hosts; /* of also */
    struct text script;
    char file[MESSAGE_POLICY_TEXT_FILE_MAX + 1];
    size_t file_bytes;
    char fields[ROUTE_POLICY_FIELDS_MAX][MESSAGE_ROUTE_FIELD_NAME_MAX];
    size_t field_bytes[ROUTE_POLICY_FIELDS_MAX];
    size_t field_count;
};

/* Order ------------------------------------------------------------------------------------- */

static int compare_slices(struct slice a, struct slice b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare_names(const void *a, const void *b) {
    const struct host_map_vhost *const *one = a, *const *other = b;
    return compare_slices((*one)->name, (*other)->name);
}

static struct slice host_of(const struct route_policy *policy, const struct also *a) {
    return slice_from(policy->hosts.p + a->host_at, a->host_bytes);
}

static int compare_also(const void *a, const void *b, void *context) {
    const struct also *one = a, *other = b;
    if (one->kind != other->kind) {
        return one->kind < other->kind ? -1 : 1;
    }
    int order = compare_slices(host_of(context, one), host_of(context, other));
    return order != 0 ? order : (one->vhost > other->vhost) - (one->vhost < other->vhost);
}

/* Asking ------------------------------------------------------------------------------------ */

static bool has(const struct route_policy *policy, enum host_kind kind, struct slice host, uint64_t vhost) {
    size_t low = 0, high = policy->also_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct also *a = &policy->also[middle];
        int order =
            a->kind != (uint16_t)kind ? (int)a->kind - (int)kind : compare_slices(host_of(policy, a), host);
        if (order == 0) {
            order = (a->vhost > vhost) - (a->vhost < vhost);
        }
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

bool route_policy_allows(const struct route_policy *policy, const struct host_map *map, struct slice host,
                         uint64_t vhost) {
    if (host_map_allows(map, host, vhost)) {
        return true;
    }
    if (policy == NULL || policy->also_count == 0) {
        return false;
    }
    if (host.n > 1 && host.p[host.n - 1] == '.') {
        host.n--;
    }
    if (has(policy, HOST_KIND_DEFAULT, SLICE(""), vhost) || has(policy, HOST_KIND_EXACT, host, vhost)) {
        return true;
    }
    for (size_t i = 1; i + 1 < host.n; i++) {
        if (host.p[i] == '.' &&
            has(policy, HOST_KIND_WILDCARD, slice_from(host.p + i + 1, host.n - i - 1), vhost)) {
            return true;
        }
    }
    return false;
}

const struct host_map_vhost *route_policy_vhost(const struct route_policy *policy, struct slice name) {
    const struct host_map_vhost wanted = {.name = name}, *key = &wanted;
    const struct host_map_vhost *const *found =
        bsearch(&key, policy->names, policy->name_count, sizeof *policy->names, compare_names);
    return found != NULL ? *found : NULL;
}

bool route_policy_wants(const struct route_policy *policy, struct slice name) {
    for (size_t i = 0; policy != NULL && i < policy->field_count; i++) {
        if (slice_equal(slice_from(policy->fields[i], policy->field_bytes[i]), name)) {
            return true;
        }
    }
    return false;
}

struct slice route_policy_text(const struct route_policy *policy) {
    return slice_from(policy->script.p, policy->script.n);
}

struct slice route_policy_file(const struct route_policy *policy) {
    return slice_from(policy->file, policy->file_bytes);
}

/* Reading ----------------------------------------------------------------------------------- */

static int append(struct text *text, struct slice more) {
    if (text->n + more.n > text->room) {
        size_t room = text->room == 0 ? 4096 : text->room;
        while (room < text->n + more.n) {
            room *= 2;
        }
        char *p = realloc(text->p, room);
        if (p == NULL) {
            return -ENOMEM;
        }
        text->p = p;
        text->room = room;
    }
    if (more.n > 0) {
        memcpy(text->p + text->n, more.p, more.n);
    }
    text->n += more.n;
    return 0;
}

static int grow(struct route_policy *policy) {
    if (policy->also_count == ALSO_MAX) {
        return -EFBIG;
    }
    if (policy->also_count == policy->also_room) {
        size_t room = policy->also_room == 0 ? 64 : policy->also_room * 2;
        struct also *also = realloc(policy->also, room * sizeof *also);
        if (also == NULL) {
            return -ENOMEM;
        }
        policy->also = also;
        policy->also_room = room;
    }
    return 0;
}

static int take_also(void *context, const struct message_route_also *m, struct packet *p) {
    struct route_policy *policy = context;
    const struct host_map_vhost *vhost = route_policy_vhost(policy, m->vhost);
    (void)p;
    if (m->kind == HOST_KIND_DEFAULT && m->host.n != 0) {
        return -EBADMSG;
    }
    if (vhost == NULL) {
        return 0;
    }
    int rc = grow(policy);
    size_t at = policy->hosts.n;
    if (rc == 0) {
        rc = append(&policy->hosts, m->host);
    }
    if (rc == 0) {
        policy->also[policy->also_count++] =
            (struct also){(uint32_t)at, (uint16_t)m->host.n, (uint16_t)m->kind, vhost->id};
    }
    return rc;
}

static int take_field(void *context, const struct message_route_field *m, struct packet *p) {
    struct route_policy *policy = context;
    (void)p;
    if (policy->field_count == ROUTE_POLICY_FIELDS_MAX || m->name.n == 0) {
        return -EBADMSG;
    }
    memcpy(policy->fields[policy->field_count], m->name.p, m->name.n);
    policy->field_bytes[policy->field_count++] = m->name.n;
    return 0;
}

static int take_text(void *context, const struct message_policy_text *m, struct packet *p) {
    struct route_policy *policy = context;
    (void)p;
    if (m->policy != 0) {
        return 0;
    }
    if (m->file.n > 0) {
        memcpy(policy->file, m->file.p, m->file.n);
    }
    policy->file_bytes = m->file.n;
    return policy->script.n + m->part.n > ROUTE_POLICY_TEXT_MAX ? -EFBIG : append(&policy->script, m->part);
}

/* What belongs to parsing policies is looked at by those who need it. */
static int walk(struct route_policy *policy, const uint8_t *bytes, size_t size) {
    static const struct router_from_config_record taking = {
        .route_also = take_also, .route_field = take_field, .policy_text = take_text};
    struct record_file file;
    struct ring_record record;
    int rc;
    record_file_init(&file, bytes, size);
    while ((rc = record_file_next(&file, &record)) == 1) {
        if (record.type != MESSAGE_ROUTE_ALSO && record.type != MESSAGE_ROUTE_FIELD &&
            record.type != MESSAGE_POLICY_TEXT) {
            continue;
        }
        rc = router_from_config_record_dispatch(&taking, policy, PHASE_SERVING, record.type, record.payload,
                                                record.size, NULL);
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}

static int sort_names(struct route_policy *policy, const struct host_map *map) {
    size_t count = host_map_vhost_count(map);
    policy->names = calloc(count + 1, sizeof *policy->names);
    if (policy->names == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        policy->names[i] = host_map_vhost_at(map, i);
    }
    policy->name_count = count;
    qsort(policy->names, count, sizeof *policy->names, compare_names);
    return 0;
}

int route_policy_new(const uint8_t *bytes, size_t size, const struct host_map *map,
                     struct route_policy **out) {
    struct route_policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL) {
        return -ENOMEM;
    }
    int rc = sort_names(policy, map);
    if (rc == 0) {
        rc = walk(policy, bytes, size);
    }
    if (rc < 0) {
        route_policy_free(policy);
        return rc;
    }
    if (policy->also_count > 0) {
        qsort_r(policy->also, policy->also_count, sizeof *policy->also, compare_also, policy);
    }
    *out = policy;
    return 0;
}

int route_policy_open(int fd, const struct host_map *map, struct route_policy **out) {
    const uint8_t *bytes;
    size_t size;
    int rc = memfd_map_file(fd, ROUTE_POLICY_FILE_MAX, &bytes, &size);
    if (rc == 0) {
        rc = route_policy_new(bytes, size, map, out);
        (void)munmap((void *)(uintptr_t)bytes, size);
    }
    return rc;
}

void route_policy_free(struct route_policy *policy) {
    if (policy != NULL) {
        free(policy->names);
        free(policy->also);
        free(policy->hosts.p);
        free(policy->script.p);
        free(policy);
    }
}
