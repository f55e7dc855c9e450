/* SPDX-License-Identifier: Apache-2.0 */
/* routes_cache.c – see routes_cache.h. Sets of few ways; the newest of a set stands first, the oldest
 * falls out. */
#include "listener/routes_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "listener/route_value.h"

enum kind { KIND_NONE, KIND_HOST, KIND_PATH, KIND_PREFIX, KIND_VALUE };

#define MARK_PATHS 0x8000u /* in depths, whose other bits are numbers of segments */

struct route_entry {
    uint64_t hash;
    uint64_t until_ms;           /* uv_now; 0: until the policy changes */
    struct route_answer *answer; /* owned; NULL: one vhost, or none */
    uint32_t index;              /* of that vhost */
    uint16_t depths;             /* KIND_HOST: what else exists for the host */
    uint16_t n;                  /* bytes of key */
    uint8_t kind;
    uint8_t selector; /* enum selector; name in key, behind what n counts; not NONE: answered by value */
    uint8_t name_n;
    bool answered; /* index or answer count */
    char key[ROUTE_KEY_MAX + MESSAGE_ROUTE_SELECTOR_NAME_MAX];
};

/* A key, made in place: host alone, host and path, or with a value. */
struct key {
    enum kind kind;
    uint16_t n;
    char bytes[ROUTE_KEY_MAX];
};

int route_cache_init(struct route_cache *cache) {
    cache->entries = calloc(ROUTE_CACHE_SLOTS, sizeof *cache->entries);
    if (cache->entries == NULL) {
        return -ENOMEM;
    }
    return getrandom(&cache->key, sizeof cache->key, 0) == (ssize_t)sizeof cache->key ? 0 : -errno;
}

static void empty(struct route_entry *e) {
    free(e->answer);
    e->answer = NULL;
    e->kind = KIND_NONE;
    e->answered = false;
}

void route_cache_clear(struct route_cache *cache) {
    for (size_t i = 0; cache->entries != NULL && i < ROUTE_CACHE_SLOTS; i++) {
        if (cache->entries[i].kind != KIND_NONE) { /* pages that were never used stay so */
            empty(&cache->entries[i]);
        }
    }
}

void route_cache_deinit(struct route_cache *cache) {
    route_cache_clear(cache);
    free(cache->entries);
    cache->entries = NULL;
}

/* Entries ------------------------------------------------------------------------------------------ */

static struct route_entry *set_of(const struct route_cache *cache, uint64_t hash) {
    return &cache->entries[hash % (ROUTE_CACHE_SLOTS / ROUTE_CACHE_WAYS) * ROUTE_CACHE_WAYS];
}

static struct route_entry *find(const struct route_cache *cache, enum kind kind, struct slice key) {
    uint64_t hash = siphash(&cache->key, key.p, key.n);
    struct route_entry *e = set_of(cache, hash);
    for (unsigned way = 0; way < ROUTE_CACHE_WAYS; way++, e++) {
        if (e->hash == hash && e->kind == kind && e->n == key.n && memcmp(e->key, key.p, key.n) == 0) {
            return e;
        }
    }
    return NULL;
}

/* The entry of this key, a new one where there was none. Others may have moved: hold no pointers. */
static struct route_entry *take(struct route_cache *cache, enum kind kind, struct slice key) {
    struct route_entry *e = find(cache, kind, key);
    if (e != NULL) {
        return e;
    }
    uint64_t hash = siphash(&cache->key, key.p, key.n);
    e = set_of(cache, hash);
    empty(&e[ROUTE_CACHE_WAYS - 1]);
    memmove(e + 1, e, (ROUTE_CACHE_WAYS - 1) * sizeof *e);
    e->hash = hash;
    e->until_ms = 0;
    e->answer = NULL;
    e->depths = 0;
    e->n = (uint16_t)key.n;
    e->kind = (uint8_t)kind;
    e->selector = SELECTOR_NONE;
    e->name_n = 0;
    e->answered = false;
    memcpy(e->key, key.p, key.n);
    return e;
}

/* Keys --------------------------------------------------------------------------------------------- */

