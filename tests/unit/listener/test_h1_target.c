/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_target.c – forms of the request-target and the canonical path. */
#include "head_cases.h"
#include "listener/h1_target.h"

#define GET(target) SLICE("GET " target " HTTP/1.1\r\nHost: a\r\n\r\n")
#define OPTIONS(target) SLICE("OPTIONS " target " HTTP/1.1\r\nHost: a\r\n\r\n")
#define TAIL " @a #a 1.1 keep | host: a"

static const struct head_case forms[] = {
    {"9112 3.2.1", GET("/a/b?c=d"), "GET /a/b ?c=d" TAIL},
    {"9112 3.2.1", GET("/a?"), "GET /a" TAIL},
    {"9112 3.2.1", GET("/a?b?c/../d"), "GET /a ?b?c/../d" TAIL},
    {"9112 3.2.1", GET("a"), "400 request-target of no known form"},
    {"9112 3.2.1", GET("?a"), "400 request-target of no known form"},
    {"9112 3.2.1", GET("../a"), "400 request-target of no known form"},
    {"9112 3.2.1", GET("/a#b"), "400 byte that no path"},
    {"9112 3.2.1", GET("/a?b#c"), "400 byte that no query"},
    {"9112 3.2.2", GET("http://b"), "GET / @b #b 1.1 keep absolute | host: b"},
    {"9112 3.2.2", GET("HTTP://b:8080/x?y"), "GET /x ?y @b:8080 #b 1.1 keep absolute | host: b:8080"},
    {"9112 3.2.2", GET("http://b?y"), "GET / ?y @b #b 1.1 keep absolute | host: b"},
    {"9112 3.2.2", GET("https://b/x"), "GET /x @b #b 1.1 keep absolute https | host: b"},
    {"9112 3.2.2", GET("http://b/x/../y"), "GET /y raw=/x/../y @b #b 1.1 keep absolute | host: b"},
    {"9110 4.2.1", GET("http://"), "400"},
    {"9110 4.2.1", GET("http:///x"), "400 invalid authority"},
    {"9110 4.2.1", GET("http://:80/x"), "400 invalid authority"},
    {"9110 4.2.4", GET("http://u@b/x"), "400 invalid authority"},
    {"9110 4.2.4", GET("http://u:p@b/x"), "400 invalid authority"},
    {"9112 3.2.2", GET("http:/b"), "400 request-target of no known form"},
    {"9112 3.2.2", GET("ftp://b/x"), "400 request-target of no known form"},
    {"9112 3.2.2", GET("//b/x"), "GET /b/x raw=//b/x" TAIL},
    {"9112 3.2.3", GET("b:80"), "400 request-target of no known form"},
    {"9112 3.2.4", OPTIONS("*"), "OPTIONS / raw=* @a #a 1.1 keep asterisk | host: a"},
    {"9112 3.2.4", OPTIONS("/"), "OPTIONS /" TAIL},
    {"9112 3.2.4", OPTIONS("http://b:1"), "OPTIONS / raw=* @b:1 #b 1.1 keep asterisk | host: b:1"},
    {"9112 3.2.4", OPTIONS("http://b/"), "OPTIONS / @b #b 1.1 keep absolute | host: b"},
    {"9112 3.2.4", OPTIONS("http://b?x"), "OPTIONS / ?x @b #b 1.1 keep absolute | host: b"},
    {"9112 3.2.4", GET("*"), "400 asterisk form without OPTIONS"},
    {"9112 3.2.4", OPTIONS("**"), "400"},
    {"9112 3.2.4", OPTIONS("*?x"), "400"},
};

