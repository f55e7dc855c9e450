/* SPDX-License-Identifier: Apache-2.0 */
/* test_files.c – what is served from a tree, what is refused, and what the cache keeps. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "vhost/files.h"
#include "vhost/media_type.h"

struct tree {
    char path[64];
    struct files files;
    struct files_mount mount;
};

static void put(const struct tree *t, const char *name, const char *text) {
    int fd = openat(t->files.root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static int set_up(void **state) {
    struct tree *t = calloc(1, sizeof *t);
    (void)strcpy(t->path, "/tmp/luttpd-files-XXXXXX");
    assert_non_null(mkdtemp(t->path));
    t->files.root = open(t->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    t->files.owner = getuid();
    t->files.cache = open_cache_new(8);
    t->mount = (struct files_mount){.dir = SLICE("public"), .index = {SLICE("index.html")}, .index_count = 1};
    assert_int_equal(mkdirat(t->files.root, "public", 0755), 0);
    assert_int_equal(mkdirat(t->files.root, "public/sub", 0755), 0);
    put(t, "public/index.html", "home");
    put(t, "public/a.txt", "hello");
    put(t, "vhost.lua", "secret");
    *state = t;
    return 0;
}

static int tear_down(void **state) {
    struct tree *t = *state;
    char command[128];
    open_cache_free(t->files.cache);
    assert_int_equal(close(t->files.root), 0);
    (void)snprintf(command, sizeof command, "rm -rf %s", t->path);
    assert_int_equal(system(command), 0);
    free(t);
    return 0;
}

static enum files_verdict look(struct tree *t, const char *path, uint64_t now_ms, struct open_file **out) {
    struct open_file *f = NULL;
    enum files_verdict v =
        files_open(&t->files, &t->mount, slice_text(path), slice_text(path + 1), now_ms, &f);
    if (out != NULL) {
        *out = f;
    } else {
        open_file_release(f);
    }
    return v;
}

static void test_file_is_described_when_opened(void **state) {
    struct open_file *f;
    assert_int_equal(look(*state, "/a.txt", 1, &f), FILES_OPEN);
    assert_int_equal(f->size, 5);
    assert_true(slice_equal(f->media_type, SLICE("text/plain; charset=utf-8")));
    char text[5];
    assert_int_equal(pread(f->fd, text, 5, 0), 5);
    assert_memory_equal(text, "hello", 5);
    open_file_release(f);
    assert_int_equal(look(*state, "/", 1, &f), FILES_OPEN);
    assert_int_equal(f->size, 4);
    assert_true(slice_equal(f->media_type, SLICE("text/html; charset=utf-8")));
    open_file_release(f);
}

static void test_verdict_when_there_is_no_file(void **state) {
    assert_int_equal(look(*state, "/none", 1, NULL), FILES_NOT_FOUND);
    assert_int_equal(look(*state, "/sub", 1, NULL), FILES_DIRECTORY);
    assert_int_equal(look(*state, "/sub/", 1, NULL), FILES_NOT_FOUND);
    assert_int_equal(look(*state, "/a.txt/", 1, NULL), FILES_NOT_FOUND);
    assert_int_equal(look(*state, "/a.txt/b", 1, NULL), FILES_NOT_FOUND);
    char longest[5000];
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(look(*state, longest, 1, NULL), FILES_NOT_FOUND);
}

static void test_name_is_not_found_when_hidden(void **state) {
    struct tree *t = *state;
    put(t, "public/.htpasswd", "x");
    put(t, "public/vhost.lua", "x");
    assert_int_equal(mkdirat(t->files.root, "public/.git", 0755), 0);
    put(t, "public/.git/config", "x");
    assert_int_equal(mkdirat(t->files.root, "public/.well-known", 0755), 0);
    put(t, "public/.well-known/token", "x");
    assert_int_equal(look(t, "/.htpasswd", 1, NULL), FILES_NOT_FOUND);
    assert_int_equal(look(t, "/vhost.lua", 1, NULL), FILES_NOT_FOUND);
    assert_int_equal(look(t, "/.git/config", 1, NULL), FILES_NOT_FOUND);
    assert_int_equal(look(t, "/../vhost.lua", 1, NULL), FILES_NOT_FOUND);
    assert_int_equal(look(t, "/sub/..", 1, NULL), FILES_NOT_FOUND);
    assert_int_equal(look(t, "/.well-known/token", 1, NULL), FILES_OPEN);
}

static void test_link_is_followed_only_when_it_stays_beneath_the_root(void **state) {
    struct tree *t = *state;
    put(t, "shared.txt", "x");
    assert_int_equal(symlinkat("../shared.txt", t->files.root, "public/in"), 0);
    assert_int_equal(symlinkat("/etc/passwd", t->files.root, "public/absolute"), 0);
    assert_int_equal(symlinkat("../../../../../etc/passwd", t->files.root, "public/up"), 0);
    assert_int_equal(symlinkat("loop", t->files.root, "public/loop"), 0);
    assert_int_equal(look(t, "/in", 1, NULL), FILES_OPEN);
    assert_int_equal(look(t, "/absolute", 1, NULL), FILES_FORBIDDEN);
    assert_int_equal(look(t, "/up", 1, NULL), FILES_FORBIDDEN);
    assert_int_equal(look(t, "/loop", 1, NULL), FILES_FORBIDDEN);
}

static void test_special_file_is_forbidden_when_asked_for(void **state) {
    struct tree *t = *state;
    assert_int_equal(mkfifoat(t->files.root, "public/fifo", 0644), 0);
    assert_int_equal(look(t, "/fifo", 1, NULL), FILES_FORBIDDEN);
}

/* Needs root to make another's file; without it there is nobody whose file could be linked. */
static void test_foreign_file_is_forbidden_when_linked(void **state) {
    struct tree *t = *state;
    if (getuid() != 0) {
        skip();
    }
    t->files.owner = 12345;
    put(t, "public/theirs", "x");
    assert_int_equal(fchownat(t->files.root, "public/theirs", 54321, 54321, 0), 0);
    assert_int_equal(look(t, "/theirs", 1, NULL), FILES_OPEN);
    assert_int_equal(symlinkat("theirs", t->files.root, "public/soft"), 0);
    assert_int_equal(look(t, "/soft", 1, NULL), FILES_FORBIDDEN);
    assert_int_equal(linkat(t->files.root, "public/theirs", t->files.root, "public/hard", 0), 0);
    assert_int_equal(look(t, "/hard", 1, NULL), FILES_FORBIDDEN);
    assert_int_equal(fchownat(t->files.root, "public/theirs", 12345, 12345, 0), 0);
    assert_int_equal(look(t, "/hard", 1, NULL), FILES_OPEN);
    assert_int_equal(look(t, "/soft", 1, NULL), FILES_OPEN);
}

