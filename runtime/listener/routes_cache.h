/* SPDX-License-Identifier: Apache-2.0 */
/* routes_cache.h – the router's answers, each remembered exactly as far as it says.
 * Runs in: listener. Distrusts: hosts, paths and values, which strangers choose: the hash is keyed, the
 * size fixed, and whatever is too long to be kept is not remembered. Pure but for malloc.
 *
 * A host's entry holds the answer for all of the host, or marks that say which others exist for it:
 * whole paths, and prefixes by their number of segments. The longest is tried first. Any of them may be
 * a selector: the answer then depends on a cookie or field, and stands in an entry of its value.
 * An entry alone is always right; one that is lost costs a question. */
#ifndef LUTTPD_LISTENER_ROUTES_CACHE_H
#define LUTTPD_LISTENER_ROUTES_CACHE_H

#include <stdint.h>

#include "route/siphash.h"
#include "schema/messages.h"

#define ROUTE_CACHE_SLOTS 1024 /* answers that are remembered */
#define ROUTE_CACHE_WAYS 4     /* places where one may stand: few push each other out */
#define ROUTE_KEY_MAX 352      /* bytes of host, prefix or path, and value together */
#define ROUTE_VALUE_MAX 64     /* bytes of a selector's value */
#define ROUTE_DEPTH_MAX 14     /* segments of a prefix */
#define ROUTE_CHOICES_MAX 8

/** What the router said, after it was judged. */
struct route_answer {
    enum verdict verdict;
    bool by_client, keep_path;
    uint16_t choices; /* VERDICT_VHOST: 1 to ROUTE_CHOICES_MAX */
    uint16_t status, keep_from;
    uint32_t retry_s;
    uint32_t index[ROUTE_CHOICES_MAX]; /* of the vhosts in the host map */
    uint32_t weights[ROUTE_CHOICES_MAX];
    struct slice location, text;
};

/** How far it holds. */
struct route_scope {
    enum reuse reuse;
    uint16_t prefix_bytes;
    uint32_t reuse_ms;
    enum selector selector;
    struct slice selector_name;
};

/** What a request says. All borrowed. */
struct route_question {
    struct slice host, path; /* path begins with a slash and holds no empty segments */
    const struct field *fields;
    size_t fields_count;
};

/** What was found: one vhost, or an answer that lives until the next call. */
struct route_found {
    uint32_t index;
    const struct route_answer *answer; /* NULL: the vhost of that index answers */
};

struct route_entry;

struct route_cache {
    struct siphash_key key;
    struct route_entry *entries; /* owned */
};

/** getrandom, so before the cage closes. Returns 0 or -errno. */
int route_cache_init(struct route_cache *cache);

/** Forgets everything, and frees all but the table. */
void route_cache_clear(struct route_cache *cache);
void route_cache_deinit(struct route_cache *cache);

/** Finds what is remembered for the question. now: uv_now. Returns whether anything is. */
bool route_cache_find(struct route_cache *cache, const struct route_question *q, uint64_t now,
                      struct route_found *out);

/** Remembers the answer to this question. answer and scope: borrowed, judged; a prefix ends at a
 * segment's border. */
void route_cache_remember(struct route_cache *cache, const struct route_question *q,
                          const struct route_answer *answer, const struct route_scope *scope, uint64_t now);

/** How many segments a path has. */
unsigned route_segments(struct slice path);

#endif
