/* SPDX-License-Identifier: Apache-2.0 */
/* sites.h – whose logs there are: every vhost of the route map, and the server itself.
 * Runs in: logger. Distrusts: the route map's content. */
#ifndef LUTTPD_LOGGER_SITES_H
#define LUTTPD_LOGGER_SITES_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "logger/line.h"

#define SITES_SERVER_NAME "_server" /* directory of the server's own logs; no vhost's name */
#define SITES_NAME_MAX 64

struct log_file;

struct site {
    uint64_t vhost;                     /* 0 for the server */
    struct slice name;                  /* points into the route map */
    struct log_file *files[LINE_KINDS]; /* NULL until the first record */
};

struct sites {
    struct site *items; /* owned; in order of vhost, the server first; never moves again */
    size_t count;
};

/** Reads every ROUTE_VHOST. map: borrowed for as long as the sites live; must not change.
 * Returns 0, -ENOMEM, or -EBADMSG: malformed, a number twice or 0, a name that is no file name. */
int sites_init(struct sites *s, const uint8_t *map, size_t size);

void sites_deinit(struct sites *s);

/** The site of this vhost, 0 being the server, or NULL. */
struct site *sites_find(const struct sites *s, uint64_t vhost);

#endif
