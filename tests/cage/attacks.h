/* SPDX-License-Identifier: Apache-2.0 */
/* attacks.h – everything that a captured process might try.
 * Runs in: evil builds of roles, behind their closed cage. */
#ifndef LUTTPD_TEST_ATTACKS_H
#define LUTTPD_TEST_ATTACKS_H

#include <sys/types.h>

/** What an attack may aim at. */
struct aim {
    pid_t pid;             /* a victim */
    const char *path;      /* a file of another vhost */
    const char *unix_path; /* a pathname socket that anyone may connect to */
    const char *name;      /* an abstract socket that listens */
    int port;              /* a TCP and UDP port of 127.0.0.1 that answers */
    int directory;         /* a directory that the process holds, or -1 */
};

/** Returns 0 or more where the attack worked, else -errno. */
typedef int attack(const struct aim *aim);

struct named_attack {
    const char *name;
    attack *run;
};

/** Each ends with an entry without a name. */
extern const struct named_attack attacks_on_processes[];
extern const struct named_attack attacks_on_files[];
extern const struct named_attack attacks_on_paths[];
extern const struct named_attack attacks_on_network[];
extern const struct named_attack attacks_on_kernel[];
/** Not attacks: what must still work, so that a process that is merely broken is not taken for a caged one. */
extern const struct named_attack controls[];

#endif
