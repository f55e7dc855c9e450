/* SPDX-License-Identifier: Apache-2.0 */
/* plan_rules.c – what one record of a plan may say.
 * Runs in: master. Distrusts: config, which has read what the admin and packages wrote. */
#include "master/plan_rules.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "schema/processes.h"

#define FIRST_ACCOUNT 1000    /* below are the system's own accounts and groups */
#define GROUP_USERS 100       /* the one group below them that gives no privilege */
#define FIRST_AUTOMATIC 65536 /* where the range of automatic users may begin */
#define NOBODY 65534
#define UNIX_PATH_MAX_BYTES 107
#define PROCESSES_MAX 64

static bool path_is_absolute(struct slice path) {
    return path.n > 0 && path.n < PATH_MAX && path.p[0] == '/' && memchr(path.p, '\0', path.n) == NULL;
}

/* Safe as a directory's name: [a-z0-9] first, so never ".", "..", or hidden. */
static bool name_is_safe(struct slice name) {
    if (name.n == 0 || name.n > MESSAGE_PLAN_VHOST_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (i == 0 || (c != '-' && c != '_' && c != '.'))) {
            return false;
        }
    }
    return true;
}

const char *plan_rules_server(const struct message_plan_server *m) {
    if (!path_is_absolute(m->logs)) {
        return "the log directory is not absolute";
    }
    if (m->listens == 0 || m->listens > PLAN_LISTENS_MAX) {
        return "it listens on no socket, or on too many";
    }
    return m->vhosts > PLAN_VHOSTS_MAX ? "it has too many vhosts" : NULL;
}

const char *plan_rules_listen(const struct message_plan_listen *m) {
    bool unix_path = m->family == FAMILY_UNIX && m->address.n <= UNIX_PATH_MAX_BYTES &&
                     path_is_absolute(m->address) && m->port == 0;
    if (!unix_path && !(m->family == FAMILY_INET && m->address.n == 4) &&
        !(m->family == FAMILY_INET6 && m->address.n == 16)) {
        return "an address does not fit its family";
    }
    if (m->processes == 0 || m->processes > PROCESSES_MAX) {
        return "a socket has no listener process, or too many";
    }
    return NULL;
}

static bool is_role_user(uid_t id) {
    for (int role = 0; role < ROLE_COUNT; role++) {
        if (role_facts[role].reserved_uid == id) {
            return true;
        }
    }
    return false;
}

static const char *check_user(const struct plan_rules *rules, const struct message_plan_vhost *m) {
    if (m->uid == 0 || m->gid == 0) {
        return "a vhost would run as root";
    }
    if (rules->single_user) {
        return m->uid == rules->uid && m->gid == rules->gid ? NULL : "a vhost would not run as the caller";
    }
    if (m->uid == (uid_t)-1 || m->gid == (gid_t)-1 || m->uid == NOBODY || m->gid == NOBODY) {
        return "a vhost would run as nobody";
    }
    if (is_role_user(m->uid) || is_role_user(m->gid)) {
        return "a vhost would run as one of luttpd's own users";
    }
    if (m->automatic && (m->uid < FIRST_AUTOMATIC || m->gid != m->uid)) {
        return "an automatic user is outside the reserved range";
    }
    if (m->uid < FIRST_ACCOUNT || (m->gid < FIRST_ACCOUNT && m->gid != GROUP_USERS)) {
        return "a vhost would run as an account or group of the system";
    }
    return NULL;
}

const char *plan_rules_vhost(const struct plan_rules *rules, const struct message_plan_vhost *m) {
    if (m->vhost == 0 || !name_is_safe(m->name)) {
        return "a vhost has no number, or a name that is not safe";
    }
    if (!path_is_absolute(m->root)) {
        return "a root is not absolute";
    }
    if (m->memory_bytes == 0 || m->memory_bytes > UINT64_MAX / 16 || m->cpu_ms == 0 || m->wall_ms == 0) {
        return "a limit is missing";
    }
    return check_user(rules, m);
}

static int by_name(const void *a, const void *b) {
    struct slice x = (*(const struct message_plan_vhost *const *)a)->name;
    struct slice y = (*(const struct message_plan_vhost *const *)b)->name;
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order != 0 ? order : (x.n > y.n) - (x.n < y.n);
}

static int by_user(const void *a, const void *b) {
    uint32_t x = (*(const struct message_plan_vhost *const *)a)->uid;
    uint32_t y = (*(const struct message_plan_vhost *const *)b)->uid;
    return (x > y) - (x < y);
}

const char *plan_rules_between(const struct plan_rules *rules, struct plan *plan) {
    const struct message_plan_vhost **sorted = plan->sorted;
    for (size_t i = 0; i < plan->vhost_count; i++) {
        sorted[i] = &plan->vhosts[i];
    }
    qsort(sorted, plan->vhost_count, sizeof *sorted, by_name);
    for (size_t i = 1; i < plan->vhost_count; i++) {
        if (by_name(&sorted[i - 1], &sorted[i]) == 0) {
            return "two vhosts have one name";
        }
    }
    qsort(sorted, plan->vhost_count, sizeof *sorted, by_user);
    for (size_t i = 1; i < plan->vhost_count; i++) {
        bool same = sorted[i - 1]->uid == sorted[i]->uid;
        bool may = rules->single_user || (sorted[i - 1]->shared_user && sorted[i]->shared_user);
        if (same && !may) {
            return "two vhosts have one user and do not say shared_user";
        }
    }
    return NULL;
}
