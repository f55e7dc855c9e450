/* SPDX-License-Identifier: Apache-2.0 */
/* check.c – luttpd check: asks master, shows what it found. Runs in: the command.
 * Master prints one fact a line, its parts parted by tabs, every other control byte escaped. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/master_call.h"

#define PARTS_MAX 5

struct findings {
    bool json;
    const char *separator; /* before the next object of the array */
    char sockets[24], vhosts[24];
};

static void print_json_text(const char *text) {
    (void)putchar('"');
    for (const char *p = text; *p != '\0'; p++) { /* printable ASCII: master has seen to that */
        if (*p == '"' || *p == '\\') {
            (void)putchar('\\');
        }
        (void)putchar(*p);
    }
    (void)putchar('"');
}

static void print_json_member(const char *name, const char *value, bool number) {
    (void)printf("%s\"%s\":", strcmp(name, "kind") == 0 ? "" : ",", name);
    if (number) {
        (void)fputs(value, stdout);
    } else {
        print_json_text(value);
    }
}

static void show_fault(struct findings *f, char *parts[PARTS_MAX]) {
    if (!f->json) {
        bool line = strcmp(parts[2], "0") != 0;
        (void)printf("%s:%s%s %s%s%s\n", parts[1], line ? parts[2] : "", line ? ":" : "", parts[3],
                     parts[3][0] != '\0' ? ": " : "", parts[4]);
        return;
    }
    (void)printf("%s{", f->separator);
    print_json_member("kind", "mistake", false);
    print_json_member("file", parts[1], false);
    print_json_member("line", parts[2], true);
    print_json_member("key", parts[3], false);
    print_json_member("reason", parts[4], false);
    (void)putchar('}');
    f->separator = ",";
}

static void show_unreadable(struct findings *f, char *parts[PARTS_MAX]) {
    if (!f->json) {
        (void)printf("vhost %s: its user, UID %s, cannot read %s: %s\n", parts[1], parts[2], parts[3],
                     parts[4]);
        return;
    }
    (void)printf("%s{", f->separator);
    print_json_member("kind", "unreadable", false);
    print_json_member("vhost", parts[1], false);
    print_json_member("uid", parts[2], true);
    print_json_member("path", parts[3], false);
    print_json_member("reason", parts[4], false);
    (void)putchar('}');
    f->separator = ",";
}

static void show_line(struct findings *f, char *line) {
    char *parts[PARTS_MAX];
    size_t n = 0;
    while (n < PARTS_MAX && (parts[n] = strsep(&line, "\t")) != NULL) {
        n++;
    }
    if (n == 5 && strcmp(parts[0], "fault") == 0) {
        show_fault(f, parts);
    } else if (n == 5 && strcmp(parts[0], "unreadable") == 0) {
        show_unreadable(f, parts);
    } else if (n == 3 && strcmp(parts[0], "plan") == 0) {
        (void)snprintf(f->sockets, sizeof f->sockets, "%s", parts[1]);
        (void)snprintf(f->vhosts, sizeof f->vhosts, "%s", parts[2]);
    }
}

static void show_all(struct findings *f, FILE *from) {
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    if (f->json) {
        (void)fputs("{\"findings\":[", stdout);
    }
    while ((n = getline(&line, &room, from)) > 0) {
        line[n - 1] = line[n - 1] == '\n' ? '\0' : line[n - 1];
        show_line(f, line);
    }
    free(line);
}

static void show_summary(const struct findings *f, const struct cli_options *options, int status) {
    if (f->json) {
        (void)printf("],\"good\":%s", status == CLI_OK ? "true" : "false");
        if (f->vhosts[0] != '\0') {
            (void)printf(",\"sockets\":%s,\"vhosts\":%s", f->sockets, f->vhosts);
        }
        (void)fputs("}\n", stdout);
    } else if (status == CLI_OK) {
        (void)printf("%s is good: %s vhost%s on %s socket%s\n", options->configuration, f->vhosts,
                     strcmp(f->vhosts, "1") == 0 ? "" : "s", f->sockets,
                     strcmp(f->sockets, "1") == 0 ? "" : "s");
    }
}

static int status_of(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return CLI_FAILED;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_FAILED;
}

int cli_check(const struct cli_options *options) {
    struct findings f = {.json = options->json, .separator = ""};
    int ends[2];
    if (pipe(ends) != 0) {
        (void)fprintf(stderr, "luttpd: pipe: %s\n", strerror(errno));
        return CLI_FAILED;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        master_call_exec("check", options);
        _exit(CLI_FAILED);
    }
    (void)close(ends[1]);
    FILE *from = pid > 0 ? fdopen(ends[0], "r") : NULL;
    if (from == NULL) {
        (void)fprintf(stderr, "luttpd: fork: %s\n", strerror(errno));
        return CLI_FAILED;
    }
    show_all(&f, from);
    (void)fclose(from);
    int status = status_of(pid);
    show_summary(&f, options, status);
    return status;
}
