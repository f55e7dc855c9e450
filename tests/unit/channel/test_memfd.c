/* SPDX-License-Identifier: Apache-2.0 */
/* test_memfd.c – what is sealed stays as it is, and what is not is refused. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "channel/memfd.h"
#include "channel/record_file.h"

#define BYTES 65536

static void test_ring_cannot_be_resized_or_unsealed(void **state) {
    void *p;
    (void)state;
    int fd = memfd_make_ring("t", BYTES);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, BYTES / 2), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, BYTES * 2), -1);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    assert_int_equal(memfd_map_ring(fd, BYTES, &p), 0);
    munmap(p, BYTES);
    close(fd);
}

static void test_ring_is_refused_when_size_or_seals_differ(void **state) {
    void *p = NULL;
    int pipe_ends[2];
    (void)state;
    int fd = memfd_make_ring("t", BYTES);
    assert_int_equal(memfd_map_ring(fd, BYTES * 2, &p), -EBADMSG);
    assert_int_equal(memfd_map_ring(fd, BYTES / 2, &p), -EBADMSG);
    close(fd);
    fd = memfd_create("t", MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, BYTES), 0);
    assert_int_equal(memfd_map_ring(fd, BYTES, &p), -EBADMSG); /* no seals: it could shrink under us */
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    assert_int_equal(memfd_map_ring(fd, BYTES, &p), -EBADMSG);
    close(fd);
    fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
    assert_int_equal(memfd_map_ring(fd, BYTES, &p), -EBADMSG);
    close(fd);
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(memfd_map_ring(pipe_ends[0], BYTES, &p), -EBADMSG);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    assert_null(p);
}

static void test_file_cannot_be_written_and_others_are_refused(void **state) {
    const uint8_t *bytes;
    size_t size;
    (void)state;
    int fd = memfd_make_file("t", "hello", 5);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_ptr_equal(mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    assert_int_equal(memfd_map_file(fd, 4, &bytes, &size), -EBADMSG);
    assert_int_equal(memfd_map_file(fd, 5, &bytes, &size), 0);
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "hello", 5);
    munmap((void *)(uintptr_t)bytes, size);
    close(fd);
    fd = memfd_make_ring("t", BYTES); /* sealed, but writable */
    assert_int_equal(memfd_map_file(fd, BYTES, &bytes, &size), -EBADMSG);
    close(fd);
}

static void test_record_file_refuses_frames_that_lie(void **state) {
    const struct record_header lies[] = {{.size = 1, .type = 1},
                                         {.size = UINT32_MAX, .type = 1},
                                         {.size = 0, .type = RECORD_PAD},
                                         {.size = 0, .type = 1, .reserved = 1}};
    struct record_file f;
    struct ring_record record;
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        record_file_init(&f, (const uint8_t *)&lies[i], sizeof lies[i]);
        assert_int_equal(record_file_next(&f, &record), -EBADMSG);
        record_file_init(&f, (const uint8_t *)&lies[i], 7);
        assert_int_equal(record_file_next(&f, &record), -EBADMSG);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_cannot_be_resized_or_unsealed),
        cmocka_unit_test(test_ring_is_refused_when_size_or_seals_differ),
        cmocka_unit_test(test_file_cannot_be_written_and_others_are_refused),
        cmocka_unit_test(test_record_file_refuses_frames_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
