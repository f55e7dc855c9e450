/* SPDX-License-Identifier: Apache-2.0 */
/* test_input.c – the table of automatic users grows whole or not at all; only the directory is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define OLD "luttpd automatic users 1\n1900000000 one\n"
#define NEW "1900000001 two\n1900000002 three\n"

struct fixture {
    char directory[64];
    struct config config;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->directory, sizeof f->directory, "/tmp/luttpd-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->config.directory = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    f->config.users = openat(f->config.directory, "users", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_int_equal(write(f->config.users, OLD, strlen(OLD)), strlen(OLD));
    f->config.automatic.n = strlen(OLD);
    (void)snprintf(f->config.file, sizeof f->config.file, "server.lua");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    (void)unlinkat(f->config.directory, "users", 0);
    (void)unlinkat(f->config.directory, "server.lua", 0);
    (void)rmdir(f->directory);
    (void)close(f->config.users);
    (void)close(f->config.directory);
    free(f->config.text.p);
    free(f);
    return 0;
}

static void assert_table(const struct fixture *f, const char *want) {
    char got[256] = "";
    ssize_t n = pread(f->config.users, got, sizeof got - 1, 0);
    assert_true(n >= 0);
    assert_string_equal(got, want);
}

static void write_script(const struct fixture *f, const char *text) {
    int fd = openat(f->config.directory, "server.lua", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static int read_text(struct fixture *f) {
    return config_read_file(&f->config, "server.lua", 200000, &f->config.text);
}

static void test_appends_when_there_is_room(void **state) {
    struct fixture *f = *state;
    assert_int_equal(config_append_users(&f->config, NEW, strlen(NEW)), 0);
    assert_table(f, OLD NEW);
}

static void test_table_is_as_before_when_disk_is_full_midway(void **state) {
    struct fixture *f = *state;
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = (struct rlimit){.rlim_cur = strlen(OLD) + 9, .rlim_max = before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    int rc = config_append_users(&f->config, NEW, strlen(NEW));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, -EFBIG);
    assert_table(f, OLD);
}

static void test_fails_when_table_is_read_only(void **state) {
    struct fixture *f = *state;
    struct config config = f->config;
    config.users = openat(config.directory, "users", O_RDONLY | O_CLOEXEC);
    assert_int_equal(config_append_users(&config, NEW, strlen(NEW)), -EBADF);
    (void)close(config.users);
    assert_table(f, OLD);
}

static void test_reads_text_when_it_spans_many_reads(void **state) {
    struct fixture *f = *state;
    char *text = malloc(200001);
    memset(text, '-', 200000);
    text[200000] = '\0';
    write_script(f, text);
    assert_int_equal(read_text(f), 0);
    assert_int_equal(f->config.text.n, 200000);
    assert_memory_equal(f->config.text.p, text, 200000);
    free(text);
}

static void test_reads_nothing_when_file_is_a_link_elsewhere(void **state) {
    struct fixture *f = *state;
    assert_int_equal(symlinkat("/etc/hostname", f->config.directory, "server.lua"), 0);
    assert_int_equal(read_text(f), -EXDEV);
    assert_null(f->config.text.p);
}

static void test_does_not_hang_when_file_is_a_pipe(void **state) {
    struct fixture *f = *state;
    assert_int_equal(mkfifoat(f->config.directory, "server.lua", 0600), 0);
    assert_int_equal(read_text(f), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_appends_when_there_is_room),
        TEST(test_table_is_as_before_when_disk_is_full_midway),
        TEST(test_fails_when_table_is_read_only),
        TEST(test_reads_text_when_it_spans_many_reads),
        TEST(test_reads_nothing_when_file_is_a_link_elsewhere),
        TEST(test_does_not_hang_when_file_is_a_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
