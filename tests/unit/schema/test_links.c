/* SPDX-License-Identifier: Apache-2.0 */
/* test_links.c – on each link, every message is tried in every phase with every number of
 * descriptors: exactly the declared combinations reach their handler. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "channel/packet.h"
#include "channel/record.h"
#include "schema/every_message.h"

static const struct link_message *find(const struct any_link *link, uint16_t type) {
    for (const struct link_message *m = link->messages; m->type != 0; m++) {
        if (m->type == type) {
            return m;
        }
    }
    return NULL;
}

static bool is_allowed(const struct any_link *link, uint16_t type, enum phase phase, size_t fds) {
    const struct link_message *m = find(link, type);
    return m != NULL && m->fds == fds && (phase == PHASE_STARTING ? m->when_starting : m->when_serving);
}

static void try(const struct any_link *link, const struct any_message *any, enum phase phase, size_t fds) {
    static const uint8_t payload[RECORD_PAYLOAD_MAX]; /* all zero: each message at its smallest */
    static struct packet p;
    uint16_t seen = 0;
    p.fd_count = fds;
    int rc = link->dispatch(&seen, phase, any->type, payload, any->min, &p);
    if (is_allowed(link, any->type, phase, fds)) {
        assert_int_equal(rc, 1);
        assert_int_equal(seen, any->type);
        assert_int_equal(link->dispatch(&seen, phase, any->type, payload, any->min + 1, &p), -EBADMSG);
    } else {
        assert_int_equal(rc, -EBADMSG);
        assert_int_equal(seen, 0);
    }
    assert_int_equal(link->dispatch_to_nobody(phase, any->type, payload, any->min, &p), -EBADMSG);
}

static void test_only_what_is_declared_reaches_a_handler(void **state) {
    (void)state;
    for (const struct any_link *link = every_link; link->name != NULL; link++) {
        for (const struct any_message *any = every_message; any->name != NULL; any++) {
            for (size_t fds = 0; fds <= PACKET_FDS_MAX; fds++) {
                try(link, any, PHASE_STARTING, fds);
                try(link, any, PHASE_SERVING, fds);
            }
        }
    }
}

static void test_a_number_that_is_no_message_is_refused(void **state) {
    uint16_t seen = 0;
    (void)state;
    for (const struct any_link *link = every_link; link->name != NULL; link++) {
        for (unsigned type = 0; type <= UINT16_MAX; type++) {
            if (strcmp(message_name((uint16_t)type), "unknown") == 0) {
                assert_int_equal(link->dispatch(&seen, PHASE_SERVING, (uint16_t)type, NULL, 0, NULL),
                                 -EBADMSG);
            }
        }
    }
    assert_int_equal(seen, 0);
}

static const struct any_link *link_called(const char *name) {
    const struct any_link *link = every_link;
    while (link->name != NULL && strcmp(link->name, name) != 0) {
        link++;
    }
    return link->name != NULL ? link : NULL;
}

/* A few that security rests on, said again by hand. */
static void test_who_may_never_say_what(void **state) {
    (void)state;
    const struct any_link *vhost_to_master = link_called("master_from_vhost_control");
    const struct any_link *vhost_to_listener = link_called("listener_from_vhost_ring");
    assert_non_null(vhost_to_master);
    assert_non_null(vhost_to_listener);
    assert_null(find(vhost_to_master, MESSAGE_PLAN));
    assert_null(find(vhost_to_master, MESSAGE_INTRODUCE));
    assert_null(find(vhost_to_listener, MESSAGE_OPEN));
    assert_null(find(vhost_to_listener, MESSAGE_LOG_ACCESS));
    assert_null(link_called("vhost_from_vhost_control"));
    assert_null(link_called("vhost_from_vhost_pair"));
    assert_null(link_called("vhost_from_router_control"));
    assert_null(link_called("router_from_vhost_control"));
    assert_false(is_allowed(vhost_to_master, MESSAGE_READY, PHASE_SERVING, 0));
    assert_true(is_allowed(vhost_to_master, MESSAGE_READY, PHASE_STARTING, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_is_declared_reaches_a_handler),
        cmocka_unit_test(test_a_number_that_is_no_message_is_refused),
        cmocka_unit_test(test_who_may_never_say_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
