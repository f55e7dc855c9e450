/* SPDX-License-Identifier: Apache-2.0 */
/* nursery_start.h – the START message of each role, as nursery sends it. Runs in: the tests. */
#ifndef LUTTPD_TEST_NURSERY_START_H
#define LUTTPD_TEST_NURSERY_START_H

#include <stdbool.h>

#include "schema/processes.h"

struct start {
    int directory; /* for roles that get one, borrowed; else -1 */
    bool hardened; /* vhost */
};

/** Sends role its START with all descriptors. Returns 0 or -errno. */
int start_send(const struct start *s, enum role role, int control);

#endif
