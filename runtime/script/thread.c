/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c – the coroutines that handlers run in. Runs in: vhost; later router and listener.
 * One that has finished is empty and is used again: making one costs more than a short handler. */
#include "base/must.h"
#include "script/state.h"

/* threads[co] = value on top of the main state, which is popped */
static void remember(struct script *s, lua_State *co) {
    lua_State *L = s->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->threads);
    MUST(lua_pushthread(co) == 0);
    lua_xmove(co, L, 1);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

lua_State *script_thread_take(struct script *s) {
    if (s->pooled > 0) {
        return s->pool[--s->pooled];
    }
    lua_State *co = lua_newthread(s->L);
    lua_pushboolean(s->L, 1);
    remember(s, co);
    lua_pop(s->L, 1);
    return co;
}

void script_thread_give(struct script *s, lua_State *co, bool finished) {
    MUST(s->resumed != co);
    if (finished && lua_status(co) == 0 && s->pooled < SCRIPT_THREAD_POOL) {
        lua_settop(co, 0);
        s->pool[s->pooled++] = co;
        return;
    }
    lua_pushnil(s->L);
    remember(s, co);
}
