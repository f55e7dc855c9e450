/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c – luttpd reload: looks at the configuration as check does, asks the server to reload its
 * policies, and waits until the lock file says how that went. Runs in: the command. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/running.h"
#include "process/state_lock.h"

#define RELOAD_WAIT_MS 90000 /* one that runs already, and then this one: master's deadlines are shorter */
#define RELOAD_LOOK_MS 20
#define COMMAND_LINE_BYTES (2 * PATH_MAX)
#define WORDS 6 /* of master: see master/main.c */

/* With what the server was started. Its command line, which root can read, says so. */
static bool configuration_of(const struct running *server, char out[PATH_MAX], bool *single_user) {
    char path[64], line[COMMAND_LINE_BYTES];
    const char *words[WORDS];
    (void)snprintf(path, sizeof path, "/proc/%d/cmdline", (int)server->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : -1;
    (void)close(fd);
    if (n <= 0) {
        return false;
    }
    line[n] = '\0';
    const char *at = line;
    for (size_t i = 0; i < WORDS; i++) {
        words[i] = at;
        at = at < line + n ? at + strlen(at) + 1 : at;
    }
    *single_user = strcmp(words[2], "single") == 0;
    int length = snprintf(out, PATH_MAX, "%s/%s", words[3], words[4]);
    return words[3][0] == '/' && length > 0 && length < PATH_MAX;
}

/* The file that the server reads is the one to look at; another that was named is a misunderstanding. */
static bool agree(const struct cli_options *options, const char *its) {
    bool named = strcmp(options->configuration, CLI_CONFIGURATION_FILE) != 0;
    char *ours = named ? realpath(options->configuration, NULL) : NULL;
    char *theirs = realpath(its, NULL);
    bool same = !named || (ours != NULL && theirs != NULL && strcmp(ours, theirs) == 0);
    if (!same) {
        (void)fprintf(stderr, "luttpd: the server was started with %s, and not with %s\n", its,
                      options->configuration);
    }
    free(ours);
    free(theirs);
    return same;
}

struct progress {
    unsigned begun, ended;
    char how[8];
};

/* Read until it is the same twice: it may be written meanwhile. */
static bool read_progress(int lock, struct progress *out) {
    char text[2][STATE_LOCK_RELOAD_BYTES + 1] = {"", ""};
    for (int i = 0; i < 10; i++) {
        if (pread(lock, text[i % 2], STATE_LOCK_RELOAD_BYTES, STATE_LOCK_PID_BYTES) !=
            STATE_LOCK_RELOAD_BYTES) {
            return false;
        }
        if (i > 0 && strcmp(text[0], text[1]) == 0) {
            return sscanf(text[0], "reload %10u %10u %7s", &out->begun, &out->ended, out->how) == 3;
        }
    }
    return false;
}

static int say(const char *how) {
    static const struct {
        enum state_reload how;
        int status;
        const char *text;
    } outcomes[] = {
        {STATE_RELOAD_GOOD, CLI_OK, "policies reloaded"},
        {STATE_RELOAD_PARTLY, CLI_FAILED, "policies reloaded, but some listener keeps the old ones"},
        {STATE_RELOAD_FAULTS, CLI_CONFIGURATION, "not reloaded: the configuration has mistakes"},
        {STATE_RELOAD_RESTART, CLI_FAILED,
         "not reloaded, nothing was changed: more than policies differs, restart to apply"},
        {STATE_RELOAD_FAILED, CLI_FAILED, "not reloaded, nothing was changed"},
    };
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        if (strncmp(how, state_reload_name(outcomes[i].how), strlen(how)) == 0) {
            bool good = outcomes[i].status == CLI_OK;
            (void)fprintf(good ? stdout : stderr, "luttpd: %s%s\n", outcomes[i].text,
                          good ? "" : " (the server's log says more)");
            return outcomes[i].status;
        }
    }
    (void)fprintf(stderr, "luttpd: asked to reload; the server's log says how it went\n");
    return CLI_FAILED;
}

/* before: what the file said before the signal. The reload that was begun then knows nothing of it. */
static int wait_for_outcome(const struct running *server, const struct progress *before) {
    struct pollfd end = {.fd = server->pidfd, .events = POLLIN};
    struct progress now = {.how = ""};
    for (int waited = 0; waited < RELOAD_WAIT_MS; waited += RELOAD_LOOK_MS) {
        if (poll(&end, 1, RELOAD_LOOK_MS) == 1) {
            (void)fprintf(stderr, "luttpd: the server (pid %d) has ended\n", (int)server->pid);
            return CLI_FAILED;
        }
        if (read_progress(server->lock, &now) && now.ended > before->begun) {
            return say(now.how);
        }
    }
    return say("?");
}

static int reload(const struct cli_options *options, const struct running *server) {
    char path[PATH_MAX];
    struct cli_options its = *options;
    struct progress before;
    if (!configuration_of(server, path, &its.single_user) || !read_progress(server->lock, &before)) {
        (void)fprintf(stderr, "luttpd: cannot see how pid %d was started\n", (int)server->pid);
        return CLI_FAILED;
    }
    if (!agree(options, path)) {
        return CLI_FAILED;
    }
    its.configuration = path;
    if (cli_check(&its) == CLI_CONFIGURATION) { /* an unreadable site keeps no policy from being reloaded */
        return CLI_CONFIGURATION;
    }
    (void)fflush(stdout);
    return running_signal(server, SIGHUP, "reload") ? wait_for_outcome(server, &before) : CLI_FAILED;
}

int cli_reload(const struct cli_options *options) {
    struct running server;
    if (!running_find(options->state, &server)) {
        return CLI_FAILED;
    }
    int rc = reload(options, &server);
    running_close(&server);
    return rc;
}
