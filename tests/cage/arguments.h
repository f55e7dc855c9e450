/* SPDX-License-Identifier: Apache-2.0 */
/* arguments.h – calls that are harmless or harmful by their arguments. Runs in: the tests. */
#ifndef LUTTPD_TEST_ARGUMENTS_H
#define LUTTPD_TEST_ARGUMENTS_H

struct argument_case {
    const char *name; /* "bad." where every role must die of it, "own." where all must live */
    long number;
    long arguments[6];
};

/** Ends with an entry without a name. */
extern const struct argument_case argument_cases[];

#endif
