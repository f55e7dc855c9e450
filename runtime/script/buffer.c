/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.c – text that grows while Lua code may run in between. Runs in: processes that host Lua. */
#include "script/buffer.h"

#include <lauxlib.h>
#include <string.h>

void buffer_init(struct buffer *b, lua_State *L, int slot, size_t max) {
    b->L = L;
    b->slot = slot;
    b->max = max;
    b->bytes = b->small;
    b->used = 0;
    b->room = sizeof b->small;
}

static void grow(struct buffer *b, size_t more) {
    size_t wanted = b->used + more;
    if (wanted > b->max) {
        luaL_error(b->L, "resulting string too large");
    }
    size_t room = b->room * 2 > wanted ? b->room * 2 : wanted;
    char *bytes = lua_newuserdata(b->L, room);
    memcpy(bytes, b->bytes, b->used);
    lua_replace(b->L, b->slot);
    b->bytes = bytes;
    b->room = room;
}

void buffer_add(struct buffer *b, const char *bytes, size_t n) {
    if (n > b->room - b->used) {
        grow(b, n);
    }
    memcpy(b->bytes + b->used, bytes, n);
    b->used += n;
}

void buffer_take(struct buffer *b) {
    size_t n;
    const char *bytes = lua_tolstring(b->L, -1, &n);
    buffer_add(b, bytes, n);
    lua_pop(b->L, 1);
}
