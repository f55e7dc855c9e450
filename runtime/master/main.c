/* SPDX-License-Identifier: Apache-2.0 */
/* main.c – luttpd-master: holds root, and does almost nothing with it.
 * Distrusts: every child, config first. Started by the luttpd command with five fixed words:
 *
 *   luttpd-master run|check root|single DIRECTORY FILE STATE-DIRECTORY
 *
 * Standard output: one line once the server answers, or what the check found (evaluate.c).
 * Standard error: the server's log. Exit: 0, 1 failed, 3 the configuration has faults. */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "master/bind.h"
#include "master/check.h"
#include "master/children.h"
#include "master/evaluate.h"
#include "master/places.h"
#include "master/serve.h"
#include "process/spawn.h"

#define SPARE_DESCRIPTORS 64 /* beside sockets and two for each child */

static bool read_options(int count, char **words, struct options *out) {
    if (count != 6) {
        return false;
    }
    *out = (struct options){.check = strcmp(words[1], "check") == 0,
                            .single_user = strcmp(words[2], "single") == 0,
                            .directory = words[3],
                            .file = words[4],
                            .state = words[5]};
    return (out->check || strcmp(words[1], "run") == 0) &&
           (out->single_user || strcmp(words[2], "root") == 0) &&
           strlen(out->file) <= MESSAGE_START_CONFIG_FILE_MAX;
}

static bool identity_fits(const struct options *o) {
    if (geteuid() != 0 && !o->single_user) {
        report(REPORT_ERROR,
               "luttpd must be started as root, so that each site can run as a user of its own. To "
               "try it without root, with every site as yourself, add --insecure-single-user");
        return false;
    }
    if (geteuid() == 0 && o->single_user) {
        report(REPORT_ERROR,
               "--insecure-single-user is for trying luttpd without root: as root, leave it out");
        return false;
    }
    if (o->single_user) {
        report(REPORT_WARNING, "insecure single-user mode: all sites run as user %u and are not kept apart",
               (unsigned)geteuid());
    }
    return true;
}

static bool descriptors_suffice(const struct master *m) {
    struct rlimit limit;
    size_t need =
        SPARE_DESCRIPTORS + m->plan.listener_count + 2 * (2 + m->plan.listener_count + m->plan.vhost_count);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && need <= limit.rlim_cur) {
        return true;
    }
    report(REPORT_ERROR,
           "this configuration needs %zu open files, but the limit is %llu: raise it (ulimit -n)", need,
           (unsigned long long)limit.rlim_cur);
    return false;
}

/* What needs more than the capabilities that stay, then the confinement. */
static bool prepare(struct master *m) {
    m->network = m->root = -1;
    m->signals = serve_open_signals();
    if (m->signals < 0 || (!m->options.single_user && setgroups(0, NULL) != 0)) {
        report(REPORT_ERROR, "cannot prepare: %m");
        return false;
    }
    if (places_open_binaries(m->binaries) != 0) {
        return false;
    }
    if (!m->options.check && (m->lock = places_lock_state(m->options.state)) < 0) {
        return false;
    }
    if (!m->options.single_user &&
        ((m->network = spawn_empty_network()) < 0 || (m->root = spawn_empty_root()) < 0)) {
        report(REPORT_ERROR, "cannot make the empty %s of the other processes: %s",
               m->network < 0 ? "network" : "root", strerror(-(m->network < 0 ? m->network : m->root)));
        return false;
    }
    const char *part = spawn_confine_master(m->options.single_user);
    if (part != NULL) {
        report(REPORT_ERROR, "cannot confine master: %s: %m", part);
    }
    return part == NULL;
}

static bool open_logs(struct master *m) {
    bool single = m->options.single_user;
    m->logs = places_open_logs(m->plan.server.logs);
    if (m->logs < 0 || places_make_log(m->logs, SLICE(PLACES_SERVER_LOG),
                                       role_facts[ROLE_LOGGER].reserved_uid, single) != 0) {
        return false;
    }
    for (size_t i = 0; i < m->plan.vhost_count; i++) {
        if (places_make_log(m->logs, m->plan.vhosts[i].name, m->plan.vhosts[i].gid, single) != 0) {
            return false;
        }
    }
    return true;
}

int main(int count, char **words) {
    static struct master m;
    notes_begin();
    if (!read_options(count, words, &m.options)) {
        report(REPORT_ERROR, "luttpd-master is started by the luttpd command: see luttpd --help");
        return EXIT_FAILED;
    }
    m.rules = (struct plan_rules){.single_user = m.options.single_user, .uid = geteuid(), .gid = getegid()};
    if (!identity_fits(&m.options) || !prepare(&m)) {
        return EXIT_FAILED;
    }
    int rc = evaluate(&m);
    if (rc != 0 || m.options.check) {
        return rc != 0 ? rc : check_plan(&m);
    }
    if (!descriptors_suffice(&m) || !open_logs(&m) || bind_all(&m) != 0) {
        return EXIT_FAILED;
    }
    children_init(&m);
    serve(&m);
    return 0;
}
