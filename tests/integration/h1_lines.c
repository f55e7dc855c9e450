/* SPDX-License-Identifier: Apache-2.0 */
/* h1_lines.c – a test's way to the codec: requests from stdin, what it makes of each to stdout.
 *
 * In:  for each case a number of bytes (u32, little-endian), then the bytes.
 * Out: for each case one line, its parts separated by tabs, text as hexadecimal digits ("-" where empty):
 *        refused STATUS REASON      a head, or later its body, that is not taken
 *        head                       more of the head is wanted
 *        body                       more of the body is wanted
 *        done METHOD TARGET VERSION KEEP FRAMING CONSUMED BODY NAME VALUE NAME VALUE ...
 *      FRAMING is none, length or chunked. */
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "listener/h1_body.h"
#include "listener/h1_head.h"

#define CASE_MAX_BYTES (1 << 20)

static void print_hex(struct slice s) {
    if (s.n == 0)
        (void)putchar('-');
    for (size_t i = 0; i < s.n; i++)
        (void)printf("%02x", (uint8_t)s.p[i]);
}

static void print_part(struct slice s) {
    (void)putchar('\t');
    print_hex(s);
}

static void print_refusal(struct h1_refusal r) {
    (void)printf("refused\t%u\t%s\n", r.status, r.reason);
}

/* Gathers content at the begin of room. Returns the verdict; used: bytes of the body. */
static enum h1_verdict read_body(struct h1_body *body, const char *p, size_t n, char *room, size_t *taken,
                                 size_t *used) {
    enum h1_verdict v;
    struct slice data;
    size_t step;
    *used = *taken = 0;
    while ((v = h1_body_next(body, p + *used, n - *used, SIZE_MAX, &step, &data)) == H1_DATA) {
        memcpy(room + *taken, data.p, data.n);
        *taken += data.n;
        *used += step;
    }
    *used += step;
    return v;
}

static void print_done(const struct h1_head *head, size_t consumed, struct slice content) {
    static const char *const framings[] = {
        [H1_BODY_NONE] = "none", [H1_BODY_LENGTH] = "length", [H1_BODY_CHUNKED] = "chunked"};
    (void)printf("done");
    print_part(head->method);
    print_part(head->target);
    (void)printf("\t%s\t%d\t%s\t%zu", head->version == H1_VERSION_11 ? "1.1" : "1.0", head->keep_alive,
                 framings[head->body], consumed);
    print_part(content);
    for (size_t i = 0; i < head->fields_count; i++) {
        print_part(head->fields[i].name);
        print_part(head->fields[i].value);
    }
    (void)putchar('\n');
}

static void judge(char *bytes, size_t n, char *room) {
    static char path[H1_TARGET_MAX_BYTES];
    static struct field fields[H1_FIELDS_MAX];
    struct h1_parser parser;
    struct h1_head head;
    struct h1_body body;
    size_t taken, used;

    h1_head_begin(&parser, &h1_default_limits);
    enum h1_verdict v = h1_head_parse(&parser, bytes, n);
    if (v == H1_REFUSED) {
        print_refusal(parser.refusal);
    } else if (v == H1_MORE) {
        (void)puts("head");
    } else {
        h1_head_read(&parser, bytes, path, fields, &head);
        h1_body_begin(&body, &head, &h1_default_limits);
        v = read_body(&body, bytes + parser.consumed, n - parser.consumed, room, &taken, &used);
        if (v == H1_REFUSED)
            print_refusal(body.refusal);
        else if (v == H1_MORE)
            (void)puts("body");
        else
            print_done(&head, parser.consumed + used, slice_from(room, taken));
    }
}

int main(void) {
    uint8_t size[4];
    char *room = malloc(CASE_MAX_BYTES);
    MUST(room != NULL);
    while (fread(size, 1, sizeof size, stdin) == sizeof size) {
        size_t n = size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
        MUST(n <= CASE_MAX_BYTES);
        char *bytes = malloc(n > 0 ? n : 1); /* its own block: reading past it is seen */
        MUST(bytes != NULL && fread(bytes, 1, n, stdin) == n);
        judge(bytes, n, room);
        free(bytes);
    }
    free(room);
    return 0;
}
