/* SPDX-License-Identifier: Apache-2.0 */
/* urlencoded.h – queries and forms as tables. Runs in: vhost. Distrusts: the text. */
#ifndef LUTTPD_VHOST_URLENCODED_H
#define LUTTPD_VHOST_URLENCODED_H

#include <lua.h>

#include "base/slice.h"

#define URLENCODED_PAIRS_MAX 1000 /* what comes after is ignored */

/** Pushes a table of text's names and values, decoded as application/x-www-form-urlencoded. Of
 * values with one name the first counts; a name without "=" has the value "". A percent sign
 * without two hexadecimal digits stands for itself. */
void urlencoded_push(lua_State *L, struct slice text);

/** The same as a function for scripts: one string in, one table out. */
int urlencoded_parse(lua_State *L);

#endif
