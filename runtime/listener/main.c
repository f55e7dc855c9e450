/* SPDX-License-Identifier: Apache-2.0 */
/* main.c – the listener: reads strangers' bytes, and holds nothing worth taking.
 * Runs in: listener. Talks to: master (control), router (routes), vhosts (exchanges), logger (records).
 * Distrusts: clients most, then vhosts, then the router. Opens nothing; every descriptor was given. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "listener/connection.h"
#include "listener/routes.h"

/* What master says before the cage closes. */
static int take_start(struct listener *l) {
    struct packet *p = &l->packet;
    struct message_start_listener start;
    process_await_start(&l->process, MESSAGE_START_LISTENER, 3, p);
    if (message_start_listener_decode(&start, packet_payload(p), p->size) != 0) {
        return EBADMSG;
    }
    l->id = start.listener;
    l->port = start.port;
    l->listen = start.listen;
    l->epoch = start.epoch;
    l->socket = packet_take(p, 0);
    l->policies = packet_take(p, 2);
    int rc = host_map_open(p->fds[1], &l->map);
    packet_drop(p);
    return -rc;
}

static int prepare(struct listener *l) {
    int rc = uv_loop_init(&l->loop);
    if (rc == 0) {
        rc = links_init(l);
    }
    if (rc == 0) {
        rc = routes_init(l);
    }
    if (rc == 0) {
        rc = policy_prepare(l);
    }
    if (rc == 0) {
        rc = getrandom(&l->id_key, sizeof l->id_key, 0) == (ssize_t)sizeof l->id_key ? 0 : -errno;
    }
    if (rc == 0) {
        rc = log_producer_init(&l->log, CHANNEL_ACCESS_LOG);
    }
    if (rc == 0) {
        rc = accept_start(l);
    }
    if (rc == 0) {
        rc = control_start(l);
    }
    return rc == 0 ? turn_start(l) : rc;
}

/* What runs on the script's stack: the policy, then everything. */
static void serve(void *context) {
    struct listener *l = context;
    const struct process_places places = {.read_dir = -1, .write_dir = -1};
    char why[POLICY_WHY_BYTES];
    int rc = policy_load(l, l->policies, l->epoch, why);
    if (rc != 0) {
        process_fail(&l->process, why, -rc);
    }
    struct route_policy *routes;
    rc = route_policy_open(l->policies, l->map, &routes);
    if (rc != 0) {
        process_fail(&l->process, "routing policy", -rc);
    }
    routes_use(l, routes, l->epoch);
    (void)close(l->policies);
    accept_take_policy(l);
    process_close_cage(&l->process, &places, file_send_start_threads, &l->loop, 0);
    process_ready(&l->process);
    accept_resume(l);
    (void)uv_run(&l->loop, UV_RUN_DEFAULT); /* handles that are left over are no failure */
}

int main(void) {
    struct listener *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return PROCESS_EXIT_FAILED;
    }
    process_begin(&l->process, ROLE_LISTENER);
    int error = take_start(l);
    if (error != 0) {
        process_fail(&l->process, "start message", error);
    }
    int rc = prepare(l);
    if (rc != 0) {
        process_fail(&l->process, "preparing the loop", -rc);
    }
    policy_run(l, serve);
    return 0;
}
