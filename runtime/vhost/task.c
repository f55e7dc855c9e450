/* SPDX-License-Identifier: Apache-2.0 */
/* task.c – one request in the hands of a Lua function.
 * Runs in: vhost. Distrusts: the function.
 *
 * req and res are tables that hold only the name of their stream, [1] = serial and index. Every
 * method looks the stream up anew, so a script may keep them for as long as it likes, and forge them:
 * it reaches no more than its own site's requests that are still open.
 */
#include "vhost/task.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdlib.h>

#include "base/must.h"
#include "vhost/reply.h"

#define PAYLOAD_KEEP_BYTES 2048 /* a pooled task's copy of OPEN; larger ones are freed */

static struct task *take_task(struct vhost *v, struct stream *s) {
    struct task *t = v->tasks;
    if (t != NULL) {
        v->tasks = t->next;
    } else if ((t = calloc(1, sizeof *t)) == NULL) {
        return NULL;
    }
    t->vhost = v;
    t->stream = s;
    t->anchor = LUA_NOREF;
    t->payload_kept = t->error_page = false;
    s->site = t;
    return t;
}

static void drop_anchor(struct task *t) {
    if (t->anchor != LUA_NOREF) {
        luaL_unref(t->vhost->L, LUA_REGISTRYINDEX, t->anchor);
        t->anchor = LUA_NOREF;
    }
}

static void drop_thread(struct task *t, bool finished) {
    if (t->co != NULL) {
        script_thread_give(t->vhost->script, t->co, finished);
        t->co = NULL;
    }
    t->wait = TASK_RUNS;
}

void task_free(struct task *t) {
    struct vhost *v = t->vhost;
    drop_thread(t, false);
    drop_anchor(t);
    header_list_clear(&t->headers);
    if (t->payload_room > PAYLOAD_KEEP_BYTES) {
        free(t->payload);
        t->payload = NULL;
        t->payload_room = 0;
    }
    if (v->decoded_for == t) {
        v->decoded_for = NULL;
    }
    t->stream = NULL;
    t->next = v->tasks;
    v->tasks = t;
}

/* The handler waits: OPEN lies in a buffer that the next record overwrites. */
static bool keep_payload(struct task *t) {
    const struct ring_record *record = t->vhost->current.record;
    if (t->payload_kept) {
        return true;
    }
    MUST(t->vhost->current.stream == t->stream);
    if (t->payload_room < record->size) {
        uint32_t room = record->size < PAYLOAD_KEEP_BYTES ? PAYLOAD_KEEP_BYTES : record->size;
        uint8_t *bytes = realloc(t->payload, room);
        if (bytes == NULL) {
            return false;
        }
        t->payload = bytes;
        t->payload_room = room;
    }
    memcpy(t->payload, record->payload, record->size);
    t->payload_bytes = record->size;
    t->payload_kept = true;
    return true;
}

const struct message_open *task_open(struct task *t) {
    struct vhost *v = t->vhost;
    if (v->current.stream == t->stream) {
        return v->current.open;
    }
    MUST(t->payload_kept);
    if (v->decoded_for != t) {
        MUST(message_open_decode(&v->decoded, t->payload, t->payload_bytes) == 0);
        v->decoded_for = t;
    }
    return &v->decoded;
}

static void push_object(lua_State *co, const struct stream *s, int metatable) {
    lua_createtable(co, 1, 0);
    lua_pushnumber(co, (lua_Number)s->serial * STREAMS_MAX + s->index);
    lua_rawseti(co, -2, 1);
    lua_rawgeti(co, LUA_REGISTRYINDEX, metatable);
    lua_setmetatable(co, -2);
}

/* The handler has returned. */
static void conclude(struct task *t) {
    struct vhost *v = t->vhost;
    struct stream *s = t->stream;
    drop_thread(t, true);
    if (t->fail_status != 0) {
        error_page_answer(v, s, t->fail_status, NULL);
    } else if (reply_begun(s)) {
        reply_finish(s);
    } else if (t->error_page) {
        error_page_answer_plain(v, s, t->status);
    } else if (t->status != 0) {
        if (lua_response_head(t, 0) == 0) {
            reply_finish(s);
        } else {
            error_page_answer(v, s, 500, NULL);
        }
    } else {
        owner_log(v, LEVEL_ERROR,
                  "%s: the function returned without an answer; end it with res:text, res:status(204) "
                  "or another method of res (request %016" PRIx64 ")",
                  t->where, s->request);
        error_page_answer(v, s, 500, NULL);
    }
}

