/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.h – text that grows while Lua code may run in between. Private to runtime/script.
 * Small, it lies in the C frame; then in a userdata in a stack slot of the caller's. luaL_Buffer takes
 * 8 KiB of C stack, and callbacks nest. */
#ifndef LUTTPD_SCRIPT_BUFFER_H
#define LUTTPD_SCRIPT_BUFFER_H

#include <lua.h>
#include <stddef.h>

struct buffer {
    lua_State *L;
    int slot;    /* absolute stack index, free for the buffer */
    size_t max;  /* bytes; more raises "resulting string too large" */
    char *bytes; /* valid until the next call */
    size_t used, room;
    char small[512];
};

void buffer_init(struct buffer *b, lua_State *L, int slot, size_t max);
void buffer_add(struct buffer *b, const char *bytes, size_t n);

/** Adds the string on top of the stack and pops it. */
void buffer_take(struct buffer *b);

#endif
