/* SPDX-License-Identifier: Apache-2.0 */
/* plan_difference.c – what of a plan cannot change while the server runs.
 * Runs in: master. Distrusts: config, and so the fingerprint that it computes. Records are compared as
 * they are encoded, so that a field which comes to a record later is compared too. */
#include <string.h>

#include "base/must.h"
#include "master/plan.h"

static bool same_listen(const struct message_plan_listen *a, const struct message_plan_listen *b) {
    uint8_t x[MESSAGE_PLAN_LISTEN_MAX], y[MESSAGE_PLAN_LISTEN_MAX];
    size_t n = message_plan_listen_encode(a, x, sizeof x);
    MUST(n > 0);
    return message_plan_listen_encode(b, y, sizeof y) == n && memcmp(x, y, n) == 0;
}

static bool same_vhost(struct message_plan_vhost a, struct message_plan_vhost b) {
    uint8_t x[MESSAGE_PLAN_VHOST_MAX], y[MESSAGE_PLAN_VHOST_MAX];
    a.vhost = b.vhost = 0;
    size_t n = message_plan_vhost_encode(&a, x, sizeof x);
    MUST(n > 0);
    return message_plan_vhost_encode(&b, y, sizeof y) == n && memcmp(x, y, n) == 0;
}

static bool same_listens(const struct plan *a, const struct plan *b) {
    bool same = a->listen_count == b->listen_count;
    for (size_t i = 0; i < a->listen_count && same; i++) {
        same = same_listen(&a->listens[i], &b->listens[i]);
    }
    return same;
}

static bool same_vhosts(const struct plan *a, const struct plan *b) {
    bool same = a->vhost_count == b->vhost_count;
    for (size_t i = 0; i < a->vhost_count && same; i++) {
        same = same_vhost(a->vhosts[i], b->vhosts[i]);
    }
    return same;
}

const char *plan_difference(const struct plan *a, const struct plan *b) {
    if (!slice_equal(a->server.logs, b->server.logs) || a->server.format != b->server.format) {
        return "its logs";
    }
    if (!same_listens(a, b)) {
        return "what it listens on";
    }
    if (!same_vhosts(a, b)) {
        return "its vhosts, or their users, roots or limits";
    }
    return a->server.fingerprint == b->server.fingerprint ? NULL : "the hosts of its vhosts";
}