static void fail(struct task *t) {
    struct vhost *v = t->vhost;
    const struct message_open *m = task_open(t);
    char during[512];
    (void)snprintf(during, sizeof during, "%.128s, during %.*s %.*s, request %016" PRIx64, t->where,
                   (int)m->method.n, m->method.p, (int)(m->path.n < 160 ? m->path.n : 160), m->path.p,
                   t->stream->request);
    owner_log_failure(v, during);
    drop_thread(t, false);
    if (reply_begun(t->stream)) {
        reply_reset(t->stream, REASON_INTERNAL);
    } else {
        error_page_answer(v, t->stream, 500, NULL);
    }
}

static void resume(struct task *t, int nargs) {
    struct vhost *v = t->vhost;
    t->wait = TASK_RUNS;
    script_label(v->script, t->stream->id);
    switch (script_resume(v->script, t->co, nargs)) {
    case SCRIPT_DONE:
        conclude(t);
        break;
    case SCRIPT_YIELDED:
        lua_settop(t->co, 0);
        if (!keep_payload(t)) {
            drop_thread(t, false);
            reply_reset(t->stream, REASON_INTERNAL);
        }
        break;
    default:
        fail(t);
        break;
    }
}

void task_start(struct vhost *v, struct stream *s, int handler, const struct route_match *match,
                unsigned status, const char *where, const char *allow) {
    struct task *t = s->site != NULL ? s->site : take_task(v, s);
    if (t == NULL) {
        reply_reset(s, REASON_REFUSED);
        return;
    }
    t->where = where;
    t->error_page = status != 0;
    t->status = (uint16_t)status;
    t->fail_status = 0;
    t->answered = false;
    t->head_request = slice_equal(answer_request_of(v, s)->method, SLICE("HEAD"));
    t->capture_count = match != NULL ? match->capture_count : 0;
    if (match != NULL) {
        memcpy(t->captures, match->captures, match->capture_count * sizeof *match->captures);
    }
    header_list_clear(&t->headers);
    if (allow != NULL) {
        (void)header_list_add(&t->headers, SLICE("allow"), slice_text(allow));
    }
    t->co = script_thread_take(v->script);
    lua_rawgeti(t->co, LUA_REGISTRYINDEX, handler);
    push_object(t->co, s, v->request_metatable);
    push_object(t->co, s, v->response_metatable);
    resume(t, 2);
}

int task_push_content(struct task *t, lua_State *L) {
    struct slice unread = stream_unread(t->stream);
    if (unread.n > 0) {
        lua_pushlstring(L, unread.p, unread.n);
        stream_consume(t->stream);
        return 1;
    }
    return t->stream->body.open ? -1 : 0;
}

void task_readable(struct task *t) {
    if (t->wait != TASK_WAITS_BODY) {
        return;
    }
    int rc = task_push_content(t, t->co);
    if (rc == 0) {
        lua_pushnil(t->co);
    }
    if (rc >= 0) {
        resume(t, 1);
    }
}

void task_writable(struct task *t) {
    drop_anchor(t);
    if (t->wait == TASK_WAITS_WRITE) {
        resume(t, 0);
    }
}

void task_expire(struct task *t) {
    bool body = t->wait == TASK_WAITS_BODY;
    drop_thread(t, false);
    if (reply_begun(t->stream)) {
        reply_reset(t->stream, REASON_TIMEOUT);
        return;
    }
    if (!body) {
        owner_log(t->vhost, LEVEL_ERROR,
                  "%s: no answer within the time that the admin allows (request %016" PRIx64 ")", t->where,
                  t->stream->request);
    }
    error_page_answer(t->vhost, t->stream, body ? 408 : 504, NULL);
}

int task_wait(struct task *t, lua_State *L, enum task_wait what) {
    t->wait = what;
    return script_yield(L, 0);
}

bool task_test(lua_State *L, int index, struct task **out) {
    const struct vhost *v = lua_touserdata(L, lua_upvalueindex(1));
    if (!lua_istable(L, index)) {
        return false;
    }
    lua_rawgeti(L, index, 1);
    lua_Number name = lua_tonumber(L, -1);
    lua_pop(L, 1);
    if (!(name >= 0 && name < (lua_Number)STREAMS_MAX * UINT32_MAX)) {
        return false;
    }
    uint64_t number = (uint64_t)name;
    struct stream *s =
        stream_named(&v->hub, (uint32_t)(number % STREAMS_MAX), (uint32_t)(number / STREAMS_MAX));
    struct task *t = s != NULL ? s->site : NULL;
    *out = t != NULL && t->co != NULL ? t : NULL;
    return true;
}

struct task *task_check(lua_State *L, int index) {
    struct task *t = NULL;
    if (!task_test(L, index, &t)) {
        luaL_error(L, "call it with a colon, as in res:text(\"...\")");
    }
    if (t == NULL) {
        luaL_error(L, "this request is over");
    }
    return t;
}
