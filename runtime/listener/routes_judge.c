/* SPDX-License-Identifier: Apache-2.0 */
/* routes_judge.c – see routes_judge.h. */
#include "listener/routes_judge.h"

#include "route/siphash.h"

/* Verdicts -------------------------------------------------------------------------------------------- */

static bool choices_are_possible(const struct message_route *m) {
    if (m->choices < 1 || m->choices > ROUTE_CHOICES_MAX) {
        return false;
    }
    for (unsigned i = 0; i < m->choices; i++) {
        if (m->weights[i] == 0 || m->vhosts[i] == 0) {
            return false;
        }
    }
    return true;
}

static bool is_location_byte(char c) {
    return c > ' ' && c < 0x7f && memchr("\\\"<>^`{|}", c, 9) == NULL;
}

static bool begins_with(struct slice s, struct slice start) {
    return s.n >= start.n && memcmp(s.p, start.p, start.n) == 0;
}

/* "https://host...", "http://host...", or "/path" that no client takes for a host. */
static bool location_is_possible(struct slice s, bool keeps) {
    for (size_t i = 0; i < s.n; i++) {
        if (!is_location_byte(s.p[i]) || (keeps && (s.p[i] == '?' || s.p[i] == '#'))) {
            return false;
        }
    }
    struct slice https = SLICE("https://"), http = SLICE("http://");
    size_t scheme = begins_with(s, https) ? https.n : begins_with(s, http) ? http.n : 0;
    if (scheme > 0) {
        return s.n > scheme && memchr("/?#:@", s.p[scheme], 5) == NULL;
    }
    return s.n == 0 ? keeps : s.p[0] == '/' && (s.n == 1 || s.p[1] != '/');
}

static bool ends_segment(struct slice path, size_t at) {
    return at <= path.n && (at == path.n || path.p[at] == '/');
}

static bool redirect_is_possible(const struct message_route *m, struct slice path) {
    bool status =
        m->status == 301 || m->status == 302 || m->status == 303 || m->status == 307 || m->status == 308;
    return status && location_is_possible(m->location, m->keep_path) &&
           (!m->keep_path || ends_segment(path, m->keep_from));
}

static bool answer_is_possible(const struct message_route *m) {
    for (size_t i = 0; i < m->text.n; i++) {
        if ((uint8_t)m->text.p[i] < ' ' || m->text.p[i] == 0x7f) {
            return false;
        }
    }
    return m->status == 200 || (m->status >= 400 && m->status <= 599);
}

static bool verdict_is_possible(const struct message_route *m, struct slice path) {
    switch (m->verdict) {
    case VERDICT_VHOST:
        return choices_are_possible(m);
    case VERDICT_REDIRECT:
        return redirect_is_possible(m, path);
    case VERDICT_ANSWER:
        return answer_is_possible(m);
    case VERDICT_NONE:
        return true;
    }
    return false;
}

/* What other requests share must hold the segment behind which the redirect keeps the path: cut within
 * a segment, its rest would join the location's host. */
static bool keeps_within_scope(const struct message_route *m) {
    if (m->verdict != VERDICT_REDIRECT || !m->keep_path || m->keep_from == 0) {
        return true;
    }
    return m->reuse == REUSE_ONCE || m->reuse == REUSE_PATH ||
           (m->reuse == REUSE_PREFIX && m->keep_from <= m->prefix_bytes);
}

static bool scope_is_possible(const struct message_route *m, struct slice path) {
    if (m->reuse == REUSE_PREFIX &&
        (m->prefix_bytes < 2 || !ends_segment(path, m->prefix_bytes) || path.p[m->prefix_bytes - 1] == '/' ||
         route_segments(slice_from(path.p, m->prefix_bytes)) > ROUTE_DEPTH_MAX)) {
        return false;
    }
    return keeps_within_scope(m) && (m->selector == SELECTOR_NONE) == (m->selector_name.n == 0);
}

