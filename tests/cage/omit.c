/* SPDX-License-Identifier: Apache-2.0 */
/* omit.c – what an escape test wants of this process: which walls to leave out, what to attack.
 * Runs in: test builds only. Master finds it in the environment (LUTTPD_TEST), a role in its second
 * argument, where spawn put it. The form is "test:key=value;key=value". */
#include "cage/omit.h"

#include <stdlib.h>
#include <string.h>

#include "test_value.h"

unsigned cage_omitted;
int cage_landlock_max = 99;
char *cage_omitted_argument;

size_t test_value(const char *key, char *out, size_t room) {
    size_t length = strlen(key);
    const char *at = cage_omitted_argument;
    while (at != NULL && (at = strpbrk(at, ":;")) != NULL) {
        at++;
        if (strncmp(at, key, length) == 0 && at[length] == '=') {
            size_t n = strcspn(at + length + 1, ";");
            n = n < room ? n : room - 1;
            memcpy(out, at + length + 1, n);
            out[n] = '\0';
            return n;
        }
    }
    out[0] = '\0';
    return 0;
}

/* glibc hands main's arguments to constructors. */
__attribute__((constructor)) static void read_argument(int argc, char **argv, char **environment) {
    char text[32];
    (void)environment;
    cage_omitted_argument = getenv("LUTTPD_TEST");
    if (argc == 2 && strncmp(argv[1], "test:", 5) == 0) {
        cage_omitted_argument = argv[1];
    }
    (void)test_value("omit", text, sizeof text);
    cage_omitted = (unsigned)strtoul(text, NULL, 0);
    if (test_value("landlock", text, sizeof text) != 0) {
        cage_landlock_max = atoi(text);
    }
}
