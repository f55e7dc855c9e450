/* SPDX-License-Identifier: Apache-2.0 */
/* version.c – luttpd version. Runs in: the command. */
#include <stdio.h>

#include "cli/cli.h"

int cli_version(const struct cli_options *options) {
    (void)printf(options->json ? "{\"version\":\"%s\"}\n" : "luttpd %s\n", LUTTPD_VERSION);
    return CLI_OK;
}
