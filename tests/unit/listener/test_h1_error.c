/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_error.c – what pages say, in which form, and who gets which. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "listener/h1_accept.h"
#include "listener/h1_error.h"

static const char *body(unsigned status, const struct h1_page *page) {
    static char out[H1_ERROR_BODY_MAX_BYTES + 1];
    size_t n = h1_error_body(status, page, out);
    assert_true(n <= H1_ERROR_BODY_MAX_BYTES);
    out[n] = '\0';
    assert_int_equal(strlen(out), n);
    return out;
}

static void test_page_shows_the_request_when_it_has_an_id(void **state) {
    (void)state;
    struct h1_page page = {.request = 0xabc};
    assert_non_null(strstr(body(404, &page), "<p>Request 0000000000000abc</p>"));
    assert_null(strstr(body(404, NULL), "Request"));
    page.json = true;
    assert_string_equal(body(404, &page),
                        "{\"status\":404,\"title\":\"Not Found\",\"detail\":\"There is nothing at "
                        "this address.\",\"request\":\"0000000000000abc\"}\n");
    page.request = UINT64_MAX;
    assert_non_null(strstr(body(404, &page), "\"request\":\"ffffffffffffffff\""));
    page.request = 0;
    assert_string_equal(
        body(299, &page),
        "{\"status\":299,\"title\":\"Unknown\",\"detail\":\"That is all there is to say.\"}\n");
}

static void test_page_escapes_its_text(void **state) {
    (void)state;
    struct h1_page page = {.text = SLICE("<b>\"A\" & \\\r\n\x7f caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80")};
    assert_non_null(strstr(body(503, &page), "<p>&lt;b&gt;&quot;A&quot; &amp; \\    caf\xc3\xa9 \xe2\x82\xac "
                                             "\xf0\x9f\x98\x80</p>"));
    page.json = true;
    assert_non_null(strstr(body(503, &page),
                           "\"detail\":\"\\u003cb>\\\"A\\\" & \\\\    caf\xc3\xa9 \xe2\x82\xac "
                           "\xf0\x9f\x98\x80\"}"));
    page.text = SLICE("caf\xe9 \xc3\xa9");
    assert_non_null(strstr(body(503, &page), "\"detail\":\"caf? ??\"}"));
}

/* Whatever the text, the page fits and its end is there. */
static void test_long_text_is_cut_behind_a_character(void **state) {
    (void)state;
    static const char *const units[] = {"a", "&", "\"", "<", "\\", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xff"};
    for (size_t i = 0; i < 2 * sizeof units / sizeof units[0]; i++) {
        char text[4096];
        size_t unit = strlen(units[i / 2]);
        for (size_t n = 0; n < sizeof text; n += unit)
            memcpy(text + n, units[i / 2], unit);
        struct h1_page page = {.request = 1, .json = i % 2, .text = slice_from(text, sizeof text)};
        const char *out = body(431, &page);
        assert_true(strlen(out) > H1_ERROR_BODY_MAX_BYTES - 90);
        assert_non_null(strstr(out, page.json ? "\",\"request\":\"0000000000000001\"}\n"
                                              : "</p>\n<p>Request 0000000000000001</p>\n</html>\n"));
        const char *end = strstr(out, page.json ? "\",\"request" : "</p>\n<p>R");
        assert_true(end[-1] == units[i / 2][unit - 1] || strchr(";\"c\\?", end[-1]));
    }
}

static void test_answer_has_the_type_of_its_page(void **state) {
    (void)state;
    char out[H1_ERROR_MAX_BYTES + 1];
    struct h1_framing f;
    struct h1_page page = {.json = true};
    struct h1_response r = {.version = H1_VERSION_11, .status = 404};
    int n = h1_error_write(&r, &page, out, H1_ERROR_MAX_BYTES, &f);
    assert_true(n > 0);
    out[n] = '\0';
    assert_non_null(strstr(out, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(out, "\r\n\r\n{\"status\":404"));
}

static void test_answer_is_refused_when_fields_are_too_many_or_bad(void **state) {
    (void)state;
    char out[H1_ERROR_MAX_BYTES];
    struct h1_framing f;
    struct field fields[9];
    for (size_t i = 0; i < 9; i++)
        fields[i] = (struct field){SLICE("a"), SLICE("b")};
    struct h1_response r = {.version = H1_VERSION_11, .status = 404, .fields = fields, .fields_count = 9};
    assert_int_equal(h1_error_write(&r, NULL, out, sizeof out, &f), -EMSGSIZE);
    r.fields_count = 8;
    assert_true(h1_error_write(&r, NULL, out, sizeof out, &f) > 0);
    fields[7].value = SLICE("b\r\nc: d");
    assert_int_equal(h1_error_write(&r, NULL, out, sizeof out, &f), -EBADMSG);
}

static void test_json_goes_to_who_prefers_it(void **state) {
    (void)state;
    static const struct {
        const char *accept;
        bool json;
    } cases[] = {
        {"", false},
        {"*/*", false},
        {"text/html", false},
        {"application/json", true},
        {"Application/JSON", true},
        {"application/json;charset=utf-8", true},
        {"application/json, text/plain, */*", true},
        {"application/*", true},
        {"application/*, text/*", false},
        {"application/json, text/html", false},
        {"text/html, application/json", false},
        {"text/html;q=0.5, application/json", true},
        {"text/html;q=0.5,application/json;q=0.4", false},
        {"text/html;q=0.5,application/json;q=0.501", true},
        {"application/json;q=0.5, */*;q=0.9", false},
        {"application/json;q=0.9, */*;q=0.5", true},
        {"application/json;q=0, */*", false},
        {"text/html;q=0, */*", true},
        {"text/html;q=0, application/json;q=0", false},
        {"application/json;q=1.000", true},
        {"application/json;q=1.", true},
        {"application/json ; q=0.001", true},
        {"application/json;Q=1", true},
        {"application/json;q=1.001", false},
        {"application/json;q=2", false},
        {"application/json;q=0.0001", false},
        {"application/json;q=", false},
        {"application/json;q=x", false},
        {"application/json;q=0x5", false},
        {"application/json;q=0.x", false},
        {"application/json;q=-1", false},
        {"application/json;q=0;q=1", true},
        {"application/jsonp", false},
        {"application/problem+json", false},
        {"application/json text/html", false},
        {",,, application/json ,", true},
        {";;;,=,;q", false},
        {"application/json;q=0.2, application/json;q=0.8, text/html;q=0.5", true},
        {"application/*;q=0.8, application/json;q=0.2, text/html;q=0.5", false},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (h1_prefers_json(slice_text(cases[i].accept)) != cases[i].json)
            fail_msg("\"%s\" must give %s", cases[i].accept, cases[i].json ? "JSON" : "HTML");
    assert_false(h1_prefers_json(slice_from(NULL, 0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_shows_the_request_when_it_has_an_id),
        cmocka_unit_test(test_page_escapes_its_text),
        cmocka_unit_test(test_long_text_is_cut_behind_a_character),
        cmocka_unit_test(test_answer_has_the_type_of_its_page),
        cmocka_unit_test(test_answer_is_refused_when_fields_are_too_many_or_bad),
        cmocka_unit_test(test_json_goes_to_who_prefers_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
