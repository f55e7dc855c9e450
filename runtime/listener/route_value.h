/* SPDX-License-Identifier: Apache-2.0 */
/* route_value.h – what a request says that a route may depend on: a cookie, a field.
 * Runs in: listener. Distrusts: the fields. Pure. The router reads them alike (lua/routing/says.lua):
 * of several the first counts. */
#ifndef LUTTPD_LISTENER_ROUTE_VALUE_H
#define LUTTPD_LISTENER_ROUTE_VALUE_H

#include "base/slice.h"

/** The value of the first cookie of this name. fields: borrowed, names in lower case; value points
 * into them. Returns false, value untouched, where there is none. */
bool route_value_cookie(const struct field *fields, size_t count, struct slice name, struct slice *value);

/** The same for the first field of this name. */
bool route_value_field(const struct field *fields, size_t count, struct slice name, struct slice *value);

#endif
