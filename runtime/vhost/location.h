/* SPDX-License-Identifier: Apache-2.0 */
/* location.h – builds the value of a location field.
 * Runs in: vhost. Distrusts: paths, captures and queries, which come from the client. */
#ifndef LUTTPD_VHOST_LOCATION_H
#define LUTTPD_VHOST_LOCATION_H

#include "vhost/route_table.h"

#define LOCATION_MAX 12288 /* bytes; what is longer is not built */

struct location {
    size_t n;
    bool overflow;
    char text[LOCATION_MAX];
};

void location_begin(struct location *l);

/** Appends text as it stands: the owner's own. */
void location_add(struct location *l, struct slice text);

/** Appends part of a decoded path: what may not stand in a path is percent-encoded. */
void location_add_path(struct location *l, struct slice path);

/** Appends "?" and the query; nothing where it is empty. Bytes no URI may hold are encoded. */
void location_add_query(struct location *l, struct slice query);

/** Appends a URI that a script made: only bytes that no URI may hold are encoded. */
void location_add_uri(struct location *l, struct slice uri);

/** Fills the variable parts of a redirect's target: each :name and * that the match captured.
 * target: as location_check_target approved it. path: what the captures' offsets count from. */
void location_expand(struct location *l, struct slice target, struct slice path, const struct route_match *m);

/** Whether a redirect's target is sound: a path, or an absolute http(s) URI whose authority has
 * no variable part; only printable ASCII. Returns NULL, or what is wrong, a static text. */
const char *location_check_target(struct slice target);

/** The finished value. A value that begins with // would name another host: it is cut to one
 * slash. Returns n = 0 where it overflowed. Lives as long as l. */
struct slice location_end(const struct location *l);

#endif
