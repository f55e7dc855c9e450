/* SPDX-License-Identifier: Apache-2.0 */
/* help.c – what luttpd says about itself, and the table of its commands. Runs in: the command. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

const struct cli_command cli_commands[] = {
    {"run", "serve, in the foreground", "csu",
     "Starts the server and stays in the foreground. Once it can answer it prints one line to\n"
     "standard output that names its addresses; everything it has to say goes to standard error.\n"
     "SIGTERM or Ctrl-C stops it: open requests get five seconds to finish. SIGUSR1 reopens the logs,\n"
     "SIGHUP reloads policies.\n"
     "\n"
     "It must be started as root. Only one small process keeps root; every site runs as its own user.\n",
     cli_run},
    {"check", "look for mistakes in the configuration", "csuj",
     "Evaluates the configuration as run would, says for each mistake where it is and what it is, and\n"
     "whether each site's user can read the site. Starts nothing, changes nothing. With --json the\n"
     "result is one object for programs.\n",
     cli_check},
    {"reload", "apply changed policies while it serves", "cs",
     "Looks for mistakes in the configuration as check does; then asks the server of this state\n"
     "directory to take its parsing and routing policies and limits anew, and waits until it has said\n"
     "how that went. No connection is dropped. Whatever else has changed (addresses, vhosts, hosts,\n"
     "users, logs) needs a restart: then, as with mistakes, nothing is changed.\n"
     "SIGHUP does the same; the server's log says how it went. Without -c it is the configuration with\n"
     "which the server was started.\n",
     cli_reload},
    {"stop", "stop the running server", "s",
     "Asks the server of this state directory to stop, and waits until it is gone. Open requests get\n"
     "five seconds to finish.\n",
     cli_stop},
    {"version", "print the version", "j", "Prints the version of luttpd.\n", cli_version},
    {NULL, NULL, NULL, NULL, NULL},
};

void cli_help(void) {
    (void)fputs(
        "luttpd is a web server for machines that many people share: every site runs in a process of\n"
        "its own, under a user of its own, inside a cage of its own.\n"
        "\n"
        "Usage: luttpd COMMAND [OPTION...]\n"
        "\n"
        "Commands:\n",
        stdout);
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        (void)printf("  %-9s %s\n", c->name, c->summary);
    }
    (void)fputs("\n"
                "Each has its own help: luttpd COMMAND --help\n"
                "\n"
                "Files:\n"
                "  " CLI_CONFIGURATION_FILE
                "   which sites there are, where, and under which users (-c names another)\n"
                "  SITE/vhost.lua           what one site does; belongs to the site's owner\n"
                "  " CLI_STATE_DIRECTORY
                "          what luttpd remembers: automatic users, the lock (-s names another)\n"
                "  /var/log/luttpd/SITE     logs that the owner can read\n"
                "\n"
                "Exit codes:\n"
                "  0 all went well   1 something failed   2 wrong usage   3 the configuration has mistakes\n"
                "\n"
                "Examples:\n"
                "  luttpd check                                 is my configuration good?\n"
                "  luttpd run -c ./server.lua -s ./state        serve what ./server.lua says\n"
                "  luttpd run -c ./server.lua -s ./state --insecure-single-user\n"
                "                                               try it without root\n",
                stdout);
}

void cli_help_command(const struct cli_command *command) {
    static const struct {
        char letter;
        const char *text;
    } options[] = {
        {'c', "  -c, --config FILE          configuration, default " CLI_CONFIGURATION_FILE "\n"},
        {'s', "  -s, --state DIR            state directory, default " CLI_STATE_DIRECTORY "\n"},
        {'u', "      --insecure-single-user without root: all sites run as you, not kept apart\n"},
        {'j', "      --json                 print one JSON object\n"},
    };
    (void)printf("luttpd %s: %s\n\nUsage: luttpd %s [OPTION...]\n\n%s\nOptions:\n", command->name,
                 command->summary, command->name, command->details);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strchr(command->options, options[i].letter) != NULL) {
            (void)fputs(options[i].text, stdout);
        }
    }
    (void)fputs("  -h, --help                 this text\n", stdout);
}
