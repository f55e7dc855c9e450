/* SPDX-License-Identifier: Apache-2.0 */
/* header_list.h – the field lines of a response while a script makes it.
 * Runs in: vhost. Distrusts: names and values, which may come from a client through a script:
 * none may end the line or speak about framing. */
#ifndef LUTTPD_VHOST_HEADER_LIST_H
#define LUTTPD_VHOST_HEADER_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define HEADER_LIST_MAX 64          /* lines */
#define HEADER_LIST_BYTES_MAX 12288 /* names and values together */

struct header_list {
    size_t count;
    size_t used, room;
    char *bytes; /* owned */
    struct {
        uint16_t name, name_length, value, value_length; /* offsets in bytes */
    } lines[HEADER_LIST_MAX];
};

/** Adds a line; the name is kept in lower case, the value without space around it.
 * Returns NULL, or why not, a static text. */
const char *header_list_add(struct header_list *h, struct slice name, struct slice value);

/** Removes every line with this name, in any case of letters. */
void header_list_remove(struct header_list *h, struct slice name);

/** The first line's value; p is NULL where there is none. Valid until the list changes. */
struct slice header_list_find(const struct header_list *h, struct slice name);

/** Writes all lines to out (room for HEADER_LIST_MAX). Returns how many. */
size_t header_list_fields(const struct header_list *h, struct field *out);

/** Empties the list; keeps its memory unless there is much of it. */
void header_list_clear(struct header_list *h);
void header_list_deinit(struct header_list *h);

#endif
