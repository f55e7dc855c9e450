/* SPDX-License-Identifier: Apache-2.0 */
/* main.c – one vhost: the owner's files and scripts, under the owner's UID.
 * Runs in: vhost. Talks to: master (control), listeners (exchanges), logger (records).
 * Distrusts: listeners, requests, scripts and files. Opens only what lies beneath its root. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vhost/answer.h"

#define CACHED_FILES_MAX 256
#define CACHED_FILES_SHARE 4 /* at most this part of the descriptors that the process may have */
#define DEADLINE_MIN_MS 10
#define CPU_MIN_MS 10

static int take_start(struct vhost *v) {
    struct packet *p = &v->hub.packet;
    process_await_start(&v->process, MESSAGE_START_VHOST, 1, p);
    if (message_start_vhost_decode(&v->start, packet_payload(p), p->size) != 0) {
        return -EBADMSG;
    }
    memcpy(v->name, v->start.name.p, v->start.name.n);
    v->start.name.p = v->name;
    v->files.root = packet_take(p, 0);
    v->files.owner = getuid();
    packet_drop(p);
    return 0;
}

static size_t cached_files_max(void) {
    struct rlimit limit;
    size_t share = CACHED_FILES_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / CACHED_FILES_SHARE < share) {
        share = (size_t)limit.rlim_cur / CACHED_FILES_SHARE;
    }
    return share;
}

static int prepare_script(struct vhost *v) {
    int rc = script_stack_map(&v->stack);
    if (rc != 0) {
        return rc;
    }
    const struct script_options options = {
        .jit = !v->start.hardened,
        .memory_bytes = v->start.memory_bytes,
        .cpu_ms = v->start.cpu_ms > CPU_MIN_MS ? v->start.cpu_ms : CPU_MIN_MS,
        .stack = &v->stack,
        .find_module = site_find_module,
        .print = site_print,
        .context = v,
    };
    rc = script_new(&v->script, &options);
    if (rc == 0) {
        v->L = script_state(v->script);
    }
    return rc;
}

static int prepare(struct vhost *v) {
    uint32_t deadline_ms = v->start.wall_ms > DEADLINE_MIN_MS ? v->start.wall_ms : DEADLINE_MIN_MS;
    v->files.cache = open_cache_new(cached_files_max());
    int rc = v->files.cache != NULL ? uv_loop_init(&v->loop) : -ENOMEM;
    if (rc == 0) {
        rc = hub_init(&v->hub, &v->loop, &answer_events, v, deadline_ms);
    }
    if (rc == 0) {
        rc = control_start(v);
    }
    if (rc == 0) {
        rc = log_producer_init(&v->log, CHANNEL_LOG);
    }
    return rc == 0 ? prepare_script(v) : rc;
}

/* On the script's own stack. The site loads with the cage closed: it is the owner's data. */
static void serve(void *context) {
    struct vhost *v = context;
    if (site_load(v) != 0) {
        process_fail(&v->process, "loading the site", ENOMEM);
    }
    process_ready(&v->process);
    (void)uv_run(&v->loop, UV_RUN_DEFAULT);
}

int main(void) {
    struct vhost *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return PROCESS_EXIT_FAILED;
    }
    process_begin(&v->process, ROLE_VHOST);
    int rc = take_start(v);
    if (rc != 0) {
        process_fail(&v->process, "start message", -rc);
    }
    rc = prepare(v);
    if (rc != 0) {
        process_fail(&v->process, "preparing the script", -rc);
    }
    const struct process_places places = {.read_dir = v->files.root, .write_dir = -1};
    process_close_cage(&v->process, &places, NULL, NULL, !v->start.hardened);
    script_stack_run(&v->stack, serve, v);
    _exit(0); /* nothing to tidy that the kernel does not; records wait in the logger's own memory */
}
