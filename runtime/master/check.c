/* SPDX-License-Identifier: Apache-2.0 */
/* check.c – what a good plan would still stumble over on this machine.
 * Runs in: master, check mode. */
#include "master/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "master/places.h"

static void print_unreadable(const struct message_plan_vhost *v, uid_t uid, const char *suffix, int error) {
    char path[4 * MESSAGE_PLAN_VHOST_ROOT_MAX + 1];
    notes_escape(path, sizeof path, v->root);
    notes_print("unreadable\t%.*s\t%u\t%s%s\t%s\n", (int)v->name.n, v->name.p, (unsigned)uid, path, suffix,
                strerror(error));
}

static bool check_vhost(const struct master *m, const struct message_plan_vhost *v) {
    bool single = m->options.single_user;
    uid_t uid = single ? geteuid() : v->uid;
    int root = places_open_root(v, single);
    if (root < 0) {
        print_unreadable(v, uid, "", -root);
        return false;
    }
    const char *what = places_check_root(root, v, single);
    if (what != NULL) {
        print_unreadable(v, uid, strcmp(what, "root") == 0 ? "" : "/vhost.lua", errno);
    }
    (void)close(root);
    return what == NULL;
}

int check_plan(struct master *m) {
    bool good = true;
    for (size_t i = 0; i < m->plan.vhost_count; i++) {
        good = check_vhost(m, &m->plan.vhosts[i]) && good;
    }
    notes_print("plan\t%zu\t%zu\n", m->plan.listen_count, m->plan.vhost_count);
    return good ? 0 : EXIT_FAILED;
}
