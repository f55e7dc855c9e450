/* SPDX-License-Identifier: Apache-2.0 */
/* test_cage.c – what each wall answers, one process for each test. Escapes are tried in tests/cage. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cage/cage.h"
#include "cage/filters.h"
#include "cage/own_pid.h"

#define PASSED 42
#define CHECK(condition) ((condition) ? (void)0 : _exit(__LINE__ % 40))

/* Walls cannot be taken down again: each test needs a process of its own. */
static int in_child(void (*test)(void)) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        test();
        _exit(PASSED);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void hide(void) {
    CHECK(cage_hide() == 0);
    CHECK(prctl(PR_GET_DUMPABLE) == 0);
    CHECK(umask(0) == 077);
}

static void test_hidden_process_is_not_dumpable(void **state) {
    (void)state;
    assert_int_equal(in_child(hide), PASSED);
}

static void lose_capabilities(void) {
    CHECK(cage_drop_capabilities(false) == 0);
    CHECK(chroot("/") != 0 && errno == EPERM);
}

static void test_no_capability_is_left(void **state) {
    (void)state;
    assert_int_equal(in_child(lose_capabilities), PASSED);
}

static void notice_bounding_set(void) {
    CHECK(prctl(PR_CAPBSET_READ, 0) != 1 || cage_drop_capabilities(true) == -EPERM);
}

static void test_full_bounding_set_is_refused(void **state) {
    (void)state;
    assert_int_equal(in_child(notice_bounding_set), PASSED);
}

static void enter_filled_root(void) {
    CHECK(chdir("/usr") == 0);
    int rc = cage_enter_root();
    CHECK(rc == -ENOTEMPTY || rc == -EPERM); /* EPERM: this test runs without root */
}

static void test_root_with_entries_is_refused(void **state) {
    (void)state;
    assert_int_equal(in_child(enter_filled_root), PASSED);
}

static void *wait_forever(void *unused) {
    (void)unused;
    (void)pause();
    return NULL;
}

static void landlock_with_threads(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wait_forever, NULL) == 0);
    CHECK(cage_no_new_privileges(true) == 0);
    CHECK(cage_landlock(-1, -1) == -EBUSY);
}

static void test_landlock_refuses_when_threads_run(void **state) {
    (void)state;
    assert_int_equal(in_child(landlock_with_threads), PASSED);
}

static void landlock_read(void) {
    int directory = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(cage_no_new_privileges(true) == 0);
    CHECK(cage_landlock(directory, -1) == 0);
    CHECK(openat(directory, "share", O_RDONLY | O_DIRECTORY) >= 0);
    CHECK(openat(directory, "../etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    CHECK(openat(directory, "luttpd-planted", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
}

static void test_landlock_allows_reading_beneath_one_directory(void **state) {
    (void)state;
    assert_int_equal(in_child(landlock_read), PASSED);
}

static void landlock_write(void) {
    char path[] = "/tmp/luttpd-cage-XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(rmdir(path) == 0 && mkdir(path, 0700) == 0);
    (void)close(directory);
    directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(cage_no_new_privileges(true) == 0);
    CHECK(cage_landlock(-1, directory) == 0);
    CHECK(openat(directory, "log", O_WRONLY | O_CREAT | O_TRUNC, 0600) >= 0);
    CHECK(renameat(directory, "log", directory, "log.1") == 0);
    CHECK(symlinkat("/etc/passwd", directory, "link") < 0 && errno == EACCES);
    CHECK(mknodat(directory, "fifo", S_IFIFO | 0600, 0) < 0 && errno == EACCES);
    CHECK(unlinkat(directory, "log.1", 0) == 0);
    CHECK(rmdir(path) < 0 && errno == EACCES); /* its parent is out of reach */
}

static void test_landlock_allows_writing_beneath_one_directory(void **state) {
    (void)state;
    assert_int_equal(in_child(landlock_write), PASSED);
    assert_int_equal(system("rmdir /tmp/luttpd-cage-??????"), 0);
}

static void socket_behind_filter(void) {
    CHECK(cage_no_new_privileges(true) == 0);
    CHECK(cage_filter(FILTER_ROUTER) == 0);
    (void)open("/dev/null", O_RDONLY);
}

static void test_unnamed_call_ends_the_process(void **state) {
    (void)state;
    assert_int_equal(in_child(socket_behind_filter), CAGE_SANITIZED ? PASSED : -SIGSYS);
}

static void filter_without_right(void) {
    CHECK(setresuid(65534, 65534, 65534) == 0);
    CHECK(cage_filter(FILTER_ROUTER) == -EACCES);
}

static void test_filter_without_no_new_privs_is_refused(void **state) {
    (void)state;
    assert_int_equal(in_child(filter_without_right), PASSED);
}

static void test_filters_fit_and_compare_with_the_own_pid_once(void **state) {
    (void)state;
    for (enum filter f = 0; f < FILTER_COUNT; f++) {
        unsigned marks = 0;
        assert_in_range(cage_filters[f].length, 10, CAGE_FILTER_MAX);
        for (unsigned i = 0; i < cage_filters[f].length; i++) {
            marks += cage_filters[f].code[i].k == CAGE_OWN_PID_MARK;
        }
        assert_int_equal(marks, f == FILTER_MASTER || CAGE_SANITIZED ? 0 : 1);
    }
}

static void test_every_role_is_described(void **state) {
    (void)state;
    for (enum role r = 0; r < ROLE_COUNT; r++) {
        const struct role_facts *facts = &role_facts[r];
        assert_true(facts->name[0] != '\0' && facts->holds[0] != '\0' && facts->does[0] != '\0');
        assert_non_null(facts->never[0]);
        assert_null(facts->never[ROLE_NEVER_MAX]);
        assert_true(facts->account == NULL || facts->reserved_uid != 0 || r == ROLE_MASTER);
        assert_true(r == ROLE_MASTER ||
                    (facts->capabilities == 0 && facts->empty_root && facts->empty_network));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hidden_process_is_not_dumpable),
        cmocka_unit_test(test_no_capability_is_left),
        cmocka_unit_test(test_full_bounding_set_is_refused),
        cmocka_unit_test(test_root_with_entries_is_refused),
        cmocka_unit_test(test_landlock_refuses_when_threads_run),
        cmocka_unit_test(test_landlock_allows_reading_beneath_one_directory),
        cmocka_unit_test(test_landlock_allows_writing_beneath_one_directory),
        cmocka_unit_test(test_unnamed_call_ends_the_process),
        cmocka_unit_test(test_filter_without_no_new_privs_is_refused),
        cmocka_unit_test(test_filters_fit_and_compare_with_the_own_pid_once),
        cmocka_unit_test(test_every_role_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
