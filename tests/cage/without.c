/* SPDX-License-Identifier: Apache-2.0 */
/* without.c – runs a program on a kernel that lacks something: one system call fails.
 *
 *   without CALL ERRNO [ARGUMENT VALUE] -- PROGRAM...    only where that argument has that value
 *
 * Runs in: the tests. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int program = 3;
    while (program < argc && strcmp(argv[program], "--") != 0) {
        program++;
    }
    if (program >= argc - 1) {
        (void)fputs("usage: without CALL ERRNO [ARGUMENT VALUE] -- PROGRAM...\n", stderr);
        return 2;
    }
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    unsigned tests = program == 5 ? 1 : 0;
    struct scmp_arg_cmp test = {0};
    if (tests == 1) {
        test = (struct scmp_arg_cmp){(unsigned)atoi(argv[3]), SCMP_CMP_EQ, strtoull(argv[4], NULL, 0), 0};
    }
    int rc = seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0);
    if (rc == 0) {
        rc = seccomp_rule_add_array(context, SCMP_ACT_ERRNO((unsigned)atoi(argv[2])),
                                    seccomp_syscall_resolve_name(argv[1]), tests, &test);
    }
    if (rc == 0) {
        rc = seccomp_load(context);
    }
    if (rc != 0) {
        (void)fprintf(stderr, "without: %s\n", strerror(-rc));
        return 2;
    }
    (void)execvp(argv[program + 1], argv + program + 1);
    return 2;
}