static bool add(struct key *key, struct slice more) {
    if (more.n > sizeof key->bytes - key->n) {
        return false;
    }
    if (more.n > 0) {
        memcpy(key->bytes + key->n, more.p, more.n);
    }
    key->n = (uint16_t)(key->n + more.n);
    return true;
}

static struct slice slice_of(const struct key *key) {
    return slice_from(key->bytes, key->n);
}

/* No host holds a slash, and every path begins with one. */
static bool make_key(struct key *key, enum kind kind, struct slice host, struct slice path) {
    *key = (struct key){.kind = kind};
    return host.n > 0 && add(key, host) && add(key, path);
}

/* Neither hosts nor paths hold a line feed. Absent is not empty. */
static bool make_value_key(struct key *key, const struct route_entry *e, const struct route_question *q) {
    const struct slice name = slice_from(e->key + e->n, e->name_n);
    struct slice value = {NULL, 0};
    bool there = e->selector == SELECTOR_COOKIE ? route_value_cookie(q->fields, q->fields_count, name, &value)
                                                : route_value_field(q->fields, q->fields_count, name, &value);
    *key = (struct key){.kind = KIND_VALUE};
    key->bytes[key->n++] = (char)('0' + e->kind);
    return value.n <= ROUTE_VALUE_MAX && add(key, slice_from(e->key, e->n)) && add(key, SLICE("\n")) &&
           add(key, there ? SLICE("=") : SLICE("")) && add(key, value);
}

/* Where each prefix of the path ends, by its number of segments. Returns how many there are. */
static unsigned ends_of(struct slice path, uint16_t ends[ROUTE_DEPTH_MAX + 1]) {
    unsigned depth = 0;
    for (size_t i = 1; i < path.n && depth < ROUTE_DEPTH_MAX; i++) {
        const char *slash = memchr(path.p + i, '/', path.n - i);
        i = slash != NULL ? (size_t)(slash - path.p) : path.n;
        ends[++depth] = (uint16_t)i;
    }
    return depth;
}

unsigned route_segments(struct slice path) {
    unsigned count = 0;
    for (size_t i = 0; i + 1 < path.n; i++) {
        count += path.p[i] == '/';
    }
    return count;
}

/* Finding ------------------------------------------------------------------------------------------- */

static bool is_fresh(const struct route_entry *e, uint64_t now) {
    return e->until_ms == 0 || now < e->until_ms;
}

static bool give(const struct route_entry *e, uint64_t now, struct route_found *out) {
    if (!e->answered || !is_fresh(e, now)) {
        return false;
    }
    *out = (struct route_found){e->index, e->answer};
    return true;
}

/* The entry's answer, or that for the value that the request has. */
static bool resolve(const struct route_cache *cache, const struct route_entry *e,
                    const struct route_question *q, uint64_t now, struct route_found *out) {
    struct key key;
    if (e == NULL || e->selector == SELECTOR_NONE) {
        return e != NULL && give(e, now, out);
    }
    if (!make_value_key(&key, e, q)) {
        return false;
    }
    e = find(cache, KIND_VALUE, slice_of(&key));
    return e != NULL && give(e, now, out);
}

static bool find_at(const struct route_cache *cache, enum kind kind, size_t bytes,
                    const struct route_question *q, uint64_t now, struct route_found *out) {
    struct key key;
    return make_key(&key, kind, q->host, slice_from(q->path.p, bytes)) &&
           resolve(cache, find(cache, kind, slice_of(&key)), q, now, out);
}

static bool find_marked(const struct route_cache *cache, const struct route_entry *e,
                        const struct route_question *q, uint64_t now, struct route_found *out) {
    uint16_t ends[ROUTE_DEPTH_MAX + 1];
    if ((e->depths & MARK_PATHS) != 0 && find_at(cache, KIND_PATH, q->path.n, q, now, out)) {
        return true;
    }
    for (unsigned depth = ends_of(q->path, ends); depth > 0; depth--) {
        if ((e->depths >> depth & 1) != 0 && find_at(cache, KIND_PREFIX, ends[depth], q, now, out)) {
            return true;
        }
    }
    return false;
}

