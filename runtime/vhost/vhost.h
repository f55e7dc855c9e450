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
#include "vhost/files.h"
#include "vhost/location.h"
#include "vhost/route_table.h"

#define VHOST_ERROR_PAGES_MAX 64

struct task;

enum target_kind { TARGET_HANDLER, TARGET_FILES, TARGET_REDIRECT };

/** What a route leads to. Texts are owned and live as long as the process. */
struct target {
    enum target_kind kind;
    char *where;              /* "vhost.lua:12" */
    int handler;              /* TARGET_HANDLER: reference to the function */
    struct files_mount mount; /* TARGET_FILES */
    struct slice cache_control; /* TARGET_FILES: empty for none */
    struct slice to;          /* TARGET_REDIRECT */
    uint16_t status;          /* TARGET_REDIRECT */
};

/** What errors { [404] = ... } declares. */
struct error_page {
    uint16_t status;
    int handler;       /* LUA_NOREF where it is a file */
    struct slice file; /* relative to the root */
};

/** What vhost.lua declared. */
struct site {
    struct route_table *routes;
    struct target **targets;
    size_t target_count;
    struct error_page errors[VHOST_ERROR_PAGES_MAX];
    size_t error_count;
    bool loading; /* verbs are allowed */
    bool broken;  /* vhost.lua failed: every answer is 500 */
};

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
    struct task *tasks;            /* free ones */
    struct message_open decoded;   /* of the request that decoded_for belongs to */
    struct task *decoded_for;
    char *json;                    /* owned buffer of the encoder, kept for the next one */
    size_t json_room;

    struct message_head head;      /* scratch for answers */
    struct location location;      /* scratch for redirects */

    struct log_producer log;
    uv_poll_t *log_poll;
    uv_poll_t control_poll;
    uv_timer_t sweep;  /* closes files that nobody asks for; runs while some are open */
    uv_timer_t drain;  /* the end, while draining */
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

/* site.c */

/** Makes the script's host functions and evaluates vhost.lua. A vhost.lua that fails leaves the site
 * broken, with the reason in the owner's error log. Returns 0, -ENOMEM. */
int site_load(struct vhost *v);

/** script_find_module and script_print of a vhost; context is struct vhost. */
int site_find_module(void *context, const char *name, struct script_source *out);
void site_print(void *context, const char *text, size_t n);

/* verbs.c */

/** Pushes the table of host functions that lua/luttpd/verbs.lua turns into verbs. */
void verbs_push(struct vhost *v);

/** Adds files "/" { dir = "public" }: what a site without vhost.lua does. Returns 0, -ENOMEM. */
int verbs_add_default(struct vhost *v);

/* answer.c */

extern const struct hub_events answer_events;

/** Sends a head through v->head. length: of the content, or LENGTH_UNKNOWN. Fields: borrowed.
 * bodiless: no content may follow. Returns as reply_head does. */
int answer_head(struct vhost *v, struct stream *s, unsigned status, uint64_t length, const struct field *fields,
                size_t count, bool bodiless);

/** The request of a stream: the one at hand, or the copy that its task keeps. NULL: there is none. */
const struct message_open *answer_request_of(struct vhost *v, struct stream *s);

/* static.c */

void static_answer_file(struct vhost *v, struct stream *s, const struct message_open *m, const struct target *t,
                        const struct route_match *match);
void static_answer_redirect(struct vhost *v, struct stream *s, const struct message_open *m, const struct target *t,
                            const struct route_match *match);

/* error_page.c */

/** Answers with the site's page for this status, or a plain one. allow: the value of the allow field,
 * NULL for none; borrowed. Ends the stream, now or, where the page is a function, later. */
void error_page_answer(struct vhost *v, struct stream *s, unsigned status, const char *allow);

/** As above, but never a function: for where a function has failed. */
void error_page_answer_plain(struct vhost *v, struct stream *s, unsigned status);

/** The words that go with a status, as RFC 9110 has them; "Error" where it has none. */
const char *error_page_reason(unsigned status);

/* owner_log.c */

/** Writes a line, or several, to the owner's error log. */
void owner_log(struct vhost *v, enum level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Logs the script's last failure with its traceback. during: what ran, as "get /hello/:name". */
void owner_log_failure(struct vhost *v, const char *during);

#endif
