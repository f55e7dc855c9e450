/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_response.c – response heads, their framing, and the listener's own pages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "listener/h1_error.h"
#include "listener/h1_response.h"
#include "listener/h1_status.h"

#define UNKNOWN H1_LENGTH_UNKNOWN
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

/* Writes into a buffer of exactly room bytes. text: what was written, ended by NUL. */
static int write_response(const struct h1_response *r, size_t room, char *text, struct h1_framing *f) {
    char *out = malloc(room + 1);
    assert_non_null(out);
    int n = h1_response_write(r, out, room, f);
    assert_true(n <= (int)room);
    if (n > 0)
        memcpy(text, out, (size_t)n);
    text[n > 0 ? n : 0] = '\0';
    free(out);
    return n;
}

struct framing_case {
    const char *section;
    enum h1_version version;
    bool head, keep_alive;
    unsigned status;
    uint64_t length;
    const char *outcome; /* the head without its date */
    enum h1_body_kind body;
    bool goes_on;
};

#define V10 H1_VERSION_10
#define V11 H1_VERSION_11
#define CLOSE "Connection: close\r\n"
#define KEEP "Connection: keep-alive\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

static const struct framing_case framings[] = {
    {"9112 6.2", V11, false, true, 200, 5, OK LENGTH(5) "\r\n", H1_BODY_LENGTH, true},
    {"9112 6.2", V11, false, true, 200, 0, OK LENGTH(0) "\r\n", H1_BODY_LENGTH, true},
    {"9112 6.2", V11, false, true, 200, UINT64_MAX - 1, OK LENGTH(18446744073709551614) "\r\n",
     H1_BODY_LENGTH, true},
    {"9112 6.1", V11, false, true, 200, UNKNOWN, OK CHUNKED "\r\n", H1_BODY_CHUNKED, true},
    {"9112 9.6", V11, false, false, 200, 5, OK LENGTH(5) CLOSE "\r\n", H1_BODY_LENGTH, false},
    {"9112 9.6", V11, false, false, 200, UNKNOWN, OK CHUNKED CLOSE "\r\n", H1_BODY_CHUNKED, false},
    {"9112 6.3", V10, false, true, 200, UNKNOWN, OK CLOSE "\r\n", H1_BODY_UNTIL_CLOSE, false},
    {"9112 6.3", V10, false, false, 200, UNKNOWN, OK CLOSE "\r\n", H1_BODY_UNTIL_CLOSE, false},
    {"9112 C.2.2", V10, false, true, 200, 5, OK LENGTH(5) KEEP "\r\n", H1_BODY_LENGTH, true},
    {"9112 C.2.2", V10, false, false, 200, 5, OK LENGTH(5) CLOSE "\r\n", H1_BODY_LENGTH, false},
    {"9110 9.3.2", V11, true, true, 200, 5, OK LENGTH(5) "\r\n", H1_BODY_NONE, true},
    {"9110 9.3.2", V11, true, true, 200, UNKNOWN, OK "\r\n", H1_BODY_NONE, true},
    {"9110 9.3.2", V10, true, true, 200, UNKNOWN, OK KEEP "\r\n", H1_BODY_NONE, true},
    {"9110 9.3.2", V11, true, false, 200, UNKNOWN, OK CLOSE "\r\n", H1_BODY_NONE, false},
    {"9110 15.3.5", V11, false, true, 204, 5, "HTTP/1.1 204 No Content\r\n\r\n", H1_BODY_NONE, true},
    {"9110 15.3.5", V11, false, true, 204, UNKNOWN, "HTTP/1.1 204 No Content\r\n\r\n", H1_BODY_NONE, true},
    {"9110 15.3.6", V11, false, true, 205, 5, "HTTP/1.1 205 Reset Content\r\n" LENGTH(0) "\r\n", H1_BODY_NONE,
     true},
    {"9110 15.4.5", V11, false, true, 304, 0, "HTTP/1.1 304 Not Modified\r\n\r\n", H1_BODY_NONE, true},
    {"9110 15.4.5", V10, false, true, 304, UNKNOWN, "HTTP/1.1 304 Not Modified\r\n" KEEP "\r\n", H1_BODY_NONE,
     true},
    {"9110 15.1", V11, false, true, 299, 1, "HTTP/1.1 299 Unknown\r\n" LENGTH(1) "\r\n", H1_BODY_LENGTH,
     true},
    {"9110 15", V11, false, true, 599, 1, "HTTP/1.1 599 Unknown\r\n" LENGTH(1) "\r\n", H1_BODY_LENGTH, true},
};

