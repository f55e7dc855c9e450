/* SPDX-License-Identifier: Apache-2.0 */
/* route_table.h – which of a site's routes answers a path and method.
 * Runs in: vhost. Distrusts: the path (it may hold any byte but NUL); patterns are the owner's.
 *
 * A pattern begins with / and is read segment by segment:
 *   literal   matches itself
 *   :name     matches one segment that is not empty
 *   *         only last: matches the rest, which may be empty or hold slashes
 * At every segment a literal beats :name, which beats *. Of the patterns that match, the most
 * specific one that answers the method wins; so "post /contact" leaves GET to "files /".
 */
#ifndef LUTTPD_VHOST_ROUTE_TABLE_H
#define LUTTPD_VHOST_ROUTE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define ROUTE_CAPTURES_MAX 16
#define ROUTE_SEGMENTS_MAX 32
#define ROUTES_MAX 4096

/** Methods as a set. METHOD_OTHER stands for every method that has no bit of its own. */
enum method {
    METHOD_GET = 1 << 0,
    METHOD_HEAD = 1 << 1,
    METHOD_POST = 1 << 2,
    METHOD_PUT = 1 << 3,
    METHOD_PATCH = 1 << 4,
    METHOD_DELETE = 1 << 5,
    METHOD_OPTIONS = 1 << 6,
    METHOD_OTHER = 1 << 7,
};
#define METHODS_ALL 0xffu

/** The bit of a method's name; METHOD_OTHER where it has none. Case matters, as in RFC 9110. */
unsigned method_from_name(struct slice name);

/** Writes "GET, HEAD, ..." for a set, NUL-terminated. room: at least METHODS_TEXT_MAX. */
#define METHODS_TEXT_MAX 64
size_t methods_to_text(unsigned methods, char *out, size_t room);

/** Part of the path that a pattern's :name or * matched. name: borrowed from the table; "*" for *. */
struct route_capture {
    struct slice name;
    uint16_t start; /* offset in the path */
    uint16_t length;
};

struct route_match {
    uint32_t target;  /* what route_table_add was given */
    unsigned allowed; /* methods of every pattern that matches the path */
    size_t capture_count;
    struct route_capture captures[ROUTE_CAPTURES_MAX];
};

enum route_verdict { ROUTE_FOUND, ROUTE_WRONG_METHOD, ROUTE_NOT_FOUND };

struct route_table;

/** Returns an empty table, owned by the caller, or NULL (out of memory). */
struct route_table *route_table_new(void);
void route_table_free(struct route_table *t);

/** Adds a route. pattern: borrowed, copied. methods: not empty.
 * Returns NULL, or what is wrong with the pattern, a text that lives as long as the program. A
 * pattern that another route has for one of the methods is a conflict; *rival is its target then,
 * else unchanged. */
const char *route_table_add(struct route_table *t, struct slice pattern, unsigned methods, uint32_t target,
                            uint32_t *rival);

/** Finds the route. path: at most 65535 bytes. out->target and captures are set where it returns
 * ROUTE_FOUND, out->allowed always, counting patterns that come after the one found only where
 * none answered. Takes time bounded by the number of routes, whatever the path. */
enum route_verdict route_table_find(const struct route_table *t, struct slice path, unsigned method,
                                    struct route_match *out);

#endif
