/* SPDX-License-Identifier: Apache-2.0 */
/* evil.c – makes a role evil: linked into one, it takes over as soon as the cage is closed, tries
 * the attack that the test names, and tells master "evil NAME: RESULT" in a NOTE. An attack that
 * ends the process tells nothing; the test sees how it ended.
 * Runs in: test builds of roles, with the role's own main and cage. */
#include "evil.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "attacks.h"
#include "base/report.h"
#include "process/process.h"
#include "test_value.h"

#define VALUE_MAX 256

/* Master gave the role its directory, under a number that only the role knows. */
static int find_directory(void) {
    struct stat about;
    for (int fd = PROCESS_CONTROL_FD + 1; fd < 64; fd++) {
        if (fstat(fd, &about) == 0 && S_ISDIR(about.st_mode)) {
            return fd;
        }
    }
    return -1;
}

static const struct named_attack *find(const char *name) {
    static const struct named_attack *const lists[] = {attacks_on_processes, attacks_on_files,
                                                       attacks_on_paths,     attacks_on_network,
                                                       attacks_on_kernel,    controls};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        for (const struct named_attack *a = lists[i]; a->name != NULL; a++) {
            if (strcmp(a->name, name) == 0) {
                return a;
            }
        }
    }
    return NULL;
}

/* Several processes of a server may be evil builds; "only" names the one that attacks, as ps shows it. */
static bool is_meant(void) {
    static const char prefix[] = "luttpd: ";
    char only[VALUE_MAX];
    if (test_value("only", only, sizeof only) == 0) {
        return true;
    }
    const char *name = program_invocation_name;
    return strncmp(name, prefix, sizeof prefix - 1) == 0 && strcmp(name + sizeof prefix - 1, only) == 0;
}

static int number(const char *key) {
    char text[32];
    (void)test_value(key, text, sizeof text);
    return atoi(text);
}

void process_caged(const struct process *p) {
    char name[VALUE_MAX];
    char path[VALUE_MAX];
    char unix_path[VALUE_MAX];
    char abstract[VALUE_MAX];
    (void)p;
    if (!is_meant() || test_value("attack", name, sizeof name) == 0) {
        return;
    }
    (void)test_value("path", path, sizeof path);
    (void)test_value("unix", unix_path, sizeof unix_path);
    (void)test_value("abstract", abstract, sizeof abstract);
    struct aim aim = {number("pid"), path, unix_path, abstract, number("port"), find_directory()};
    const struct named_attack *a = find(name);
    if (a == NULL) {
        report(REPORT_ERROR, "evil %s: unknown", name);
        return;
    }
    int rc = a->run(&aim);
    report(REPORT_INFO, "evil %s: %s", name, rc < 0 ? strerrorname_np(-rc) : "ok");
}
