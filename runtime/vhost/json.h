/* SPDX-License-Identifier: Apache-2.0 */
/* json.h – Lua values as JSON text (RFC 8259) and back.
 * Runs in: vhost. Distrusts: the values (cycles, depth, odd numbers, bytes that are not UTF-8) and
 * the text. A table with keys 1..n is an array, one with string keys an object, an empty one an
 * object unless json.array marked it; anything else is refused rather than guessed. */
#ifndef LUTTPD_VHOST_JSON_H
#define LUTTPD_VHOST_JSON_H

#include <lua.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 64
#define JSON_MAX_BYTES (16u << 20)

/** Encodes the value at index into *bytes, a malloc'ed buffer of *room bytes that grows as needed and
 * stays the caller's. Returns NULL with *n set, or what is wrong, a static text. Never raises. */
const char *json_encode(lua_State *L, int index, char **bytes, size_t *room, size_t *n);

/** Frees a buffer that has grown beyond what is worth keeping. */
void json_shrink(char **bytes, size_t *room);

/** Pushes the value of text. Returns NULL, or what is wrong, a static text with nothing pushed and *at
 * set to the offset. null becomes json.null. May raise where memory runs out. */
const char *json_decode(lua_State *L, const char *text, size_t n, size_t *at);

/** Pushes a table { encode, decode, array, null } for scripts. */
void json_push_library(lua_State *L);

/** The Lua function json.decode: text in; the value out, or nil and what is wrong at which byte. */
int json_decode_function(lua_State *L);

#endif
