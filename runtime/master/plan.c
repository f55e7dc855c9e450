/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c – reads a sealed plan, record by record, into tables of a fixed size.
 * Runs in: master. Distrusts: config. */
#include "master/plan.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "channel/memfd.h"
#include "channel/record_file.h"
#include "master/plan_rules.h"

struct reading {
    const struct plan_rules *rules;
    struct plan *plan;
    bool begun;
    const char *why; /* the rule that is broken */
};

static int judge(struct reading *r, const char *why) {
    r->why = why;
    return why == NULL ? 0 : -EBADMSG;
}

static int on_server(void *context, const struct message_plan_server *m, struct packet *p) {
    struct reading *r = context;
    (void)p;
    if (r->begun) {
        return judge(r, "it begins twice");
    }
    r->begun = true;
    r->plan->server = *m;
    return judge(r, plan_rules_server(m));
}

static int on_listen(void *context, const struct message_plan_listen *m, struct packet *p) {
    struct reading *r = context;
    struct plan *plan = r->plan;
    (void)p;
    if (!r->begun || plan->listen_count == PLAN_LISTENS_MAX) {
        return judge(r, "it does not begin with the server, or listens on too many sockets");
    }
    plan->listens[plan->listen_count++] = *m;
    plan->listener_count += m->processes;
    if (plan->listener_count > PLAN_LISTENERS_MAX) {
        return judge(r, "it has too many listener processes");
    }
    return judge(r, plan_rules_listen(m));
}

static int on_vhost(void *context, const struct message_plan_vhost *m, struct packet *p) {
    struct reading *r = context;
    struct plan *plan = r->plan;
    (void)p;
    if (!r->begun || plan->vhost_count == PLAN_VHOSTS_MAX) {
        return judge(r, "it does not begin with the server, or has too many vhosts");
    }
    if (plan->vhost_count > 0 && plan->vhosts[plan->vhost_count - 1].vhost >= m->vhost) {
        return judge(r, "the numbers of its vhosts do not rise");
    }
    plan->vhosts[plan->vhost_count++] = *m;
    return judge(r, plan_rules_vhost(r->rules, m));
}

static const struct master_from_config_record handlers = {
    .plan_server = on_server, .plan_listen = on_listen, .plan_vhost = on_vhost};

static int take_records(struct reading *r) {
    struct record_file file;
    struct ring_record record;
    int rc;

    record_file_init(&file, r->plan->bytes, r->plan->size);
    while ((rc = record_file_next(&file, &record)) == 1) {
        rc = master_from_config_record_dispatch(&handlers, r, PHASE_SERVING, record.type, record.payload,
                                                record.size, NULL);
        if (rc != 0) {
            return r->why != NULL ? rc : judge(r, "a record is malformed");
        }
    }
    if (rc != 0 || !r->begun || r->plan->server.listens != r->plan->listen_count ||
        r->plan->server.vhosts != r->plan->vhost_count) {
        return judge(r, "it holds more or fewer records than it says");
    }
    return 0;
}

int plan_open(int fd, const struct plan_rules *rules, struct plan *out, char why[PLAN_WHY_BYTES]) {
    struct reading r = {.rules = rules, .plan = out, .why = "it is not a sealed file"};
    int rc = memfd_map_file(fd, PLAN_FILE_MAX, &out->bytes, &out->size);
    if (rc == 0) {
        r.why = NULL;
        rc = take_records(&r);
    }
    if (rc == 0) {
        rc = judge(&r, plan_rules_between(rules, out));
    }
    if (rc != 0) {
        (void)snprintf(why, PLAN_WHY_BYTES, "%s (listen %zu, vhost %zu)", r.why, out->listen_count,
                       out->vhost_count);
        plan_close(out);
    }
    return rc;
}

ssize_t plan_find_vhost(const struct plan *plan, uint64_t id) {
    size_t low = 0, high = plan->vhost_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (plan->vhosts[middle].vhost < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < plan->vhost_count && plan->vhosts[low].vhost == id ? (ssize_t)low : -1;
}

void plan_close(struct plan *plan) {
    if (plan->bytes != NULL) {
        (void)munmap((void *)(uintptr_t)plan->bytes, plan->size);
    }
    plan->bytes = NULL;
    plan->listen_count = plan->listener_count = plan->vhost_count = 0;
}