static void test_cached_file_is_opened_anew_when_its_second_is_over(void **state) {
    struct tree *t = *state;
    struct open_file *first, *second, *third;
    assert_int_equal(look(t, "/a.txt", 1000, &first), FILES_OPEN);
    assert_int_equal(unlinkat(t->files.root, "public/a.txt", 0), 0);
    put(t, "public/a.txt", "replaced");
    assert_int_equal(look(t, "/a.txt", 1000 + OPEN_CACHE_VALID_MS, &second), FILES_OPEN);
    assert_ptr_equal(first, second);
    assert_int_equal(look(t, "/a.txt", 1001 + OPEN_CACHE_VALID_MS, &third), FILES_OPEN);
    assert_ptr_not_equal(first, third);
    assert_int_equal(third->size, 8);
    assert_int_equal(fcntl(first->fd, F_GETFD), FD_CLOEXEC); /* still open: it is being sent */
    open_file_release(first);
    open_file_release(second);
    open_file_release(third);
}

static int open_descriptors(void) {
    int n = 0;
    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

static void test_cache_stays_bounded_when_many_files_are_asked_for(void **state) {
    struct tree *t = *state;
    char name[64];
    int before = open_descriptors();
    for (int i = 0; i < 50; i++) {
        (void)snprintf(name, sizeof name, "public/f%d", i);
        put(t, name, "x");
        (void)snprintf(name, sizeof name, "/f%d", i);
        assert_int_equal(look(t, name, (uint64_t)i, NULL), FILES_OPEN);
    }
    assert_int_equal(open_descriptors(), before + 8);
    assert_int_equal(open_cache_sweep(t->files.cache, 45 + OPEN_CACHE_IDLE_MS), 5);
    assert_int_equal(open_cache_sweep(t->files.cache, 1000 + OPEN_CACHE_IDLE_MS), 0);
    assert_int_equal(open_descriptors(), before);
}

static void test_media_type_when_extension_is_known_or_not(void **state) {
    (void)state;
    assert_true(slice_equal(media_type_of(SLICE("/x/a.PNG")), SLICE("image/png")));
    assert_true(slice_equal(media_type_of(SLICE("7z.7z")), SLICE("application/x-7z-compressed")));
    assert_true(slice_equal(media_type_of(SLICE("a.zst")), SLICE("application/zstd")));
    assert_true(slice_equal(media_type_of(SLICE("/x.png/a")), SLICE("application/octet-stream")));
    assert_true(slice_equal(media_type_of(SLICE("a.")), SLICE("application/octet-stream")));
    assert_true(slice_equal(media_type_of(SLICE("a.averylongextension")), SLICE("application/octet-stream")));
    static const char *const every[] = {"css", "csv", "deb",  "gif",  "gz",    "html", "ico",
                                        "jpg", "js",  "json", "md",   "mjs",   "mp4",  "pdf",
                                        "svg", "txt", "wasm", "webp", "woff2", "xml",  "zip"};
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "a.%s", every[i]);
        assert_false(slice_equal(media_type_of(slice_text(name)), SLICE("application/octet-stream")));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_file_is_described_when_opened),
        TEST(test_verdict_when_there_is_no_file),
        TEST(test_name_is_not_found_when_hidden),
        TEST(test_link_is_followed_only_when_it_stays_beneath_the_root),
        TEST(test_special_file_is_forbidden_when_asked_for),
        TEST(test_foreign_file_is_forbidden_when_linked),
        TEST(test_cached_file_is_opened_anew_when_its_second_is_over),
        TEST(test_cache_stays_bounded_when_many_files_are_asked_for),
        cmocka_unit_test(test_media_type_when_extension_is_known_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
