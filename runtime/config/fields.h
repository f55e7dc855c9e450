/* SPDX-License-Identifier: Apache-2.0 */
/* fields.h – reads the checker's result: the fields of the table on top of the Lua stack.
 * Runs in: config. The tables come from our own Lua; what they lack is raised as a Lua error, and so
 * becomes a fault. */
#ifndef LUTTPD_CONFIG_FIELDS_H
#define LUTTPD_CONFIG_FIELDS_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/** The string in a field. It stays in its table, so the slice lives as long as that. */
struct slice field_text(lua_State *L, const char *key);

/** The number in a field: whole, and not above max. Those of field_u16 and field_u32: the type's. */
uint64_t field_number(lua_State *L, const char *key, uint64_t max);
uint16_t field_u16(lua_State *L, const char *key);
uint32_t field_u32(lua_State *L, const char *key);

/** Whether a field is there and not false. */
bool field_boolean(lua_State *L, const char *key);

/** The number of the name that a field holds, among those that name_of gives for 0 to count - 1. */
int field_choice(lua_State *L, const char *key, const char *(*name_of)(int), int count);

/** Pushes the table in a field; returns how many items it has. */
size_t field_push_list(lua_State *L, const char *key);

/** Calls each with every item of the list in a field on top of the stack, and its index from 0. */
void field_each(lua_State *L, const char *key, void (*each)(void *context, lua_State *L, size_t index),
                void *context);

/** Raises an error where a record could not be appended. rc: what the append returned. */
void field_check_append(lua_State *L, int rc);

#endif
