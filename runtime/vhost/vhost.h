/* SPDX-License-Identifier: Apache-2.0 */
/* vhost.h – the whole state of one vhost process, and who does what with it.
 * Runs in: vhost, as the owner. Distrusts: listeners, requests, the owner's scripts and files.
 *
 *   control.c   what master says          site.c     vhost.lua and modules into routes
 *   exchange.h  streams to listeners      verbs.c    what the verbs of vhost.lua do
 *   answer.c    request → route → answer  task.c     handlers in coroutines
 *   static.c    files, redirects          lua_request.c, lua_response.c   req and res
 *   error_page.c  answers of 400 and up   owner_log.c   lines for the owner's error log
 */
#ifndef LUTTPD_VHOST_VHOST_H
#define LUTTPD_VHOST_VHOST_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "channel/log_producer.h"
#include "process/process.h"
#include "schema/messages.h"
#include "script/script.h"
#include "vhost/exchange.h"
#include "vhost/location.h"
#include "vhost/site.h"

struct task;

/** The request whose OPEN is being handled in this very moment. */
struct current {
    struct stream *stream; /* NULL outside of the event */
    const struct message_open *open;
    const struct ring_record *record;
};

struct vhost {
    uv_loop_t loop;
    struct process process;
    struct hub hub;
    struct files files;
    struct site site;
    struct current current;

    struct message_start_vhost start; /* start.name points to name */
    char name[MESSAGE_START_VHOST_NAME_MAX + 1];

    struct script_stack stack;
    struct script *script;
    lua_State *L;
    int request_metatable, response_metatable, headers_metatable; /* references */
    struct task *tasks;                                           /* free ones */
    struct message_open decoded; /* of the request that decoded_for belongs to */
    struct task *decoded_for;
    char *json; /* owned buffer of the encoder, kept for the next one */
    size_t json_room;

    struct message_head head; /* scratch for answers */
    struct location location; /* scratch for redirects */

    struct log_producer log;
    uv_poll_t *log_poll;
    uv_poll_t control_poll;
    uv_timer_t sweep; /* closes files that nobody asks for; runs while some are open */
    uv_timer_t drain; /* the end, while draining */
    uint64_t drain_until_ms;
    bool draining;
};

/* control.c */

/** Starts to listen to master. Returns 0 or a libuv error. */
int control_start(struct vhost *v);

/** The logger broke a rule: its channel is given up. */
void control_lose_logger(struct vhost *v);

/** Ends the loop where draining has nothing left to do. Called last in each turn. */
void control_check_drained(struct vhost *v);

#endif
