/* SPDX-License-Identifier: Apache-2.0 */
/* test_disk.c – what is opened in the log directory, and what is not. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "logger/disk.h"

struct place {
    char path[64];
    int directory;
    struct disk disk;
};

static int make_place(void **state) {
    struct place *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return -1;
    }
    (void)snprintf(p->path, sizeof p->path, "/tmp/luttpd-disk-XXXXXX");
    if (mkdtemp(p->path) == NULL) {
        return -1;
    }
    p->directory = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->directory < 0 || mkdirat(p->directory, "alice", 0755) != 0) {
        return -1;
    }
    disk_init(&p->disk, p->directory, 2);
    *state = p;
    return 0;
}

static int remove_place(void **state) {
    struct place *p = *state;
    char command[128];
    (void)close(p->directory);
    (void)snprintf(command, sizeof command, "rm -r '%s'", p->path);
    int rc = system(command); // NOLINT: a fixed command
    free(p);
    return rc;
}

static struct disk_file file_named(const char *path) {
    struct disk_file f = {.fd = -1};
    (void)snprintf(f.path, sizeof f.path, "%s", path);
    return f;
}

static int append(struct place *p, struct disk_file *f, const char *text) {
    size_t written = 0;
    int rc = disk_append(&p->disk, f, text, strlen(text), 0, &written);
    if (rc == 0) {
        assert_int_equal(written, strlen(text));
    }
    return rc;
}

static void assert_content(struct place *p, const char *path, const char *expected) {
    char content[256] = {0};
    int fd = openat(p->directory, path, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, content, sizeof content - 1) >= 0);
    (void)close(fd);
    assert_string_equal(content, expected);
}

static void test_lets_only_the_group_read_when_umask_is_tight(void **state) {
    struct place *p = *state;
    struct disk_file f = file_named("alice/access.log");
    struct stat st;
    mode_t old = umask(077);
    assert_int_equal(append(p, &f, "one\n"), 0);
    (void)umask(old);
    assert_int_equal(fstatat(p->directory, f.path, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(append(p, &f, "two\n"), 0);
    assert_content(p, f.path, "one\ntwo\n");
}

static void test_refuses_when_a_link_or_no_file_stands_there(void **state) {
    struct place *p = *state;
    struct disk_file link = file_named("alice/link.log"), dangling = file_named("alice/dangling.log");
    struct disk_file directory = file_named("alice/directory.log"), fifo = file_named("alice/fifo.log");
    struct disk_file hard = file_named("alice/hard.log"), linked_dir = file_named("bob/access.log");
    struct disk_file outside = file_named("../outside.log"), absent = file_named("carol/access.log");
    int fd = openat(p->directory, "alice/target", O_CREAT | O_WRONLY, 0640);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(symlinkat("target", p->directory, "alice/link.log"), 0);
    assert_int_equal(symlinkat("/tmp/luttpd-planted", p->directory, "alice/dangling.log"), 0);
    assert_int_equal(symlinkat("alice", p->directory, "bob"), 0);
    assert_int_equal(linkat(p->directory, "alice/target", p->directory, "alice/hard.log", 0), 0);
    assert_int_equal(mkdirat(p->directory, "alice/directory.log", 0755), 0);
    assert_int_equal(mkfifoat(p->directory, "alice/fifo.log", 0640), 0);
    assert_int_equal(append(p, &link, "x\n"), -ELOOP);
    assert_int_equal(append(p, &dangling, "x\n"), -ELOOP);
    assert_int_equal(append(p, &linked_dir, "x\n"), -ELOOP);
    assert_int_equal(append(p, &hard, "x\n"), -EMLINK);
    assert_int_equal(append(p, &directory, "x\n"), -EISDIR);
    assert_int_equal(append(p, &fifo, "x\n"), -ELOOP);
    assert_int_equal(append(p, &outside, "x\n"), -EXDEV);
    assert_int_equal(append(p, &absent, "x\n"), -ENOENT);
    assert_int_equal(access("/tmp/luttpd-planted", F_OK), -1);
    assert_content(p, "alice/target", "");
    assert_int_equal(p->disk.open_count, 0);
}

static void test_closes_the_oldest_when_too_many_are_open(void **state) {
    struct place *p = *state;
    struct disk_file a = file_named("alice/a"), b = file_named("alice/b"), c = file_named("alice/c");
    assert_int_equal(append(p, &a, "a1\n"), 0);
    assert_int_equal(append(p, &b, "b1\n"), 0);
    assert_int_equal(append(p, &a, "a2\n"), 0);
    assert_int_equal(append(p, &c, "c1\n"), 0);
    assert_int_equal(p->disk.open_count, 2);
    assert_int_equal(b.fd, -1);
    assert_true(a.fd >= 0);
    assert_int_equal(append(p, &b, "b2\n"), 0);
    assert_int_equal(a.fd, -1);
    assert_content(p, "alice/a", "a1\na2\n");
    assert_content(p, "alice/b", "b1\nb2\n");
}

static void test_writes_a_new_file_when_the_old_one_was_removed(void **state) {
    struct place *p = *state;
    struct disk_file f = file_named("alice/error.log");
    assert_int_equal(append(p, &f, "lost\n"), 0);
    assert_int_equal(unlinkat(p->directory, f.path, 0), 0);
    assert_int_equal(append(p, &f, "kept\n"), 0);
    assert_content(p, f.path, "kept\n");
}

static void test_stays_with_the_renamed_file_until_all_are_closed(void **state) {
    struct place *p = *state;
    struct disk_file f = file_named("alice/access.log");
    assert_int_equal(append(p, &f, "one\n"), 0);
    assert_int_equal(renameat(p->directory, f.path, p->directory, "alice/access.log.1"), 0);
    assert_int_equal(append(p, &f, "two\n"), 0);
    disk_close_all(&p->disk);
    assert_int_equal(append(p, &f, "three\n"), 0);
    assert_content(p, "alice/access.log.1", "one\ntwo\n");
    assert_content(p, "alice/access.log", "three\n");
}

static void test_ends_the_last_line_when_it_was_cut(void **state) {
    struct place *p = *state;
    struct disk_file f = file_named("alice/access.log");
    size_t written;
    assert_int_equal(append(p, &f, "whole\nhal"), 0);
    disk_close_all(&p->disk);
    assert_int_equal(disk_append(&p->disk, &f, "f\nnext\n", 7, 1, &written), 0);
    assert_int_equal(written, 7);
    assert_int_equal(f.lost_lines, 1);
    assert_content(p, f.path, "whole\nhal\nnext\n");
}

static void test_stops_growing_when_the_file_is_at_its_largest(void **state) {
    struct place *p = *state;
    struct disk_file f = file_named("alice/error.log");
    f.size_max = 8;
    assert_int_equal(append(p, &f, "1234\n"), 0);
    assert_int_equal(append(p, &f, "5678\n"), 0);
    assert_int_equal(append(p, &f, "9\n"), -EFBIG);
    assert_int_equal(renameat(p->directory, f.path, p->directory, "alice/error.log.1"), 0);
    disk_close_all(&p->disk);
    assert_int_equal(append(p, &f, "9\n"), 0);
    assert_content(p, f.path, "9\n");
}

#define disk_test(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        disk_test(test_lets_only_the_group_read_when_umask_is_tight),
        disk_test(test_refuses_when_a_link_or_no_file_stands_there),
        disk_test(test_closes_the_oldest_when_too_many_are_open),
        disk_test(test_writes_a_new_file_when_the_old_one_was_removed),
        disk_test(test_stays_with_the_renamed_file_until_all_are_closed),
        disk_test(test_ends_the_last_line_when_it_was_cut),
        disk_test(test_stops_growing_when_the_file_is_at_its_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
