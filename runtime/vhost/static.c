/* SPDX-License-Identifier: Apache-2.0 */
/* static.c – files and redirects: answers without Lua.
 * Runs in: vhost. Distrusts: path, query and fields of the request. */
#include "base/clock.h"
#include "vhost/answer.h"
#include "vhost/reply.h"

#define SWEEP_MS 5000

static void on_sweep(uv_timer_t *timer) {
    struct vhost *v = timer->data;
    if (open_cache_sweep(v->files.cache, uv_now(&v->loop)) == 0) {
        (void)uv_timer_stop(timer);
    }
}

static struct slice field_of(const struct message_open *m, struct slice name) {
    for (size_t i = 0; i < m->fields_count; i++) {
        if (slice_equal(m->fields[i].name, name)) {
            return m->fields[i].value;
        }
    }
    return (struct slice){NULL, 0};
}

/* RFC 9110, section 13.1.3. Most clients send back the very text that they got. */
static bool is_unchanged(const struct message_open *m, const struct open_file *file) {
    struct slice since = field_of(m, SLICE("if-modified-since"));
    int64_t seconds;
    if (since.p == NULL || field_of(m, SLICE("if-none-match")).p != NULL) {
        return false;
    }
    if (slice_equal(since, slice_from(file->last_modified, HTTP_DATE_BYTES))) {
        return true;
    }
    int64_t now = (int64_t)(clock_realtime_us() / 1000000u);
    return http_date_parse(since, now, &seconds) == 0 && seconds >= file->modified && seconds <= now;
}

static void send_file(struct vhost *v, struct stream *s, const struct message_open *m, const struct target *t,
                      struct open_file *file) {
    struct field fields[3] = {{SLICE("content-type"), file->media_type},
                              {SLICE("last-modified"), slice_from(file->last_modified, HTTP_DATE_BYTES)},
                              {SLICE("cache-control"), t->cache_control}};
    size_t count = t->cache_control.n > 0 ? 3 : 2;
    bool unchanged = is_unchanged(m, file);
    bool bodiless = unchanged || slice_equal(m->method, SLICE("HEAD"));
    uint64_t length = unchanged ? LENGTH_UNKNOWN : file->size;
    /* 304 leaves out what describes the content that is not there (section 15.4.5) */
    int rc =
        answer_head(v, s, unchanged ? 304 : 200, length, fields + unchanged, count - unchanged, bodiless);
    if (rc != 0) {
        open_file_release(file);
        reply_reset(s, REASON_INTERNAL);
        return;
    }
    reply_file(s, file);
    reply_finish(s);
}

static void send_location(struct vhost *v, struct stream *s, unsigned status) {
    struct slice to = location_end(&v->location);
    const struct field field = {SLICE("location"), to};
    if (to.n == 0) {
        error_page_answer(v, s, 414, NULL);
        return;
    }
    if (answer_head(v, s, status, 0, &field, 1, false) != 0) {
        reply_reset(s, REASON_INTERNAL);
        return;
    }
    reply_finish(s);
}

static void redirect_to_slash(struct vhost *v, struct stream *s, const struct message_open *m) {
    location_begin(&v->location);
    location_add_path(&v->location, m->path);
    location_add(&v->location, SLICE("/"));
    location_add_query(&v->location, m->query);
    send_location(v, s, 301);
}

void static_answer_file(struct vhost *v, struct stream *s, const struct message_open *m,
                        const struct target *t, const struct route_match *match) {
    struct open_file *file;
    if (match->capture_count == 0) { /* files "/docs" was asked for "/docs" itself */
        redirect_to_slash(v, s, m);
        return;
    }
    const struct route_capture *c = &match->captures[0];
    switch (files_open(&v->files, &t->mount, m->path, slice_from(m->path.p + c->start, c->length),
                       uv_now(&v->loop), &file)) {
    case FILES_OPEN:
        if (!uv_is_active((uv_handle_t *)&v->sweep)) {
            (void)uv_timer_start(&v->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
        }
        send_file(v, s, m, t, file);
        break;
    case FILES_DIRECTORY:
        redirect_to_slash(v, s, m);
        break;
    case FILES_NOT_FOUND:
        error_page_answer(v, s, 404, NULL);
        break;
    case FILES_FORBIDDEN:
        error_page_answer(v, s, 403, NULL);
        break;
    case FILES_BUSY:
        error_page_answer(v, s, 503, NULL);
        break;
    }
}

void static_answer_redirect(struct vhost *v, struct stream *s, const struct message_open *m,
                            const struct target *t, const struct route_match *match) {
    location_begin(&v->location);
    location_expand(&v->location, t->to, m->path, match);
    if (memchr(t->to.p, '?', t->to.n) == NULL && memchr(t->to.p, '#', t->to.n) == NULL) {
        location_add_query(&v->location, m->query);
    }
    send_location(v, s, t->status);
}
