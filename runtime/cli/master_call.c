/* SPDX-License-Identifier: Apache-2.0 */
/* master_call.c – how the command becomes, or asks, luttpd-master. Runs in: the command. */
#include "cli/master_call.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void master_call_fill_standard(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* Where the command itself lies: its master lies beside it. */
static bool find_master(char out[PATH_MAX]) {
    static const char name[] = "luttpd-master";
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX);
    while (n > 0 && out[n - 1] != '/') {
        n--;
    }
    if (n <= 0 || (size_t)n + sizeof name > PATH_MAX) {
        return false;
    }
    memcpy(out + n, name, sizeof name);
    return true;
}

/* Splits a path into an absolute directory and a name. directory: freed by the caller. */
static bool split(const char *path, char **directory, const char **name) {
    const char *slash = strrchr(path, '/');
    *name = slash != NULL ? slash + 1 : path;
    char *relative = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    *directory = relative != NULL ? realpath(relative, NULL) : NULL;
    int error = errno;
    free(relative);
    errno = error;
    return *directory != NULL;
}

void master_call_exec(const char *mode, const struct cli_options *options) {
    char master[PATH_MAX];
    char *directory = NULL;
    char *const nothing[] = {NULL};
    const char *name;

    if (!split(options->configuration, &directory, &name)) {
        (void)fprintf(stderr, "luttpd: cannot find the configuration %s: %s\n", options->configuration,
                      strerror(errno));
        return;
    }
    if (*name == '\0' || strlen(name) > 255) {
        (void)fprintf(stderr, "luttpd: -c needs the name of a file\n");
    } else if (!find_master(master)) {
        (void)fprintf(stderr, "luttpd: cannot find my own executable: is /proc mounted?\n");
    } else {
        const char *words[] = {
            "luttpd: master", mode, options->single_user ? "single" : "root", directory, name,
            options->state,   NULL};
        (void)execve(master, (char *const *)(uintptr_t)words, nothing);
        (void)fprintf(stderr, "luttpd: cannot start %s: %s\n", master, strerror(errno));
    }
    free(directory);
}
