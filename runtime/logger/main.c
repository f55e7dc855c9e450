/* SPDX-License-Identifier: Apache-2.0 */
/* main.c – luttpd-logger: writes the logs. See logger.h for whom it talks to. */
#include "logger/logger.h"

int main(void) {
    struct process process;
    struct packet start;

    process_begin(&process, ROLE_LOGGER);
    process_await_start(&process, MESSAGE_START_LOGGER, 2, &start);
    struct logger *logger = logger_prepare(&process, &start);
    struct process_places places = {.read_dir = -1, .write_dir = logger->directory};
    process_close_cage(&process, &places, logger_start_threads, logger, 0);
    process_ready(&process);
    return logger_serve(logger);
}