static const struct head_case paths[] = {
    {"3986 2.1", GET("/%61b%7e"), "GET /ab~ raw=/%61b%7e" TAIL},
    {"3986 2.4", GET("/%2561"), "GET /%61 raw=/%2561" TAIL},
    {"3986 2.4", GET("/%252e%252e/x"), "GET /%2e%2e/x raw=/%252e%252e/x" TAIL},
    {"3986 2.4", GET("/%252f"), "GET /%2f raw=/%252f" TAIL},
    {"3986 2.1", GET("/a%3fb%23c"), "GET /a?b#c raw=/a%3fb%23c" TAIL},
    {"3986 2.1", GET("/%20"), "GET /  raw=/%20" TAIL},
    {"3986 2.1", GET("/%"), "400 broken percent"},
    {"3986 2.1", GET("/%4"), "400 broken percent"},
    {"3986 2.1", GET("/%4/"), "400 broken percent"},
    {"3986 2.1", GET("/%4g"), "400 broken percent"},
    {"3986 2.1", GET("/%g4"), "400 broken percent"},
    {"3986 2.1", GET("/%%34"), "400 broken percent"},
    {"3986 2.1", GET("/%u0041"), "400 broken percent"},
    {"3986 7.3", GET("/%2f"), "400 encoded slash"},
    {"3986 7.3", GET("/a%2F..%2Fb"), "400 encoded slash"},
    {"3986 7.3", GET("/%00"), "400 control byte"},
    {"3986 7.3", GET("/a%0d%0aSet-Cookie:x"), "400 control byte"},
    {"3986 7.3", GET("/%7f"), "400 control byte"},
    {"3986 7.3", GET("/%1b"), "400 control byte"},
    {"3986 7.3", GET("/a%5cb"), "400 backslash"},
    {"3986 7.3", GET("/a\\b"), "400 byte that no path"},
    {"3986 5.2.4", GET("/a/./b/../c"), "GET /a/c raw=/a/./b/../c" TAIL},
    {"3986 5.2.4", GET("/a/b/.."), "GET /a/ raw=/a/b/.." TAIL},
    {"3986 5.2.4", GET("/a/b/."), "GET /a/b/ raw=/a/b/." TAIL},
    {"3986 5.2.4", GET("/a/.."), "GET / raw=/a/.." TAIL},
    {"3986 5.2.4", GET("/."), "GET / raw=/." TAIL},
    {"3986 5.2.4", GET("/./"), "GET / raw=/./" TAIL},
    {"3986 5.2.4", GET("/a/../b"), "GET /b raw=/a/../b" TAIL},
    {"3986 5.2.4", GET("/a/b/c/../../d"), "GET /a/d raw=/a/b/c/../../d" TAIL},
    {"3986 5.2.4", GET("/%2e%2E/"), "400 path above the root"},
    {"3986 5.2.4", GET("/.%2e/x"), "400 path above the root"},
    {"3986 5.2.4", GET("/a/%2e%2e/b"), "GET /b raw=/a/%2e%2e/b" TAIL},
    {"3986 5.2.4", GET("/a/%2e/b"), "GET /a/b raw=/a/%2e/b" TAIL},
    {"3986 5.2.4", GET("/.."), "400 path above the root"},
    {"3986 5.2.4", GET("/../etc/passwd"), "400 path above the root"},
    {"3986 5.2.4", GET("/a/../../etc/passwd"), "400 path above the root"},
    {"3986 5.2.4", GET("/a/../../a/x"), "400 path above the root"},
    {"3986 5.2.4", GET("/a//../b"), "GET /b raw=/a//../b" TAIL},
    {"3986 5.2.4", GET("/..."), "GET /..." TAIL},
    {"3986 5.2.4", GET("/..a/.b/c."), "GET /..a/.b/c." TAIL},
    {"3986 5.2.4", GET("/a..b/c../d"), "GET /a..b/c../d" TAIL},
    {"3986 5.2.4", GET("/.well-known/x"), "GET /.well-known/x" TAIL},
    {"3986 5.2.4", GET("/..;/x"), "GET /..;/x" TAIL},
    {"3986 3.3", GET("//"), "GET / raw=//" TAIL},
    {"3986 3.3", GET("///a//b///"), "GET /a/b/ raw=///a//b///" TAIL},
    {"3986 3.3", GET("/a/"), "GET /a/" TAIL},
    {"3986 3.3", GET("/-._~!$&'()*+,;=:@"), "GET /-._~!$&'()*+,;=:@" TAIL},
    {"3986 3.3", GET("/a|b[c]^"), "GET /a|b[c]^" TAIL},
    {"3986 3.3", GET("/a\"b"), "400 byte that no path"},
    {"3986 3.3", GET("/<a>"), "400 byte that no path"},
    {"3986 3.3", GET("/{a}"), "400 byte that no path"},
    {"3986 3.4", GET("/?a[]=1&b={\\}|^`/?"), "GET / ?a[]=1&b={\\}|^`/?" TAIL},
    {"3986 3.4", GET("/?100%"), "GET / ?100%" TAIL},
    {"3986 3.4", GET("/?%00%2f"), "GET / ?%00%2f" TAIL},
    {"3986 3.4", GET("/?\"a\""), "400 byte that no query"},
    {"3986 3.4", GET("/?<"), "400 byte that no query"},
    {"3629 4", GET("/caf%c3%a9"), "GET /caf\xc3\xa9 raw=/caf%c3%a9" TAIL},
    {"3629 4", GET("/caf%e9"), "GET /caf\xe9 raw=/caf%e9 @a #a 1.1 keep latin | host: a"},
    {"3629 3", GET("/%c0%af"), "GET /\xc0\xaf raw=/%c0%af @a #a 1.1 keep latin | host: a"},
};

static void test_forms(void **state) {
    (void)state;
    CHECK_HEADS(forms);
}

static void test_canonical_path(void **state) {
    (void)state;
    CHECK_HEADS(paths);
}

