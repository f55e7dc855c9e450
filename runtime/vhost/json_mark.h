/* SPDX-License-Identifier: Apache-2.0 */
/* json_mark.h – how null and empty arrays look in Lua. Runs in: vhost. For json_*.c only. */
#ifndef LUTTPD_VHOST_JSON_MARK_H
#define LUTTPD_VHOST_JSON_MARK_H

#include <stdbool.h>

#include "vhost/json.h"

/** The address that stands for null, as a light userdata. */
void *json_null(void);

/** Whether json.array has marked the table at index. */
bool json_is_array(lua_State *L, int index);

/** Marks the table on top as an array. */
void json_mark_array(lua_State *L);

#endif
