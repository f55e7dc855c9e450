/* SPDX-License-Identifier: Apache-2.0 */
/* omit.h – lets the escape tests take single walls away, to see that each test notices.
 * Runs in: test builds only. In what ships CAGE_HAS is the constant true and nothing else of
 * this file exists; tests/cage checks that. */
#ifndef LUTTPD_CAGE_OMIT_H
#define LUTTPD_CAGE_OMIT_H

#ifdef LUTTPD_OMIT

enum cage_wall {
    WALL_NETWORK = 1 << 0,
    WALL_LIMITS = 1 << 1,
    WALL_CAPABILITIES = 1 << 3,
    WALL_DESCRIPTORS = 1 << 4,
    WALL_ENVIRONMENT = 1 << 5,
    WALL_DUMPABLE = 1 << 6,
    WALL_ROOT = 1 << 7,
    WALL_LANDLOCK = 1 << 8,
    WALL_SECCOMP = 1 << 9, /* a role's own filter */
    WALL_PARENT = 1 << 10,
    WALL_MASTER = 1 << 11,
    WALL_NEW_PRIVILEGES = 1 << 12,
    WALL_EXECUTABLE = 1 << 13,
    WALL_REFUSALS = 1 << 14, /* master's, which its children inherit */
};

/** The walls that are missing, from the test's own argument. */
extern unsigned cage_omitted;

/** The kernel's landlock, as if it were no newer than this ABI. */
extern int cage_landlock_max;

/** What spawn hands on to the child, so that it omits the same walls; NULL for nothing. */
extern char *cage_omitted_argument;

#define CAGE_HAS(wall) ((cage_omitted & WALL_##wall) == 0)
#define CAGE_ARGUMENT cage_omitted_argument
#define CAGE_LANDLOCK_MAX cage_landlock_max

#else
#define CAGE_HAS(wall) 1
#define CAGE_ARGUMENT NULL
#define CAGE_LANDLOCK_MAX 0x7fff
#endif

#endif
