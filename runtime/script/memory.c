/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c – counts what the VM holds. Runs in: every process that hosts Lua.
 *
 *   used > soft   memory is still given, and the script is interrupted at its next safe point; there
 *                 a full collection decides whether it was garbage only
 *   used > hard   the process ends
 *
 * Refusing an allocation is not an option: with the JIT on, LuaJIT does not survive NULL everywhere. */
#include <string.h>
#include <unistd.h>

#include "base/report.h"
#include "script/state.h"

_Noreturn static void give_up(const char *why) {
    report(REPORT_ERROR, "lua: %s: the process ends", why);
    _exit(SCRIPT_EXIT_MEMORY);
}

static void *counted(void *ud, void *p, size_t old, size_t wanted) {
    struct script *s = ud;
    if (wanted <= old) {
        s->used -= old - wanted;
        return s->alloc(s->alloc_ud, p, old, wanted);
    }
    size_t more = wanted - old;
    if (more > s->hard || s->used > s->hard - more) {
        give_up("hard memory cap");
    }
    void *got = s->alloc(s->alloc_ud, p, old, wanted);
    if (got == NULL) {
        give_up("out of memory");
    }
    s->used += more;
    if (s->used > s->soft && s->running && !s->oversize) {
        s->oversize = 1;
        script_interrupt(s);
    }
    return got;
}

void script_memory_watch(struct script *s) {
    s->used = (size_t)lua_gc(s->L, LUA_GCCOUNT, 0) * 1024 + (size_t)lua_gc(s->L, LUA_GCCOUNTB, 0);
    s->soft = s->options.memory_bytes;
    s->hard = s->soft * SCRIPT_HARD_CAP_FACTOR;
    s->alloc = lua_getallocf(s->L, &s->alloc_ud);
    lua_setallocf(s->L, counted, s);
}

/* lua_close unmaps everything at once only where it finds LuaJIT's own allocator. */
void script_memory_release(struct script *s) {
    lua_setallocf(s->L, s->alloc, s->alloc_ud);
}

/* Collects garbage; true where that brought the VM clearly below the soft cap. An eighth of the cap
 * must come free, so that a script at its limit cannot make every allocation a full collection. */
bool script_memory_regain(struct script *s) {
    lua_gc(s->L, LUA_GCCOLLECT, 0);
    return s->used <= s->soft - s->soft / 8;
}

size_t script_memory_bytes(const struct script *s) {
    return s->used;
}
