/* SPDX-License-Identifier: Apache-2.0 */
/* test_spawn.c – what spawn_role refuses, and what it tells about a child that never came to be.
 * Children that live are looked at in tests/cage. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "channel/packet.h"
#include "process/process.h"
#include "process/spawn.h"
#include "schema/messages.h"

static struct packet received;

static struct spawn single_user(int binary, int control) {
    return (struct spawn){.role = ROLE_ROUTER,
                          .binary = binary,
                          .control = control,
                          .network = -1,
                          .root = -1,
                          .single_user = true};
}

static void test_incomplete_orders_are_refused(void **state) {
    int ends[2];
    int pidfd = -7;
    (void)state;
    assert_int_equal(packet_pair(ends), 0);
    struct spawn full = {
        .role = ROLE_VHOST, .binary = 0, .control = ends[1], .network = 0, .root = 0, .uid = 5, .gid = 5};
    struct spawn bad[] = {full, full, full, full, full, full, full};
    bad[0].uid = 0;
    bad[1].gid = 0;
    bad[2].network = -1;
    bad[3].root = -1;
    bad[4].binary = -1;
    bad[5].control = -1;
    bad[6].role = ROLE_MASTER;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(spawn_role(&bad[i], &pidfd), -EINVAL);
    }
    assert_int_equal(pidfd, -7);
    close(ends[0]);
    close(ends[1]);
}

/* A directory cannot be executed: the last step fails, when everything else has been done. */
static void test_failed_step_is_told(void **state) {
    int ends[2];
    int status;
    int pidfd = -1;
    struct message_note note;
    (void)state;
    assert_int_equal(packet_pair(ends), 0);
    struct spawn s = single_user(open("/", O_PATH | O_CLOEXEC), ends[1]);
    pid_t pid = spawn_role(&s, &pidfd);
    assert_true(pid > 0 && pidfd >= 0);
    assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
    close(ends[1]);
    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 5000), 1);
    assert_int_equal(packet_receive(ends[0], &received), 1);
    assert_int_equal(received.type, MESSAGE_NOTE);
    assert_int_equal(message_note_decode(&note, packet_payload(&received), received.size), 0);
    assert_true(slice_equal(note.text, SLICE("exec: Permission denied")));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == PROCESS_EXIT_FAILED);
    close(pidfd);
    close(s.binary);
    close(ends[0]);
}

/* Master's handlers, masks and ignored signals are master's own. sleep, not a role, so that it lives. */
static void test_child_starts_with_plain_signals(void **state) {
    int ends[2];
    int status;
    int pidfd;
    sigset_t blocked;
    sigset_t after;
    (void)state;
    assert_int_equal(packet_pair(ends), 0);
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    (void)signal(SIGTERM, SIG_IGN);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    struct spawn s = single_user(open("/bin/cat", O_PATH | O_CLOEXEC), ends[1]);
    s.binary = s.binary >= 0 ? s.binary : open("/usr/bin/cat", O_PATH | O_CLOEXEC);
    pid_t pid = spawn_role(&s, &pidfd);
    assert_true(pid > 0);
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &blocked, &after), 0);
    assert_true(sigismember(&after, SIGTERM)); /* spawn put master's own mask back */
    assert_int_equal(sigismember(&after, SIGINT), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid); /* its standard input leads nowhere: it ends by itself */
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)signal(SIGTERM, SIG_DFL);
    close(pidfd);
    close(s.binary);
    close(ends[0]);
    close(ends[1]);
}

static void test_empty_root_is_empty_and_read_only(void **state) {
    struct statvfs about;
    (void)state;
    int root = spawn_empty_root();
    if (root == -EPERM) {
        skip(); /* not root */
    }
    assert_true(root >= 0);
    assert_int_equal(fstatvfs(root, &about), 0);
    assert_true((about.f_flag & ST_RDONLY) != 0);
    assert_true(openat(root, "x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0);
    assert_int_equal(fcntl(root, F_GETFD), FD_CLOEXEC);
    close(root);
}

static void test_master_comes_home_from_the_empty_network(void **state) {
    char before[64] = "";
    char after[64] = "";
    (void)state;
    assert_true(readlink("/proc/self/ns/net", before, sizeof before - 1) > 0);
    int network = spawn_empty_network();
    if (network == -EPERM) {
        skip(); /* not root */
    }
    assert_true(network >= 0);
    assert_true(readlink("/proc/self/ns/net", after, sizeof after - 1) > 0);
    assert_string_equal(before, after);
    close(network);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_incomplete_orders_are_refused),
        cmocka_unit_test(test_failed_step_is_told),
        cmocka_unit_test(test_child_starts_with_plain_signals),
        cmocka_unit_test(test_empty_root_is_empty_and_read_only),
        cmocka_unit_test(test_master_comes_home_from_the_empty_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
