/* SPDX-License-Identifier: Apache-2.0 */
/* main.c – luttpd-config: evaluates server.lua once, hands over the outcome, exits. See config.h. */
#include <stdlib.h>

#include "config/config.h"

int main(void) {
    struct process process;
    struct config config = {.directory = -1};

    process_begin(&process, ROLE_CONFIG);
    process_await_start(&process, MESSAGE_START_CONFIG, 4, &config.packet);
    config_prepare(&config, &process);
    struct process_places places = {.read_dir = config.directory, .write_dir = -1};
    process_close_cage(&process, &places, NULL, NULL, 0);
    process_ready(&process);
    script_stack_run(&config.stack, config_evaluate, &config);
    return EXIT_SUCCESS;
}
