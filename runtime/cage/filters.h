/* SPDX-License-Identifier: Apache-2.0 */
/* filters.h – the compiled seccomp programs, one for each enum filter.
 * Runs in: every process. The arrays are made by compile_filters during the build. */
#ifndef LUTTPD_CAGE_FILTERS_H
#define LUTTPD_CAGE_FILTERS_H

#include <linux/filter.h>

#include "schema/processes.h"

struct cage_filter {
    const char *name;
    const struct sock_filter *code;
    unsigned short length; /* instructions, at most CAGE_FILTER_MAX */
};

extern const struct cage_filter cage_filters[FILTER_COUNT];

#endif
