/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c – lines reach the disk, or are counted. */
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

#include "base/report.h"
#include "logger/store.h"

struct place {
    char path[64];
    int directory;
    uv_loop_t loop;
    struct store store;
    struct site alice, bob;
    unsigned batches, reports;
};

static void on_done(void *context) {
    ((struct place *)context)->batches++;
}

static void count_report(void *context, enum report_level level, const char *text, size_t n) {
    (void)level, (void)text, (void)n;
    ((struct place *)context)->reports++;
}

static int make_place(void **state) {
    struct place *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return -1;
    }
    (void)snprintf(p->path, sizeof p->path, "/tmp/luttpd-store-XXXXXX");
    if (mkdtemp(p->path) == NULL || uv_loop_init(&p->loop) != 0) {
        return -1;
    }
    p->directory = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->directory < 0 || mkdirat(p->directory, "alice", 0755) != 0) {
        return -1;
    }
    p->alice = (struct site){.vhost = 1, .name = SLICE("alice")};
    p->bob = (struct site){.vhost = 2, .name = SLICE("bob")};
    store_init(&p->store, &p->loop, p->directory, 4, on_done, p);
    store_start_thread(&p->store);
    report_to(count_report, p);
    *state = p;
    return 0;
}

static int remove_place(void **state) {
    struct place *p = *state;
    char command[128];
    report_to(NULL, NULL);
    disk_close_all(&p->store.disk);
    for (int kind = 0; kind < LINE_KINDS; kind++) {
        struct log_file *files[] = {p->alice.files[kind], p->bob.files[kind]};
        for (int i = 0; i < 2; i++) {
            if (files[i] == NULL) {
                continue;
            }
            free(files[i]->filling.p);
            free(files[i]->leaving.p);
            free(files[i]);
        }
    }
    (void)uv_loop_close(&p->loop);
    (void)close(p->directory);
    (void)snprintf(command, sizeof command, "rm -r '%s'", p->path);
    int rc = system(command); // NOLINT: a fixed command
    free(p);
    return rc;
}

static int put(struct place *p, struct log_file *f, const char *text) {
    size_t n = strlen(text);
    char *room = store_reserve(&p->store, f, n);
    if (room == NULL) {
        return 0;
    }
    memcpy(room, text, n);
    store_commit(&p->store, f, n);
    return 1;
}

static void run(struct place *p) {
    (void)uv_run(&p->loop, UV_RUN_DEFAULT);
}

static void flush(struct place *p) {
    (void)store_flush(&p->store);
    run(p);
}

static char *content(struct place *p, const char *path, size_t *size) {
    struct stat st;
    int fd = openat(p->directory, path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    char *text = calloc(1, (size_t)st.st_size + 1);
    assert_non_null(text);
    assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
    (void)close(fd);
    if (size != NULL) {
        *size = (size_t)st.st_size;
    }
    return text;
}

static void test_writes_nothing_until_asked_when_little_waits(void **state) {
    struct place *p = *state;
    struct log_file *f = store_file(&p->store, &p->alice, LINE_COMBINED);
    assert_int_equal(put(p, f, "one\n"), 1);
    run(p);
    assert_int_equal(p->batches, 0);
    assert_false(store_is_settled(&p->store));
    flush(p);
    assert_int_equal(p->batches, 1);
    assert_true(store_is_settled(&p->store));
    assert_int_equal(p->store.held_bytes, 0);
    char *text = content(p, "alice/access.log", NULL);
    assert_string_equal(text, "one\n");
    free(text);
    flush(p);
    assert_int_equal(p->batches, 1);
}

static void test_sets_out_by_itself_when_a_buffer_is_big(void **state) {
    struct place *p = *state;
    struct log_file *f = store_file(&p->store, &p->alice, LINE_JSON);
    char line[1025];
    size_t size;
    memset(line, 'x', 1023);
    line[1023] = '\n', line[1024] = '\0';
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(put(p, f, line), 1);
        if (i % 100 == 0) {
            (void)uv_run(&p->loop, UV_RUN_NOWAIT);
        }
    }
    run(p);
    assert_true(p->batches >= 1);
    flush(p);
    char *text = content(p, "alice/access.json", &size);
    assert_int_equal(size, 1000 * 1024);
    free(text);
}