static void test_framing_follows_the_rfc(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof framings / sizeof framings[0]; i++) {
        const struct framing_case *c = &framings[i];
        struct h1_response r = {.version = c->version,
                                .head = c->head,
                                .keep_alive = c->keep_alive,
                                .status = (uint16_t)c->status,
                                .content_length = c->length};
        struct h1_framing f;
        char text[512];
        assert_int_equal(write_response(&r, 400, text, &f), strlen(c->outcome));
        if (strcmp(text, c->outcome) != 0 || f.body != c->body || f.keep_alive != c->goes_on)
            fail_msg("section %s: case %zu gives %s (%d %d)", c->section, i, text, f.body, f.keep_alive);
    }
}

static int write_field(struct slice name, struct slice value, char *text) {
    struct field field = {name, value};
    struct h1_response r = {.version = V11,
                            .keep_alive = true,
                            .status = 200,
                            .content_length = 1,
                            .fields = &field,
                            .fields_count = 1,
                            .date = SLICE(DATE)};
    struct h1_framing f;
    return write_response(&r, 400, text, &f);
}

#define PLAIN OK "Date: " DATE "\r\n" LENGTH(1) "\r\n"

static void test_fields_are_written_as_given(void **state) {
    (void)state;
    char text[512];
    assert_true(write_field(SLICE("X-Name"), SLICE("a, \"b\"\tc \xe9"), text) > 0);
    assert_string_equal(text, OK "X-Name: a, \"b\"\tc \xe9\r\nDate: " DATE "\r\n" LENGTH(1) "\r\n");
    assert_true(write_field(SLICE("x"), slice_from(NULL, 0), text) > 0);
    assert_string_equal(text, OK "x: \r\nDate: " DATE "\r\n" LENGTH(1) "\r\n");
}

static void test_framing_fields_of_a_vhost_are_dropped(void **state) {
    (void)state;
    static const char *const names[] = {"connection", "Connection",        "keep-alive",
                                        "Keep-Alive", "proxy-connection",  "TE",
                                        "trailer",    "transfer-encoding", "Transfer-Encoding",
                                        "upgrade",    "content-length",    "CONTENT-LENGTH",
                                        "Date"};
    char text[512];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(write_field(slice_text(names[i]), SLICE("17"), text) > 0);
        assert_string_equal(text, PLAIN);
    }
    assert_true(write_field(SLICE("content-lengthy"), SLICE("17"), text) > 0);
    assert_non_null(strstr(text, "content-lengthy: 17\r\n"));
}

/* Attack 12: every byte, in the name, in the value, at either end, and in a dropped field too. */
static void test_response_cannot_be_split(void **state) {
    (void)state;
    char text[512];
    for (unsigned c = 0; c < 256; c++) {
        char value[] = "a long enough value ?SET: x", name[] = "n?e";
        char *place = strchr(value, '?');
        *place = (char)c;
        name[1] = (char)c;
        bool token = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c > 0 && strchr("!#$%&'*+-.^_`|~", (int)c));
        bool clean = c == '\t' || (c >= 0x20 && c != 0x7f);
        struct slice bad = slice_from(value, sizeof value - 1);
        assert_int_equal(write_field(slice_from(name, 3), SLICE("v"), text) > 0, token);
        assert_int_equal(write_field(SLICE("n"), bad, text) > 0, clean);
        assert_int_equal(write_field(SLICE("date"), bad, text) > 0, clean);
        assert_int_equal(write_field(SLICE("n"), slice_from(place, 1), text) > 0, clean);
    }
    assert_int_equal(write_field(SLICE("x"), SLICE("1\r\nSet-Cookie: y"), text), -EBADMSG);
    assert_int_equal(write_field(SLICE("x\r\ny"), SLICE("1"), text), -EBADMSG);
    assert_int_equal(write_field(SLICE(""), SLICE("1"), text), -EBADMSG);
    assert_int_equal(write_field(SLICE("x:"), SLICE("1"), text), -EBADMSG);
    assert_int_equal(write_field(SLICE("x "), SLICE("1"), text), -EBADMSG);
}

static void test_only_real_statuses_are_written(void **state) {
    (void)state;
    for (unsigned status = 0; status <= 1200; status++) {
        struct h1_response r = {.version = V11, .keep_alive = true, .status = (uint16_t)status};
        struct h1_framing f;
        char text[512];
        bool good = status >= 100 && status < 600 && status != 101;
        assert_int_equal(write_response(&r, 400, text, &f) > 0, good);
    }
}

