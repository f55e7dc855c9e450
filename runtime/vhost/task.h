/* SPDX-License-Identifier: Apache-2.0 */
/* task.h – one request in the hands of a Lua function.
 * Runs in: vhost. A task begins with the handler and ends when its stream is gone. */
#ifndef LUTTPD_VHOST_TASK_H
#define LUTTPD_VHOST_TASK_H

#include "vhost/answer.h"
#include "vhost/header_list.h"

enum task_wait {
    TASK_RUNS,        /* or has not begun, or has ended */
    TASK_WAITS_BODY,  /* for content of the request */
    TASK_WAITS_WRITE, /* for room or credit */
};

struct task {
    struct vhost *vhost;
    struct stream *stream;
    struct task *next; /* in the pool */
    lua_State *co;     /* NULL once the handler has returned */
    enum task_wait wait;
    const char *where; /* of the route, borrowed from the site */
    uint8_t *payload;  /* owned copy of OPEN, made where the handler waits */
    uint32_t payload_bytes, payload_room;
    bool payload_kept; /* it belongs to this request */
    bool error_page;   /* the function is one of errors { } */
    size_t capture_count;
    struct route_capture captures[ROUTE_CAPTURES_MAX];

    /* the answer that the handler is making */
    uint16_t status;      /* 0: not set */
    uint16_t fail_status; /* from res:error: answered when the handler returns */
    bool answered;        /* text, html, json, redirect or error was called */
    bool head_request;
    int anchor; /* keeps a string alive that is being sent */
    struct header_list headers;
};

/** Runs a handler. match: its captures, NULL for none. status: preset, 0 for none. where: borrowed.
 * allow: a field to preset, NULL for none. m: the request, current in v->current or kept by the task
 * that the stream has already (an error page). */
void task_start(struct vhost *v, struct stream *s, int handler, const struct route_match *match,
                unsigned status, const char *where, const char *allow);

/** Continues after content of the request has come, or after all that waited was sent. */
void task_readable(struct task *t);
void task_writable(struct task *t);

/** The handler waits for too long: abandons it and answers for it. */
void task_expire(struct task *t);

/** The stream is gone: abandons the handler, and the task. */
void task_free(struct task *t);

/** The request, decoded. Valid until another request is decoded, so for the caller only. */
const struct message_open *task_open(struct task *t);

/** For host functions: the task of the object at index. Raises where its request is over, or where
 * its handler has returned. */
struct task *task_check(lua_State *L, int index);

/** Whether index holds what task_check wants; then *out is set, NULL where it is over. */
bool task_test(lua_State *L, int index, struct task **out);

/** The next content of the request, pushed as a string: returns 1 where one was pushed, 0 where no more
 * will come, -1 where the caller must wait. */
int task_push_content(struct task *t, lua_State *L);

/** For host functions: waits for the event. `return task_wait(...)`. */
int task_wait(struct task *t, lua_State *L, enum task_wait what);

/* lua_request.c, lua_response.c: fill the metatables whose references struct vhost keeps. */
void lua_request_register(struct vhost *v);
void lua_response_register(struct vhost *v);

/** Sends what the response is, without content. Returns as answer_head does. */
int lua_response_head(struct task *t, uint64_t length);

#endif
