/* SPDX-License-Identifier: Apache-2.0 */
/* h1_parse.c – h1_parse HEAD...: how long the codec takes for each request head, a file, and for one
 * response head, in nanoseconds.
 * Prints the fastest of many rounds, since other work on the machine can only slow it down.
 * Parsing lower-cases names in place, so each head is a fresh copy; the copy is timed too, and
 * shown, but not subtracted. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/must.h"
#include "listener/h1_head.h"
#include "listener/h1_response.h"

#define ROUNDS 200
#define HEADS_PER_ROUND 5000

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What one round does so many times; sum keeps the compiler from leaving it out. */
typedef size_t work(struct slice head);

static char buffer[2048], path_room[H1_TARGET_MAX_BYTES];
static struct field fields[H1_FIELDS_MAX];

static size_t copy_only(struct slice head) {
    memcpy(buffer, head.p, head.n);
    __asm__ volatile("" ::: "memory");
    return head.n;
}

static size_t parse_only(struct slice head) {
    struct h1_parser p;
    copy_only(head);
    h1_head_begin(&p, &h1_default_limits);
    MUST(h1_head_parse(&p, buffer, head.n) == H1_DONE);
    return p.consumed;
}

static size_t parse_and_read(struct slice head) {
    struct h1_parser p;
    struct h1_head h;
    copy_only(head);
    h1_head_begin(&p, &h1_default_limits);
    MUST(h1_head_parse(&p, buffer, head.n) == H1_DONE);
    h1_head_read(&p, buffer, path_room, fields, &h);
    return h.end_to_end;
}

static size_t respond(struct slice head) {
    static const struct field answer[] = {
        {SLICE("content-type"), SLICE("text/html; charset=utf-8")},
        {SLICE("last-modified"), SLICE("Sun, 06 Nov 1994 08:49:37 GMT")},
        {SLICE("etag"), SLICE("\"0a1b2c3d-400\"")},
        {SLICE("cache-control"), SLICE("public, max-age=3600")},
    };
    struct h1_response r = {.version = H1_VERSION_11,
                            .keep_alive = true,
                            .status = 200,
                            .content_length = 1024,
                            .fields = answer,
                            .fields_count = 4,
                            .date = SLICE("Sun, 06 Nov 1994 08:49:37 GMT")};
    struct h1_framing f;
    (void)head;
    return (size_t)h1_response_write(&r, buffer, sizeof buffer, &f);
}

static void measure(const char *name, const char *what, work *job, struct slice head) {
    uint64_t best = UINT64_MAX;
    size_t sum = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t begin = now_ns();
        for (unsigned i = 0; i < HEADS_PER_ROUND; i++)
            sum += job(head);
        uint64_t took = now_ns() - begin;
        best = took < best ? took : best;
    }
    double each = (double)best / HEADS_PER_ROUND;
    MUST(sum > 0);
    printf("%-16s %-16s %6zu bytes %8.1f ns %6.2f GB/s\n", name, what, head.n, each, (double)head.n / each);
}

static struct slice read_head(const char *path) {
    static char bytes[sizeof buffer];
    FILE *file = fopen(path, "rb");
    MUST(file != NULL);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return slice_from(bytes, n);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct slice head = read_head(argv[i]);
        const char *name = strrchr(argv[i], '/');
        name = name ? name + 1 : argv[i];
        measure(name, "copy", copy_only, head);
        measure(name, "parse", parse_only, head);
        measure(name, "parse and read", parse_and_read, head);
    }
    measure("response", "4 fields", respond, slice_from(NULL, 0));
    return 0;
}
