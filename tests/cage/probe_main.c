/* SPDX-License-Identifier: Apache-2.0 */
/* probe_main.c – a role that does nothing but the six steps: begins as PROBE_ROLE, closes that role's
 * cage, and waits for its control channel to end.
 * Runs in: the escape tests, as a child of nursery. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/report.h"
#include "evil.h"
#include "process/process.h"
#include "schema/messages.h"

/* A thread from before the filter, which waits for a word and then tries its luck. Semaphores need no
 * call that only some roles may make. */
static sem_t thread_runs, go, done;
static int thread_answer;

static void *thread_main(void *unused) {
    (void)unused;
    (void)sem_post(&thread_runs);
    (void)sem_wait(&go);
    thread_answer = syscall(SYS_socket, 1, 1, 0) < 0 ? -errno : 0;
    (void)sem_post(&done);
    return NULL;
}

/* Not every role may make the calls with which a thread begins: it has begun when this returns. */
static void start_threads(void *context) {
    pthread_t thread;
    (void)context;
    if (sem_init(&thread_runs, 0, 0) != 0 || sem_init(&go, 0, 0) != 0 || sem_init(&done, 0, 0) != 0 ||
        pthread_create(&thread, NULL, thread_main, NULL) != 0) {
        report(REPORT_ERROR, "threads: %m");
        _exit(PROCESS_EXIT_FAILED);
    }
    (void)sem_wait(&thread_runs);
}

int evil_run_in_thread(void) {
    (void)sem_post(&go);
    (void)sem_wait(&done);
    return thread_answer;
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

/* config sends only, and may not receive; the others may not poll. */
static void await_end(int control) {
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct pollfd wait = {.fd = control, .events = POLLIN};
    while ((PROBE_ROLE == ROLE_CONFIG ? poll(&wait, 1, -1) : (int)recvmsg(control, &message, 0)) < 0 &&
           errno == EINTR) {}
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
    (void)fcntl(p.control, F_SETFL, fcntl(p.control, F_GETFL) & ~O_NONBLOCK); /* await_end waits there */
    process_close_cage(&p, &places, start_threads, NULL, executable);
    process_ready(&p);
    await_end(p.control);
    return 0;
}