static void test_encoded_slash_is_kept_when_limits_say_so(void **state) {
    (void)state;
    static const struct head_case cases[] = {
        {"3986 2.2", GET("/a%2Fb"), "GET /a%2Fb" TAIL},
        {"3986 2.2", GET("/a%2fb/%41"), "GET /a%2Fb/A raw=/a%2fb/%41" TAIL},
        {"3986 5.2.4", GET("/a/..%2F..%2Fetc"), "GET /a/..%2F..%2Fetc" TAIL},
        {"3986 5.2.4", GET("/%2F/../b"), "GET /b raw=/%2F/../b" TAIL},
        {"3986 5.2.4", GET("/%2e%2e%2f"), "GET /..%2F raw=/%2e%2e%2f" TAIL},
        {"3986 2.4", GET("/%252F"), "400 twice encoded slash"},
        {"3986 2.4", GET("/%252f"), "400 twice encoded slash"},
        {"3986 2.4", GET("/%25%32%46"), "400 twice encoded slash"},
        {"3986 2.4", GET("/%25%32f"), "400 twice encoded slash"},
        {"3986 2.4", GET("/%2552F"), "GET /%52F raw=/%2552F" TAIL},
        {"3986 2.4", GET("/%25252F"), "GET /%252F raw=/%25252F" TAIL},
        {"3986 2.4", GET("/%252"), "GET /%2 raw=/%252" TAIL},
        {"3986 2.4", GET("/%2/f"), "400 broken percent"},
        {"3986 2.4", GET("/%252/F"), "GET /%2/F raw=/%252/F" TAIL},
        {"3986 2.4", GET("/%2F%2F2Ff"), "GET /%2F%2F2Ff" TAIL},
        {"3986 7.3", GET("/%2F%00"), "400 control byte"},
        {"3986 7.3", GET("/%2F%5c"), "400 backslash"},
    };
    struct h1_limits limits = h1_default_limits;
    limits.keep_encoded_slash = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        head_check(&cases[i], &limits);
}

static void test_bad_utf8_is_refused_when_limits_say_so(void **state) {
    (void)state;
    static const struct head_case cases[] = {
        {"3629 4", GET("/caf%c3%a9"), "GET /caf\xc3\xa9 raw=/caf%c3%a9" TAIL},
        {"3629 4", GET("/%F0%9F%98%80?%ff"), "GET /\xf0\x9f\x98\x80 raw=/%F0%9F%98%80 ?%ff" TAIL},
        {"3629 4", GET("/caf%e9"), "400 path is not UTF-8"},
        {"3629 3", GET("/%c0%af"), "400 path is not UTF-8"},
        {"3629 3", GET("/%ed%a0%80"), "400 path is not UTF-8"},
        {"3629 3", GET("/%c3/%a9"), "400 path is not UTF-8"},
        {"3629 3", GET("/%ff/../a"), "GET /a raw=/%ff/../a" TAIL},
        {"3986 2.1", GET("/plain"), "GET /plain" TAIL},
    };
    struct h1_limits limits = h1_default_limits;
    limits.refuse_bad_utf8 = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        head_check(&cases[i], &limits);
}

static void test_longest_path_is_taken(void **state) {
    (void)state;
    static char text[H1_TARGET_MAX_BYTES + 64], line[H1_RENDER_MAX_BYTES];
    size_t n = (size_t)snprintf(text, sizeof text, "GET /"), target = n - 1;
    while (n + 3 <= target + H1_TARGET_MAX_BYTES)
        n += (size_t)snprintf(text + n, sizeof text - n, "%%41");
    while (n < target + H1_TARGET_MAX_BYTES)
        text[n++] = 'b';
    n += (size_t)snprintf(text + n, sizeof text - n, " HTTP/1.0\r\n\r\n");
    assert_int_equal(head_feed(slice_from(text, n), n, 1, &h1_default_limits, line), n);
    assert_memory_equal(line, "GET /AAAA", 9);
}

static void test_utf8_is_recognised(void **state) {
    (void)state;
    static const struct {
        struct slice text;
        bool good;
    } cases[] = {
        {SLICE("plain"), true},
        {SLICE("\xc2\x80\xdf\xbf"), true},
        {SLICE("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"), true},
        {SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), true},
        {SLICE("\x80"), false},
        {SLICE("\xc1\xbf"), false},
        {SLICE("\xc2"), false},
        {SLICE("\xc2\x41"), false},
        {SLICE("\xe0\x9f\xbf"), false},
        {SLICE("\xed\xa0\x80"), false},
        {SLICE("\xe1\x80\xc0"), false},
        {SLICE("\xf0\x8f\xbf\xbf"), false},
        {SLICE("\xf4\x90\x80\x80"), false},
        {SLICE("\xf5\x80\x80\x80"), false},
        {SLICE("\xff"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(h1_path_is_utf8(cases[i].text), cases[i].good);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_canonical_path),
        cmocka_unit_test(test_encoded_slash_is_kept_when_limits_say_so),
        cmocka_unit_test(test_bad_utf8_is_refused_when_limits_say_so),
        cmocka_unit_test(test_longest_path_is_taken),
        cmocka_unit_test(test_utf8_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
