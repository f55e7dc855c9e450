/* SPDX-License-Identifier: Apache-2.0 */
/* test_accept.c – which page a client would rather read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/accept.h"

static const struct {
    const char *accept;
    bool json;
} cases[] = {
    {"", false},
    {"*/*", false},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
    {"application/json", true},
    {" Application/JSON ; q=0.3", true},
    {"application/json, text/plain, */*", true},
    {"application/json, text/html", false},
    {"text/html;q=0.5,application/json;q=0.501", true},
    {"application/json;q=0, */*", false},
    {"text/html;q=0, */*", true},
    {"application/json;q=1.001", false},
    {"application/json;q=0.0001", false},
    {",,\t,application/json,", true},
    {"application/*;q=0.8, application/json;q=0.2, text/html;q=0.5", false},
};

static void test_knows_what_a_client_prefers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].accept);
        char *copy = malloc(n > 0 ? n : 1); /* its own block: reading past it is seen */
        assert_non_null(copy);
        memcpy(copy, cases[i].accept, n);
        if (accept_prefers_json(slice_from(copy, n)) != cases[i].json)
            fail_msg("\"%s\"", cases[i].accept);
        free(copy);
    }
    assert_false(accept_prefers_json(slice_from(NULL, 0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_what_a_client_prefers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
