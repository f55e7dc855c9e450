/* SPDX-License-Identifier: Apache-2.0 */
/* test_value.h – one value of the escape test's argument. Runs in: test builds only. */
#ifndef LUTTPD_TEST_VALUE_H
#define LUTTPD_TEST_VALUE_H

#include <stddef.h>

/** Copies the value of key into out, with a NUL, cut to room. Returns its length, 0 where the key is
 * missing. */
size_t test_value(const char *key, char *out, size_t room);

#endif
