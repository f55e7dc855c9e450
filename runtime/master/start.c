/* SPDX-License-Identifier: Apache-2.0 */
/* start.c – what each role is born with and told first.
 * Runs in: master. */
#include "master/start.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "master/places.h"

#define MIB (1024u * 1024u)
#define CONFIG_CPU_S 5
#define ROLE_SPACE (1024u * MIB) /* of address space: code, stacks, rings, maps */
#define VHOST_SPACE (512u * MIB) /* beside its Lua heap: stack, threads, channels */
#define VHOST_HARD_CAP_FACTOR 4  /* of the heap's soft cap */

struct spawn start_spawn(const struct master *m, const struct child *c, int control, const char *label) {
    struct spawn s = {
        .role = c->role,
        .label = label,
        .binary = m->binaries[c->role],
        .control = control,
        .network = m->network,
        .root = m->root,
        .uid = role_facts[c->role].reserved_uid,
        .gid = role_facts[c->role].reserved_uid,
        .address_space_bytes = ROLE_SPACE,
        .single_user = m->options.single_user,
    };
    if (c->role == ROLE_CONFIG) {
        s.cpu_s = CONFIG_CPU_S;
    } else if (c->role == ROLE_VHOST) {
        const struct message_plan_vhost *v = &m->plan.vhosts[c->index];
        s.uid = v->uid;
        s.gid = v->gid;
        s.address_space_bytes = VHOST_SPACE + VHOST_HARD_CAP_FACTOR * v->memory_bytes;
        s.processes = v->processes;
    } else if (c->role == ROLE_LISTENER || c->role == ROLE_LOGGER) {
        s.address_space_bytes = 0; /* a ring for each vhost: bounded by their number */
    }
    return s;
}

static int send_config(struct master *m, struct child *c, const char **what) {
    bool look_only = m->options.check || m->reload.phase != RELOAD_NOT; /* a reload brings no new user */
    struct message_start_config start = {
        .directory = slice_text(m->options.directory),
        .file = slice_text(m->options.file),
        .check_only = look_only,
        .single_user = m->options.single_user,
        .uid = m->rules.uid,
        .gid = m->rules.gid,
    };
    const int fds[4] = {
        open(m->options.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        open("/etc/passwd", O_RDONLY | O_CLOEXEC),
        open("/etc/group", O_RDONLY | O_CLOEXEC),
        places_open_users(m->options.state, look_only),
    };
    bool open_all = fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0 && fds[3] >= 0;
    int rc = open_all ? message_start_config_send(c->control, &start, fds) : -ENOENT;
    *what = open_all ? *what : "the configuration's directory, /etc/passwd, /etc/group or the table of users";
    for (int i = 0; i < 4; i++) {
        (void)close(fds[i]); /* -1 is none */
    }
    return rc;
}

static int send_listener(const struct master *m, const struct child *c) {
    const struct bound_socket *s = &m->sockets[c->index];
    const struct message_start_listener start = {
        .listener = (uint32_t)c->index, .listen = (uint16_t)s->listen, .epoch = m->epoch, .port = s->port};
    const int fds[3] = {s->fd, m->routes, m->policies};
    return message_start_listener_send(c->control, &start, fds);
}

static int send_vhost(const struct master *m, struct child *c, const char **what) {
    const struct message_plan_vhost *v = &m->plan.vhosts[c->index];
    struct message_start_vhost start = {
        .vhost = v->vhost,
        .generation = c->generation,
        .name = v->name,
        .memory_bytes = v->memory_bytes,
        .cpu_ms = v->cpu_ms,
        .wall_ms = v->wall_ms,
        .hardened = v->hardened,
    };
    for (int role = 0; role < ROLE_COUNT; role++) {
        uid_t uid = role == ROLE_VHOST ? v->uid : role_facts[role].reserved_uid;
        start.role_uids[role] = m->options.single_user ? m->rules.uid : uid;
    }
    struct stat facts;
    int root = places_open_root(v, m->options.single_user);
    if (root < 0 || fstat(root, &facts) != 0) {
        *what = "its root";
        return root < 0 ? root : -errno;
    }
    c->device = facts.st_dev;
    int rc = message_start_vhost_send(c->control, &start, &root);
    (void)close(root);
    return rc;
}

int start_send(struct master *m, struct child *c, const char **what) {
    const struct message_start_router router = {.epoch = m->epoch};
    const struct message_start_logger logger = {.format = m->plan.server.format};
    const int router_fds[2] = {m->routes, m->policies};
    const int logger_fds[2] = {m->logs, m->routes};
    switch (c->role) {
    case ROLE_CONFIG:
        return send_config(m, c, what);
    case ROLE_ROUTER:
        return message_start_router_send(c->control, &router, router_fds);
    case ROLE_LISTENER:
        return send_listener(m, c);
    case ROLE_VHOST:
        return send_vhost(m, c, what);
    case ROLE_LOGGER:
        return message_start_logger_send(c->control, &logger, logger_fds);
    case ROLE_MASTER:
    case ROLE_COUNT:
        break;
    }
    return -EINVAL;
}
