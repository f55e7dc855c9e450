/* SPDX-License-Identifier: Apache-2.0 */
/* probe_main.c – a role that does nothing but the six steps: begins as PROBE_ROLE, closes that role's
 * cage, and waits for its control channel to end.
 * Runs in: the escape tests, as a child of nursery. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/report.h"
#include "evil.h"
#include "process/process.h"
#include "schema/messages.h"

/* A thread from before the filter, which waits for a byte and then tries its luck. */
static int to_thread[2];
static int from_thread[2];

static void *thread_main(void *unused) {
    char byte;
    int answer = 0;
    (void)unused;
    if (read(to_thread[0], &byte, 1) == 1) {
        answer = syscall(SYS_socket, 1, 1, 0) < 0 ? -errno : 0;
        (void)!write(from_thread[1], &answer, sizeof answer);
    }
    return NULL;
}

static void start_threads(void *context) {
    pthread_t thread;
    (void)context;
    if (pipe(to_thread) != 0 || pipe(from_thread) != 0 || pthread_create(&thread, NULL, thread_main, NULL) != 0) {
        report(REPORT_ERROR, "threads: %m");
        _exit(PROCESS_EXIT_FAILED);
    }
}

int evil_run_in_thread(void) {
    int answer = -EPIPE;
    (void)!write(to_thread[1], "x", 1);
    (void)!read(from_thread[0], &answer, sizeof answer);
    return answer;
}

static bool wants_executable(const struct packet *packet) {
    struct message_start_vhost start;
    if (PROBE_ROLE != ROLE_VHOST) {
        return false;
    }
    return message_start_vhost_decode(&start, packet_payload(packet), packet->size) == 0 && !start.hardened;
}

/* Where this program lies in memory, as an attacker would guess it. */
static void tell_layout(void) {
    int on_stack = 0;
    report(REPORT_INFO, "layout %p %p %p", (void *)(ptrdiff_t)&tell_layout, (void *)&on_stack,
           (void *)(ptrdiff_t)&read);
}

int main(void) {
    static struct packet packet;
    struct process p;
    struct process_places places = {-1, -1};
    process_begin(&p, PROBE_ROLE);
    process_await_start(&p, PROBE_START, PROBE_FDS, &packet);
    bool executable = wants_executable(&packet);
    if ((role_facts[PROBE_ROLE].landlock & ROLE_LANDLOCK_READ) != 0) {
        places.read_dir = packet_take(&packet, 0);
    } else if ((role_facts[PROBE_ROLE].landlock & ROLE_LANDLOCK_WRITE) != 0) {
        places.write_dir = packet_take(&packet, 0);
    }
    tell_layout();
    process_close_cage(&p, &places, start_threads, NULL, executable);
    process_ready(&p);
    struct pollfd wait = {.fd = p.control, .events = POLLIN};
    while (poll(&wait, 1, -1) < 0 && errno == EINTR) {
    }
    return 0;
}
