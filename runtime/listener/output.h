/* SPDX-License-Identifier: Apache-2.0 */
/* output.h – bytes for a client: gathered in a turn, written at its end, kept where its socket is full.
 * Runs in: listener. A vhost's credit bounds what gathers, so a client that never reads holds little. */
#ifndef LUTTPD_LISTENER_OUTPUT_H
#define LUTTPD_LISTENER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct connection;

/** Room for n more bytes at the end of the output, or NULL (out of memory: c was aborted). */
char *output_reserve(struct connection *c, size_t n);
void output_commit(struct connection *c, size_t n);

/** Appends text to the output. Returns false where c was aborted for want of memory. */
bool output_put(struct connection *c, struct slice text);

/** Forgets what is not written and gives back what was allocated for it. */
void output_drop(struct connection *c);

/** Moves what waits out of the request, which is about to be given back. Returns 0 or -ENOMEM: as before. */
int output_detach(struct connection *c);

/** Writes what there is. Returns whether nothing is left to write now; c may be aborted. */
bool output_write(struct connection *c);

#endif
