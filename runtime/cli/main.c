/* SPDX-License-Identifier: Apache-2.0 */
/* main.c – the luttpd command: reads what was typed and calls the command's function. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/master_call.h"

enum long_only { OPTION_SINGLE_USER = 256, OPTION_JSON };

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"state", required_argument, NULL, 's'},
    {"insecure-single-user", no_argument, NULL, OPTION_SINGLE_USER},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int usage(const struct cli_command *command, const char *what, const char *word) {
    (void)fprintf(stderr, "luttpd: %s%s\n", what, word);
    (void)fprintf(stderr, "Try: luttpd %s%s--help\n", command != NULL ? command->name : "",
                  command != NULL ? " " : "");
    return CLI_USAGE;
}

static int unknown_command(const char *word) {
    const struct cli_command *meant = cli_suggest(word);
    (void)fprintf(stderr, "luttpd: there is no command \"%s\"", word);
    if (meant != NULL) {
        (void)fprintf(stderr, ": did you mean \"%s\"?", meant->name);
    }
    (void)fprintf(stderr, "\nTry: luttpd --help\n");
    return CLI_USAGE;
}

/* Whether the command takes the option; sets it. */
static bool take_option(const struct cli_command *command, struct cli_options *options, int letter) {
    int known = letter == OPTION_SINGLE_USER ? 'u' : letter == OPTION_JSON ? 'j' : letter;
    if (strchr(command->options, known) == NULL) {
        return false;
    }
    switch (known) {
    case 'c':
        options->configuration = optarg;
        break;
    case 's':
        options->state = optarg;
        break;
    case 'u':
        options->single_user = true;
        break;
    default:
        options->json = true;
        break;
    }
    return true;
}

static int run_command(const struct cli_command *command, int count, char **words) {
    struct cli_options options = {.configuration = CLI_CONFIGURATION_FILE, .state = CLI_STATE_DIRECTORY};
    int letter;
    opterr = 0;
    while ((letter = getopt_long(count, words, ":c:s:h", long_options, NULL)) != -1) {
        if (letter == 'h') {
            cli_help_command(command);
            return CLI_OK;
        }
        if (letter == ':') {
            return usage(command, "this option needs a value: ", words[optind - 1]);
        }
        if (letter == '?' || !take_option(command, &options, letter)) {
            return usage(command, "this command has no option ", words[optind - 1]);
        }
    }
    if (optind < count) {
        return usage(command, "this command takes no argument: ", words[optind]);
    }
    int rc = command->run(&options);
    return fflush(stdout) != 0 && rc == CLI_OK ? CLI_FAILED : rc;
}

int main(int count, char **words) {
    master_call_fill_standard();
    if (count < 2) {
        return usage(NULL, "say what to do, for instance: luttpd check", "");
    }
    const char *first = words[1];
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0) {
        cli_help();
        return CLI_OK;
    }
    if (strcmp(first, "--version") == 0) {
        first = "version";
    }
    const struct cli_command *command = cli_find(first);
    if (command == NULL) {
        return unknown_command(first);
    }
    return run_command(command, count - 1, words + 1);
}