bool route_judge(const struct message_route *m, struct slice path, struct route_answer *out,
                 struct route_scope *scope) {
    if (!verdict_is_possible(m, path) || !scope_is_possible(m, path)) {
        return false;
    }
    *out = (struct route_answer){
        .verdict = m->verdict,
        .by_client = m->by_client,
        .keep_path = m->keep_path,
        .choices = m->choices,
        .status = m->status,
        .keep_from = m->keep_from,
        .retry_s = m->retry_s,
        .location = m->location,
        .text = m->text,
    };
    memcpy(out->weights, m->weights, sizeof out->weights);
    *scope = (struct route_scope){m->reuse, m->prefix_bytes, m->reuse_ms, m->selector, m->selector_name};
    return true;
}

bool route_index(const struct message_route *m, const struct host_map *map, struct route_answer *out) {
    for (unsigned i = 0; m->verdict == VERDICT_VHOST && i < m->choices; i++) {
        long index = host_map_vhost_index(map, m->vhosts[i]);
        if (index < 0) {
            return false;
        }
        out->index[i] = (uint32_t)index;
    }
    return true;
}

/* Choosing ---------------------------------------------------------------------------------------------- */

uint32_t route_choose(const struct route_answer *answer, uint64_t draw) {
    uint64_t all = 0;
    unsigned i = 0;
    for (unsigned n = 0; n < answer->choices; n++) {
        all += answer->weights[n];
    }
    for (uint64_t at = draw % all; i + 1u < answer->choices && at >= answer->weights[i]; i++) {
        at -= answer->weights[i];
    }
    return answer->index[i];
}

/* The key is no secret: a client that moves to another address may well get another vhost. */
uint64_t route_client_bits(const struct network_client *client) {
    static const struct siphash_key key = {{UINT64_C(0x6c75747470642072), UINT64_C(0x6f7574696e672031)}};
    size_t n = client->family == FAMILY_INET ? 4 : client->family == FAMILY_INET6 ? 8 : 0;
    return siphash(&key, client->address, n);
}

/* Location ---------------------------------------------------------------------------------------------- */

struct writer {
    char *p;
    size_t n, room;
    bool full;
};

static void put(struct writer *w, char c) {
    if (w->n == w->room) {
        w->full = true;
    } else {
        w->p[w->n++] = c;
    }
}

/* What may stand in a path (RFC 3986 section 3.3) but the slash, which stands for itself too. */
static bool is_path_byte(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("/-._~!$&'()*+,;=:@", c) != NULL);
}

static void put_encoded(struct writer *w, struct slice text, bool query) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = (uint8_t)text.p[i];
        if (is_path_byte(c) || (query && (c == '?' || c == '%'))) {
            put(w, (char)c);
        } else {
            put(w, '%');
            put(w, hex[c >> 4]);
            put(w, hex[c & 15]);
        }
    }
}

/* A canonical path holds no empty segments, so what is kept begins with one slash at most; only where
 * nothing but a slash stands before it, two would meet, and name a host. */
size_t route_location(const struct route_answer *answer, struct slice path, struct slice query,
                      char out[ROUTE_LOCATION_MAX]) {
    struct writer w = {out, 0, ROUTE_LOCATION_MAX, false};
    for (size_t i = 0; i < answer->location.n; i++) {
        put(&w, answer->location.p[i]);
    }
    if (answer->keep_path) {
        size_t from = answer->keep_from < path.n ? answer->keep_from : path.n;
        from += from < path.n && w.n > 0 && out[w.n - 1] == '/' ? 1 : 0;
        put_encoded(&w, slice_from(path.p + from, path.n - from), false);
        if (w.n == 0) {
            put(&w, '/');
        }
        if (query.n > 0) {
            put(&w, '?');
            put_encoded(&w, query, true);
        }
    }
    return w.full ? 0 : w.n;
}
