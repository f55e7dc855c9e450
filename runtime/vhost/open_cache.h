/* SPDX-License-Identifier: Apache-2.0 */
/* open_cache.h – files kept open for the next request.
 * Runs in: vhost. Bounded in number and in time: an entry is believed for OPEN_CACHE_VALID_MS, then
 * the file is opened anew, so that a replaced file shows within a second; the least recently used
 * entry makes room; what nobody asks for is closed within OPEN_CACHE_IDLE_MS. */
#ifndef LUTTPD_VHOST_OPEN_CACHE_H
#define LUTTPD_VHOST_OPEN_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/http_date.h"
#include "base/slice.h"

#define OPEN_CACHE_VALID_MS 1000
#define OPEN_CACHE_IDLE_MS 20000

/** A regular file, open for reading. Shared by references; read it with pread only. */
struct open_file {
    int fd; /* owned */
    uint32_t references;
    uint64_t size;
    int64_t modified;        /* seconds since the epoch */
    struct slice media_type; /* static */
    char last_modified[HTTP_DATE_BYTES];

    /* the cache's own */
    struct open_cache *cache; /* NULL once forgotten */
    uint64_t opened_ms, used_ms;
    uint64_t hash;
    struct open_file *chain;         /* in its bucket */
    struct open_file *newer, *older; /* by last use */
    size_t key_length;
    char key[];
};

struct open_cache;

/** Returns a cache for at most files_max open files, owned by the caller, or NULL. */
struct open_cache *open_cache_new(size_t files_max);

/** Closes every file that nobody else holds. */
void open_cache_free(struct open_cache *c);

/** Returns the file kept under key with a reference for the caller, or NULL: unknown, or too old.
 * now_ms: a monotonic clock, as everywhere here. */
struct open_file *open_cache_find(struct open_cache *c, struct slice key, uint64_t now_ms);

/** Wraps fd, which is taken in every outcome, and keeps it under key (copied) in place of what was
 * there. Returns it with a reference for the caller, or NULL (out of memory). The caller fills in
 * size, modified, media_type and last_modified. */
struct open_file *open_cache_put(struct open_cache *c, struct slice key, int fd, uint64_t now_ms);

/** The file is not what it was: nobody finds it any more. */
void open_cache_forget(struct open_file *f);

/** Forgets what was not used since OPEN_CACHE_IDLE_MS. Returns how many files remain. */
size_t open_cache_sweep(struct open_cache *c, uint64_t now_ms);

/** Forgets the least recently used file, so that a descriptor comes free. False: there is none. */
bool open_cache_shrink(struct open_cache *c);

/** Another reference; gives one up. The last one closes. NULL is fine for release. */
struct open_file *open_file_hold(struct open_file *f);
void open_file_release(struct open_file *f);

#endif
