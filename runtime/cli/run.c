/* SPDX-License-Identifier: Apache-2.0 */
/* run.c – luttpd run: becomes master. Runs in: the command. */
#include "cli/master_call.h"

int cli_run(const struct cli_options *options) {
    master_call_exec("run", options);
    return CLI_FAILED;
}
