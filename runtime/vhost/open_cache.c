/* SPDX-License-Identifier: Apache-2.0 */
/* open_cache.c – files kept open for the next request.
 * Runs in: vhost. A hash table with chains and a list by last use. The cache itself holds one
 * reference to each file in it, so forgetting a file that is being sent closes it later. */
#include "vhost/open_cache.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"

#define BUCKETS 256

struct open_cache {
    size_t count, files_max;
    struct open_file *newest, *oldest;
    struct open_file *buckets[BUCKETS];
};

/* FNV-1a. A client chooses which files it asks for, but only files that exist are kept, and no
 * more than files_max: colliding names cost the owner who made them. */
static uint64_t hash_bytes(struct slice key) {
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < key.n; i++) {
        h = (h ^ (unsigned char)key.p[i]) * 1099511628211u;
    }
    return h ^ (h >> 32);
}

struct open_cache *open_cache_new(size_t files_max) {
    struct open_cache *c = calloc(1, sizeof *c);
    if (c != NULL) {
        c->files_max = files_max > 0 ? files_max : 1;
    }
    return c;
}

struct open_file *open_file_hold(struct open_file *f) {
    f->references++;
    return f;
}

void open_file_release(struct open_file *f) {
    if (f == NULL) {
        return;
    }
    MUST(f->references > 0);
    if (--f->references == 0) {
        (void)close(f->fd);
        free(f);
    }
}

static void unlink_use(struct open_cache *c, struct open_file *f) {
    *(f->newer != NULL ? &f->newer->older : &c->newest) = f->older;
    *(f->older != NULL ? &f->older->newer : &c->oldest) = f->newer;
    f->newer = f->older = NULL;
}

static void link_newest(struct open_cache *c, struct open_file *f) {
    f->older = c->newest;
    f->newer = NULL;
    *(c->newest != NULL ? &c->newest->newer : &c->oldest) = f;
    c->newest = f;
}

static void forget(struct open_cache *c, struct open_file *f) {
    struct open_file **at = &c->buckets[f->hash % BUCKETS];
    while (*at != f) {
        MUST(*at != NULL);
        at = &(*at)->chain;
    }
    *at = f->chain;
    unlink_use(c, f);
    f->cache = NULL;
    c->count--;
    open_file_release(f);
}

void open_cache_forget(struct open_file *f) {
    if (f->cache != NULL) {
        forget(f->cache, f);
    }
}

bool open_cache_shrink(struct open_cache *c) {
    if (c->oldest == NULL) {
        return false;
    }
    forget(c, c->oldest);
    return true;
}

void open_cache_free(struct open_cache *c) {
    if (c != NULL) {
        while (open_cache_shrink(c)) {}
        free(c);
    }
}

static struct open_file *look_up(const struct open_cache *c, struct slice key, uint64_t hash) {
    struct open_file *f = c->buckets[hash % BUCKETS];
    while (f != NULL && (f->hash != hash || !slice_equal(slice_from(f->key, f->key_length), key))) {
        f = f->chain;
    }
    return f;
}

struct open_file *open_cache_find(struct open_cache *c, struct slice key, uint64_t now_ms) {
    struct open_file *f = look_up(c, key, hash_bytes(key));
    if (f == NULL) {
        return NULL;
    }
    if (now_ms - f->opened_ms > OPEN_CACHE_VALID_MS) {
        open_cache_forget(f);
        return NULL;
    }
    f->used_ms = now_ms;
    if (c->newest != f) {
        unlink_use(c, f);
        link_newest(c, f);
    }
    return open_file_hold(f);
}

struct open_file *open_cache_put(struct open_cache *c, struct slice key, int fd, uint64_t now_ms) {
    uint64_t hash = hash_bytes(key);
    struct open_file *f = look_up(c, key, hash);
    if (f != NULL) {
        open_cache_forget(f);
    }
    f = calloc(1, sizeof *f + key.n);
    if (f == NULL) {
        (void)close(fd);
        return NULL;
    }
    if (c->count >= c->files_max) {
        (void)open_cache_shrink(c);
    }
    f->fd = fd;
    f->references = 2;
    f->cache = c;
    f->opened_ms = f->used_ms = now_ms;
    f->hash = hash;
    f->key_length = key.n;
    memcpy(f->key, key.p, key.n);
    f->chain = c->buckets[hash % BUCKETS];
    c->buckets[hash % BUCKETS] = f;
    link_newest(c, f);
    c->count++;
    return f;
}

size_t open_cache_sweep(struct open_cache *c, uint64_t now_ms) {
    while (c->oldest != NULL && now_ms - c->oldest->used_ms > OPEN_CACHE_IDLE_MS) {
        MUST(c->oldest->older == NULL);
        forget(c, c->oldest);
    }
    return c->count;
}
