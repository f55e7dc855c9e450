/* SPDX-License-Identifier: Apache-2.0 */
/* deadline.c – ends an entry into Lua that takes too long. Runs in: every process that hosts Lua.
 *
 *   CPU clock of the VM's thread ── tick every few ms of its CPU time ──► SIGPROF on that thread
 *     same entry as at the last tick: count; enough of them: overtime
 *       lua_sethook(on_hook)    the interpreter raises at its next instruction or call
 *       LuaJIT's own handler    compiled code leaves its trace at the next profiler poll
 *     every further tick does it again, so a lost race costs one tick
 *     hard_cpu_ms, where there is one, and still the same entry: C code without a budget, such as a match of
 *     lpeg's, does not come back to Lua. Only the process can be ended
 *
 * The timer runs for ever and costs nothing while the thread sleeps, because its clock stands still:
 * neither entering Lua nor going to sleep needs a system call.
 * The profiler is started only for the polls that it puts into compiled code (mode l); its own timer
 * is stopped at once. Its state is global in LuaJIT: one VM per process. */
#include <errno.h>
#include <lauxlib.h>
#include <luajit.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/interrupted.h"
#include "base/must.h"
#include "script/state.h"

#define TICKS_PER_DEADLINE 10
#define TICK_MAX_MS 10
#define TICK_MIN_MS 1
#define ALL_EVENTS (LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT)
#define PROFILER_MODE "li1000000000"
#define DISPATCH_UPDATE_MAX_BYTES 1024 /* its code is under 800 bytes long; more does no harm */

extern void lj_dispatch_update(void *global_state); /* of LuaJIT; see CMakeLists.txt; not called here */

_Noreturn static void stop(struct script *s, lua_State *L) {
    script_describe_interrupt(s, L);
    lua_pushlightuserdata(L, s);
    lua_error(L);
    __builtin_unreachable();
}

/* For long loops in C, where the hook cannot fire. */
void script_give_way(lua_State *L) {
    struct script *s = script_of(L);
    if (s->running && s->overtime) {
        stop(s, L);
    }
}

/* Raises in whatever coroutine runs; stays set until the entry returns, so a pcall only delays it. */
static void on_hook(lua_State *L, lua_Debug *unused) {
    (void)unused;
    struct script *s = script_of(L);
    if (!script_interrupted(s)) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    if (!s->overtime && script_memory_regain(s)) {
        s->oversize = 0;
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    stop(s, L);
}

void script_interrupt(struct script *s) {
    lua_sethook(s->L, on_hook, ALL_EVENTS, 1);
    if (s->poll != NULL) {
        s->poll(SIGPROF);
    }
}

/* LuaJIT rewrites its dispatch table in this one function, which calls nothing. Where the signal meets
 * it, setting a hook would leave a table that agrees with none of its flags and that nothing would
 * rewrite: hooks would be off for the rest of the process. The next tick will do. */
void script_interrupt_from_signal(struct script *s, const void *context) {
    uintptr_t begin = (uintptr_t)lj_dispatch_update;
    if (interrupted_at(context) - begin >= DISPATCH_UPDATE_MAX_BYTES) {
        script_interrupt(s);
    }
}

/* The entry is over: the handler sees running == 0 before the hook goes. */
void script_calm(struct script *s) {
    MUST(!s->running);
    lua_sethook(s->L, NULL, 0, 0);
}

bool script_interrupted(const struct script *s) {
    return s->running && (s->overtime || s->oversize);
}

static void on_tick(int number, siginfo_t *info, void *context) {
    (void)number;
    if (info->si_code != SI_TIMER) {
        return;
    }
    struct script *s = info->si_value.sival_ptr;
    if (!s->running) {
        return;
    }
    if (s->seen != s->entry) {
        s->seen = s->entry;
        s->ticks = 0;
        return;
    }
    s->ticks += 1 + info->si_overrun;
    if (s->ticks >= s->ticks_max) {
        s->overtime = 1;
    }
    if (s->ticks_hard > 0 && s->ticks >= s->ticks_max + s->ticks_hard) {
        _exit(SCRIPT_EXIT_STUCK);
    }
    if (s->overtime || s->oversize) {
        script_interrupt_from_signal(s, context);
    }
}

static void no_samples(void *data, lua_State *L, int samples, int state) {
    (void)data, (void)L, (void)samples, (void)state;
}

/* Puts polls into compiled code and takes the function that trips them. LuaJIT starts its profiler
 * silently or, where another VM of this process has it, silently not. */
static int take_polls(struct script *s) {
    struct sigaction before, theirs, none = {.sa_handler = SIG_IGN};
    MUST(sigaction(SIGPROF, &none, &before) == 0);
    luaJIT_profile_start(s->L, PROFILER_MODE, no_samples, NULL);
    MUST(sigaction(SIGPROF, NULL, &theirs) == 0);
    if (theirs.sa_handler == SIG_IGN) {
        MUST(sigaction(SIGPROF, &before, NULL) == 0);
        return -EBUSY;
    }
    struct itimerval never = {{0, 0}, {0, 0}};
    MUST(setitimer(ITIMER_PROF, &never, NULL) == 0);
    s->poll = theirs.sa_handler;
    return 0;
}

static unsigned tick_ms(unsigned cpu_ms) {
    unsigned ms = cpu_ms / TICKS_PER_DEADLINE;
    return ms > TICK_MAX_MS ? TICK_MAX_MS : ms < TICK_MIN_MS ? TICK_MIN_MS : ms;
}

void script_set_cpu(struct script *s, uint32_t cpu_ms) {
    unsigned ms = tick_ms(s->options.cpu_ms);
    MUST(!s->running);
    s->cpu_ms = cpu_ms;
    s->ticks_max = (sig_atomic_t)((cpu_ms + ms - 1) / ms);
}

int script_deadline_start(struct script *s) {
    if (s->options.jit) {
        int rc = take_polls(s);
        if (rc < 0) {
            return rc;
        }
    }
    struct sigaction mine = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&mine.sa_mask);
    MUST(sigaction(SIGPROF, &mine, NULL) == 0);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    event.sigev_value.sival_ptr = s;
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &s->timer) != 0) {
        return -errno;
    }
    s->timer_made = true;
    unsigned ms = tick_ms(s->options.cpu_ms);
    script_set_cpu(s, s->options.cpu_ms);
    s->ticks_hard = (sig_atomic_t)(s->options.hard_cpu_ms / ms);
    struct timespec every = {0, (long)ms * 1000000};
    struct itimerspec periodic = {every, every};
    return timer_settime(s->timer, 0, &periodic, NULL) == 0 ? 0 : -errno;
}

void script_deadline_stop(struct script *s) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (s->poll != NULL) {
        luaJIT_profile_stop(s->L); /* puts back the handler it found */
        s->poll = NULL;
    }
    if (s->timer_made) {
        timer_delete(s->timer);
        s->timer_made = false;
        MUST(sigaction(SIGPROF, &ignore, NULL) == 0);
    }
}