/* The batch is never seen to come back: as if the disk hung. */
static void test_stays_bounded_when_the_disk_hangs(void **state) {
    struct place *p = *state;
    struct log_file *f = store_file(&p->store, &p->alice, LINE_COMBINED);
    char line[1025];
    unsigned kept = 0;
    memset(line, 'x', 1023);
    line[1023] = '\n', line[1024] = '\0';
    for (int i = 0; i < 20000; i++) {
        kept += put(p, f, line) ? 1 : 0;
    }
    assert_in_range(kept, 4000, 9000);
    assert_int_equal(f->lost, 20000 - kept);
    assert_in_range(p->store.held_bytes, 1, 2 * STORE_FILE_MAX_BYTES);
    run(p);
    flush(p);
    char *text = content(p, "alice/access.log", NULL);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "luttpd: %u records dropped: ", 20000 - kept);
    assert_non_null(strstr(text, expected));
    free(text);
    assert_int_equal(f->lost, 0);
    assert_int_equal(p->store.held_bytes, 0);
}

static void test_counts_and_recovers_when_the_directory_is_missing(void **state) {
    struct place *p = *state;
    struct log_file *bob = store_file(&p->store, &p->bob, LINE_ERROR);
    struct log_file *alice = store_file(&p->store, &p->alice, LINE_ERROR);
    char line[1025];
    unsigned kept = 0;
    memset(line, 'x', 1023);
    line[1023] = '\n', line[1024] = '\0';
    assert_int_equal(put(p, bob, "first\n"), 1);
    assert_int_equal(put(p, alice, "fine\n"), 1);
    flush(p);
    assert_int_equal(bob->error, -ENOENT);
    assert_int_equal(alice->error, 0);
    assert_true(store_is_settled(&p->store));
    for (int i = 0; i < 1000; i++) {
        kept += put(p, bob, line) ? 1 : 0;
    }
    assert_in_range(kept, 100, 256);
    for (int i = 0; i < 5; i++) {
        flush(p);
    }
    assert_int_equal(p->reports, 1);
    assert_int_equal(p->batches, 6); /* one for each flush: it does not try by itself */
    assert_int_equal(mkdirat(p->directory, "bob", 0755), 0);
    flush(p);
    flush(p);
    flush(p);
    assert_int_equal(p->reports, 2);
    char *text = content(p, "bob/error.log", NULL), expected[64];
    (void)snprintf(expected, sizeof expected, "luttpd: %u records dropped: No such file or directory\n",
                   1000 - kept);
    assert_memory_equal(text, "first\nxxx", 9);
    assert_non_null(strstr(text, expected));
    assert_int_equal(put(p, bob, "after\n"), 1);
    flush(p);
    free(text);
    text = content(p, "bob/error.log", NULL);
    assert_non_null(strstr(text, "\nafter\n"));
    free(text);
}

static void test_opens_anew_when_told_to(void **state) {
    struct place *p = *state;
    struct log_file *f = store_file(&p->store, &p->alice, LINE_COMBINED);
    assert_int_equal(put(p, f, "one\n"), 1);
    flush(p);
    assert_int_equal(renameat(p->directory, "alice/access.log", p->directory, "alice/old"), 0);
    store_reopen(&p->store);
    assert_int_equal(put(p, f, "two\n"), 1);
    flush(p);
    char *old = content(p, "alice/old", NULL), *new = content(p, "alice/access.log", NULL);
    assert_string_equal(old, "one\n");
    assert_string_equal(new, "two\n");
    free(old);
    free(new);
}

static void test_keeps_going_when_one_log_is_at_its_largest(void **state) {
    struct place *p = *state;
    struct log_file *error = store_file(&p->store, &p->alice, LINE_ERROR);
    struct log_file *access = store_file(&p->store, &p->alice, LINE_COMBINED);
    error->disk_file.size_max = 4;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(put(p, error, "line\n"), 1);
        assert_int_equal(put(p, access, "line\n"), 1);
        flush(p);
    }
    assert_int_equal(p->reports, 1);
    assert_int_equal(p->store.failing, 0);
    char *text = content(p, "alice/error.log", NULL);
    assert_string_equal(text, "line\n");
    free(text);
    text = content(p, "alice/access.log", NULL);
    assert_string_equal(text, "line\nline\nline\nline\n");
    free(text);
}

#define store_test(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        store_test(test_writes_nothing_until_asked_when_little_waits),
        store_test(test_sets_out_by_itself_when_a_buffer_is_big),
        store_test(test_stays_bounded_when_the_disk_hangs),
        store_test(test_counts_and_recovers_when_the_directory_is_missing),
        store_test(test_opens_anew_when_told_to),
        store_test(test_keeps_going_when_one_log_is_at_its_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
