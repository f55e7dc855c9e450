/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h – the luttpd command: what a person types. Holds nothing, keeps nothing; master does the work.
 * Runs in: the command. Trusts: its caller, with the caller's own rights. */
#ifndef LUTTPD_CLI_CLI_H
#define LUTTPD_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_CONFIGURATION = 3 };

#define CLI_CONFIGURATION_FILE "/etc/luttpd/server.lua"
#define CLI_STATE_DIRECTORY "/var/lib/luttpd"

struct cli_options {
    const char *configuration; /* -c */
    const char *state;         /* -s */
    bool single_user;          /* --insecure-single-user */
    bool json;                 /* --json */
};

/** A command of luttpd. */
struct cli_command {
    const char *name;
    const char *summary;
    const char *options; /* letters of the options it takes: c, s, u (single user), j (json) */
    const char *details; /* paragraphs of its own --help */
    int (*run)(const struct cli_options *options); /* returns an enum cli_exit */
};

/** All commands; ends with an entry without name. */
extern const struct cli_command cli_commands[];

int cli_run(const struct cli_options *options);
int cli_check(const struct cli_options *options);
int cli_reload(const struct cli_options *options);
int cli_stop(const struct cli_options *options);
int cli_version(const struct cli_options *options);

/** Prints the help of luttpd, or of one command, to standard output. */
void cli_help(void);
void cli_help_command(const struct cli_command *command);

/** The command called name, or NULL. */
const struct cli_command *cli_find(const char *name);

/** The command whose name looks most like word, or NULL where none does. */
const struct cli_command *cli_suggest(const char *word);

/** How many letters must be added, dropped, changed or swapped to make b of a; at most 32 each. */
size_t cli_distance(const char *a, const char *b);

#endif