bool route_cache_find(struct route_cache *cache, const struct route_question *q, uint64_t now,
                      struct route_found *out) {
    const struct route_entry *e = find(cache, KIND_HOST, q->host);
    if (e == NULL) {
        return false;
    }
    return (e->depths != 0 && find_marked(cache, e, q, now, out)) || resolve(cache, e, q, now, out);
}

/* Remembering --------------------------------------------------------------------------------------- */

static bool is_plain(const struct route_answer *answer) {
    return answer->verdict == VERDICT_VHOST && answer->choices == 1;
}

/* A copy with its texts behind it. */
static struct route_answer *copy_of(const struct route_answer *answer) {
    struct route_answer *copy = malloc(sizeof *copy + answer->location.n + answer->text.n);
    if (copy != NULL) {
        char *texts = (char *)(copy + 1);
        *copy = *answer;
        copy->location.p = texts;
        copy->text.p = texts + answer->location.n;
        if (answer->location.n > 0) {
            memcpy(texts, answer->location.p, answer->location.n);
        }
        if (answer->text.n > 0) {
            memcpy(texts + answer->location.n, answer->text.p, answer->text.n);
        }
    }
    return copy;
}

static void set(struct route_entry *e, const struct route_answer *answer, uint32_t reuse_ms, uint64_t now) {
    free(e->answer);
    e->answer = is_plain(answer) ? NULL : copy_of(answer);
    e->answered = is_plain(answer) || e->answer != NULL;
    e->index = answer->index[0];
    e->until_ms = reuse_ms == 0 ? 0 : now + reuse_ms;
    e->selector = SELECTOR_NONE;
}

/* From now on the answer depends on a value. Within an epoch it is always the same selector. */
static void set_selector(struct route_entry *e, const struct route_scope *scope) {
    free(e->answer);
    e->answer = NULL;
    e->answered = false;
    e->selector = (uint8_t)scope->selector;
    e->name_n = (uint8_t)scope->selector_name.n;
    memcpy(e->key + e->n, scope->selector_name.p, scope->selector_name.n);
}

static bool same_selector(const struct route_entry *e, const struct route_scope *scope) {
    return e->selector == (uint8_t)scope->selector &&
           slice_equal(slice_from(e->key + e->n, e->name_n), scope->selector_name);
}

static void remember_at(struct route_cache *cache, const struct key *key, const struct route_question *q,
                        const struct route_answer *answer, const struct route_scope *scope, uint64_t now) {
    struct route_entry *e = take(cache, key->kind, slice_of(key));
    struct key value;
    if (scope->selector == SELECTOR_NONE) {
        set(e, answer, scope->reuse_ms, now);
        return;
    }
    if (!same_selector(e, scope)) {
        set_selector(e, scope);
    }
    if (make_value_key(&value, e, q)) {
        set(take(cache, KIND_VALUE, slice_of(&value)), answer, scope->reuse_ms, now);
    }
}

void route_cache_remember(struct route_cache *cache, const struct route_question *q,
                          const struct route_answer *answer, const struct route_scope *scope, uint64_t now) {
    struct key key;
    struct slice part = slice_from(q->path.p, 0);
    enum kind kind = KIND_HOST;
    unsigned mark = 0;
    if (scope->reuse == REUSE_PATH) {
        kind = KIND_PATH;
        part = q->path;
        mark = MARK_PATHS;
    } else if (scope->reuse == REUSE_PREFIX) {
        kind = KIND_PREFIX;
        part = slice_from(q->path.p, scope->prefix_bytes);
        unsigned depth = route_segments(part);
        mark = depth <= ROUTE_DEPTH_MAX ? 1u << depth : 0;
    }
    if (scope->reuse == REUSE_ONCE || (kind == KIND_PREFIX && mark == 0) ||
        !make_key(&key, kind, q->host, part)) {
        return;
    }
    remember_at(cache, &key, q, answer, scope, now);
    if (mark != 0) {
        struct route_entry *host = take(cache, KIND_HOST, q->host);
        host->depths = (uint16_t)(host->depths | mark);
    }
}
