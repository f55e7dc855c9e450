/* SPDX-License-Identifier: Apache-2.0 */
/* main.c – luttpd-router: decides which vhost answers for a host. See router.h for its peers. */
#include <stdlib.h>

#include "router/router.h"

int main(void) {
    struct process process;
    struct packet start;

    process_begin(&process, ROLE_ROUTER);
    process_await_start(&process, MESSAGE_START_ROUTER, 2, &start);
    struct router *router = router_prepare(&process, &start);
    struct process_places places = {.read_dir = -1, .write_dir = -1};
    process_close_cage(&process, &places, NULL, NULL, 0);
    script_stack_run(&router->policy.stack, router_serve, router);
    return EXIT_SUCCESS;
}
