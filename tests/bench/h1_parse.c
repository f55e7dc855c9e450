/* SPDX-License-Identifier: Apache-2.0 */
/* h1_parse.c – how long the codec takes for one request and one response, in nanoseconds.
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

static const char browser[] =
    "GET /articles/2024/05/how-rings-work.html?from=front&position=3 HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "Sec-CH-UA: \"Chromium\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n"
    "Sec-CH-UA-Mobile: ?0\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Referer: https://www.example.org/\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\n"
    "Cookie: session=0a1b2c3d4e5f60718293a4b5; theme=dark\r\n"
    "\r\n";

static const char tool[] = "GET / HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\n"
                           "Accept: */*\r\n\r\n";

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

static void measure(const char *name, work *job, struct slice head) {
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
    printf("%-28s %6zu bytes %8.1f ns %6.2f GB/s\n", name, head.n, each, (double)head.n / each);
}

int main(void) {
    measure("browser: copy", copy_only, SLICE(browser));
    measure("browser: parse", parse_only, SLICE(browser));
    measure("browser: parse and read", parse_and_read, SLICE(browser));
    measure("command line: parse and read", parse_and_read, SLICE(tool));
    measure("response head, 4 fields", respond, SLICE(""));
    return 0;
}
