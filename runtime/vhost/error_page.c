/* SPDX-License-Identifier: Apache-2.0 */
/* error_page.c – answers of 400 and up: the site's page for the status, or a plain one.
 * Runs in: vhost. A page that fails is replaced by the plain one, never by itself. */
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>

#include "base/accept.h"
#include "base/must.h"
#include "vhost/reply.h"
#include "vhost/task.h"

#define PLAIN_MAX_BYTES 640

const char *error_page_reason(unsigned status) {
    static const struct {
        unsigned status;
        const char *reason;
    } known[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {418, "I'm a teapot"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].status == status) {
            return known[i].reason;
        }
    }
    return "Error";
}

/* The fields that an error answer has beside its content's own. Returns how many were added. */
static size_t add_fields(struct field *fields, unsigned status, const char *allow) {
    size_t n = 0;
    if (allow != NULL) {
        fields[n++] = (struct field){SLICE("allow"), slice_text(allow)};
    }
    if (status == 503) {
        fields[n++] = (struct field){SLICE("retry-after"), SLICE("1")};
    }
    return n;
}

static const char json_page[] = "{\"status\":%u,\"title\":\"%s\",\"request\":\"%016" PRIx64 "\"}\n";

static const char html_page[] =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>%u %s</title>\n"
    "<style>body{font:1.1em system-ui,sans-serif;margin:4em auto;max-width:32em;padding:0 1em}</style>\n"
    "<h1>%u</h1><p>%s</p><p><small>Request %016" PRIx64 "</small></p></html>\n";

static bool prefers_json(const struct message_open *m) {
    for (size_t i = 0; m != NULL && i < m->fields_count; i++) {
        if (slice_equal(m->fields[i].name, SLICE("accept"))) {
            return accept_prefers_json(m->fields[i].value);
        }
    }
    return false;
}

static void answer_plain(struct vhost *v, struct stream *s, unsigned status, const char *allow,
                         bool bodiless) {
    char page[PLAIN_MAX_BYTES];
    bool json = prefers_json(answer_request_of(v, s));
    struct field fields[4] = {
        {SLICE("content-type"), json ? SLICE("application/json") : SLICE("text/html; charset=utf-8")},
        {SLICE("cache-control"), SLICE("no-store")},
    };
    size_t count = 2 + add_fields(fields + 2, status, allow);
    const char *reason = error_page_reason(status);
    int n = json ? snprintf(page, sizeof page, json_page, status, reason, s->request)
                 : snprintf(page, sizeof page, html_page, status, reason, status, reason, s->request);
    MUST(n > 0 && (size_t)n < sizeof page);
    if (answer_head(v, s, status, (uint64_t)n, fields, count, bodiless) != 0) {
        reply_reset(s, REASON_INTERNAL);
        return;
    }
    reply_write_copy(s, slice_from(page, (size_t)n));
    reply_finish(s);
}

/* Returns false where the file cannot be had. */
static bool answer_from_file(struct vhost *v, struct stream *s, const struct error_page *page,
                             const char *allow, bool bodiless) {
    struct open_file *file;
    struct slice key = slice_from(page->file.p - 1, page->file.n + 1); /* a NUL stands before the name */
    if (files_open_named(&v->files, key, page->file, uv_now(&v->loop), &file) != FILES_OPEN) {
        owner_log(v, LEVEL_ERROR, "the error page \"%.*s\" cannot be opened (request %016" PRIx64 ")",
                  (int)page->file.n, page->file.p, s->request);
        return false;
    }
    struct field fields[4] = {{SLICE("content-type"), file->media_type}};
    size_t count = 1 + add_fields(fields + 1, page->status, allow);
    if (answer_head(v, s, page->status, file->size, fields, count, bodiless) != 0) {
        open_file_release(file);
        reply_reset(s, REASON_INTERNAL);
        return true;
    }
    reply_file(s, file);
    reply_finish(s);
    return true;
}

static const struct error_page *find_page(const struct site *site, unsigned status) {
    for (size_t i = 0; i < site->error_count; i++) {
        if (site->errors[i].status == status) {
            return &site->errors[i];
        }
    }
    return NULL;
}

static bool is_head_request(struct vhost *v, struct stream *s) {
    const struct message_open *m = answer_request_of(v, s);
    return m != NULL && slice_equal(m->method, SLICE("HEAD"));
}

void error_page_answer(struct vhost *v, struct stream *s, unsigned status, const char *allow) {
    const struct error_page *page = find_page(&v->site, status);
    const struct task *failed = s->site;
    bool bodiless = is_head_request(v, s);
    if (page != NULL && page->handler == LUA_NOREF && answer_from_file(v, s, page, allow, bodiless)) {
        return;
    }
    if (page != NULL && page->handler != LUA_NOREF && (failed == NULL || !failed->error_page)) {
        task_start(v, s, page->handler, NULL, status, "errors", allow);
        return;
    }
    answer_plain(v, s, status, allow, bodiless);
}

void error_page_answer_plain(struct vhost *v, struct stream *s, unsigned status) {
    answer_plain(v, s, status, NULL, is_head_request(v, s));
}