static void test_interim_responses_have_fields_only(void **state) {
    (void)state;
    struct field link = {SLICE("Link"), SLICE("</a.css>; rel=preload")};
    struct h1_response r = {.version = V11,
                            .status = 103,
                            .content_length = 5,
                            .fields = &link,
                            .fields_count = 1,
                            .date = SLICE(DATE)};
    struct h1_framing f;
    char text[512];
    assert_true(write_response(&r, 400, text, &f) > 0);
    assert_string_equal(text, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    assert_int_equal(f.body, H1_BODY_NONE);
    r.version = V10;
    assert_int_equal(write_response(&r, 400, text, &f), 0);
    r = (struct h1_response){.version = V11, .status = 100};
    assert_true(write_response(&r, 400, text, &f) > 0);
    assert_true(slice_equal(slice_text(text), H1_CONTINUE));
}

static void test_nothing_is_written_behind_the_room(void **state) {
    (void)state;
    struct field field = {SLICE("name"), SLICE("value")};
    struct h1_response r = {.version = V10,
                            .keep_alive = true,
                            .status = 200,
                            .content_length = 12345,
                            .fields = &field,
                            .fields_count = 1,
                            .date = SLICE(DATE)};
    struct h1_framing f;
    char text[512];
    int n = write_response(&r, 400, text, &f);
    assert_true(n > 0);
    assert_int_equal(write_response(&r, (size_t)n, text, &f), n);
    for (int room = 0; room < n; room++)
        assert_int_equal(write_response(&r, (size_t)room, text, &f), -EMSGSIZE);
}

static void test_error_page_is_whole(void **state) {
    (void)state;
    struct h1_response r = {.version = V11, .status = 404, .keep_alive = true, .date = SLICE(DATE)};
    struct h1_framing f;
    char out[H1_ERROR_MAX_BYTES + 1], page[H1_ERROR_BODY_MAX_BYTES], length[64];
    int n = h1_error_write(&r, NULL, out, H1_ERROR_MAX_BYTES, &f);
    assert_true(n > 0);
    out[n] = '\0';
    size_t size = h1_error_body(404, NULL, page);
    sprintf(length, "Content-Length: %zu\r\n", size);
    assert_non_null(strstr(out, length));
    assert_non_null(strstr(out, "Content-Type: text/html; charset=utf-8\r\n"));
    assert_non_null(strstr(out, "<h1>404 Not Found</h1>"));
    assert_memory_equal(strstr(out, "\r\n\r\n") + 4, page, size);
    assert_int_equal(n, strstr(out, "\r\n\r\n") + 4 - out + (long)size);
    assert_int_equal(f.body, H1_BODY_LENGTH);
    assert_int_equal(h1_error_write(&r, NULL, out, (size_t)n - 1, &f), -EMSGSIZE);
}

static void test_error_page_has_no_body_for_head(void **state) {
    (void)state;
    struct field retry = {SLICE("Retry-After"), SLICE("1")};
    struct h1_response r = {.version = V11, .status = 503, .head = true, .fields = &retry, .fields_count = 1};
    struct h1_framing f;
    char out[H1_ERROR_MAX_BYTES + 1];
    int n = h1_error_write(&r, NULL, out, H1_ERROR_MAX_BYTES, &f);
    assert_true(n > 0);
    out[n] = '\0';
    assert_non_null(strstr(out, "Retry-After: 1\r\n"));
    assert_non_null(strstr(out, "Content-Length: "));
    assert_string_equal(strstr(out, "\r\n\r\n"), "\r\n\r\n");
}

static void test_every_error_page_fits(void **state) {
    (void)state;
    for (unsigned status = 400; status < 600; status++) {
        struct h1_response r = {.version = V10, .status = (uint16_t)status, .date = SLICE(DATE)};
        struct h1_framing f;
        char out[H1_ERROR_MAX_BYTES];
        assert_true(h1_error_write(&r, NULL, out, sizeof out, &f) > 0);
    }
    char page[H1_ERROR_BODY_MAX_BYTES + 1] = {0};
    (void)h1_error_body(200, NULL, page);
    assert_non_null(strstr(page, "<h1>200 OK</h1>\n<p>That is all"));
    assert_true(slice_equal(h1_status_reason(431), SLICE("Request Header Fields Too Large")));
    assert_true(slice_equal(h1_status_reason(99999), SLICE("Unknown")));
}

static void test_preface_answer_is_two_frames(void **state) {
    (void)state;
    const unsigned char *p = (const unsigned char *)h1_error_preface.p;
    assert_int_equal(h1_error_preface.n, 9 + 9 + 8);
    assert_int_equal(p[3], 4);     /* SETTINGS, empty */
    assert_int_equal(p[9 + 2], 8); /* GOAWAY, eight bytes */
    assert_int_equal(p[9 + 3], 7);
    assert_int_equal(p[25], 0xd); /* HTTP_1_1_REQUIRED */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing_follows_the_rfc),
        cmocka_unit_test(test_fields_are_written_as_given),
        cmocka_unit_test(test_framing_fields_of_a_vhost_are_dropped),
        cmocka_unit_test(test_response_cannot_be_split),
        cmocka_unit_test(test_only_real_statuses_are_written),
        cmocka_unit_test(test_interim_responses_have_fields_only),
        cmocka_unit_test(test_nothing_is_written_behind_the_room),
        cmocka_unit_test(test_error_page_is_whole),
        cmocka_unit_test(test_error_page_has_no_body_for_head),
        cmocka_unit_test(test_every_error_page_fits),
        cmocka_unit_test(test_preface_answer_is_two_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
