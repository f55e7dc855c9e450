/* SPDX-License-Identifier: Apache-2.0 */
/* test_bind.c – one socket for each listener process, and none that another server listens on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/bind.h"

static struct message_plan_listen inet(uint16_t port, uint16_t processes) {
    return (struct message_plan_listen){
        .family = FAMILY_INET, .address = slice_from("\x7f\0\0\1", 4), .port = port, .processes = processes};
}

static int bind_these(struct master *m, struct message_plan_listen *listens, size_t count) {
    memset(m->sockets, 0, sizeof m->sockets);
    memcpy(m->plan.listens, listens, count * sizeof *listens);
    m->plan.listen_count = count;
    m->plan.listener_count = 0;
    for (size_t i = 0; i < count; i++) {
        m->plan.listener_count += listens[i].processes;
    }
    return bind_all(m);
}

static void close_all(struct master *m) {
    for (size_t i = 0; i < m->plan.listener_count; i++) {
        if (m->sockets[i].fd > 0) {
            (void)close(m->sockets[i].fd);
        }
    }
}

static void ignore(void *context, enum report_level level, const char *text, size_t n) {
    (void)context, (void)level, (void)text, (void)n;
}

static void test_binds_one_socket_for_each_process_on_one_port(void **state) {
    struct message_plan_listen listens[2] = {inet(0, 3), inet(0, 1)};
    static struct master m;
    (void)state;
    assert_int_equal(bind_these(&m, listens, 2), 0);
    assert_true(m.sockets[0].port != 0 && m.sockets[0].port != m.sockets[3].port);
    for (size_t i = 0; i < 4; i++) {
        int on = 0, flags = 0;
        socklen_t size = sizeof on;
        assert_int_equal(getsockopt(m.sockets[i].fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size), 0);
        assert_int_equal(on, 1);
        flags = fcntl(m.sockets[i].fd, F_GETFD);
        assert_int_equal(flags & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(m.sockets[i].listen, i / 3);
        assert_int_equal(m.sockets[i].port, m.sockets[i < 3 ? 0 : 3].port);
    }
    close_all(&m);
}

static void test_refuses_a_port_on_which_another_server_listens(void **state) {
    struct message_plan_listen first[1] = {inet(0, 2)}, second[1];
    static struct master one, other;
    (void)state;
    assert_int_equal(bind_these(&one, first, 1), 0);
    second[0] = inet(one.sockets[0].port, 1);
    report_to(ignore, NULL);
    assert_int_equal(bind_these(&other, second, 1), -EADDRINUSE);
    report_to(NULL, NULL);
    close_all(&other);
    close_all(&one);
    assert_int_equal(bind_these(&other, second, 1), 0); /* and takes it once it is free */
    close_all(&other);
}

static int value_of(int fd, int level, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, option, &value, &size), 0);
    return value;
}

/* Returns the server's end of a connection to the socket. */
static int accepted_from(const struct bound_socket *s, int *client) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pollfd ready = {.fd = s->fd, .events = POLLIN};
    *client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*client, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(*client, "x", 1, 0), 1);
    assert_int_equal(poll(&ready, 1, 5000), 1);
    int fd = accept(s->fd, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

static void test_accepted_connections_are_kept_alive(void **state) {
    struct message_plan_listen listens[2] = {inet(0, 1), inet(0, 1)};
    static struct master m;
    int client;
    (void)state;
    listens[1].defer_accept = listens[1].fast_open = true;
    assert_int_equal(bind_these(&m, listens, 2), 0);
    for (size_t i = 0; i < 2; i++) {
        int fd = accepted_from(&m.sockets[i], &client);
        assert_int_equal(value_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
        assert_int_equal(value_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
        assert_int_equal(value_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 15);
        assert_int_equal(value_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 4);
        (void)close(fd);
        (void)close(client);
    }
    close_all(&m);
}

static void test_defers_and_opens_fast_where_the_plan_says(void **state) {
    struct message_plan_listen listens[2] = {inet(0, 2), inet(0, 2)};
    static struct master m;
    (void)state;
    listens[1].defer_accept = listens[1].fast_open = true;
    assert_int_equal(bind_these(&m, listens, 2), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(value_of(m.sockets[i].fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0, i >= 2);
        assert_int_equal(value_of(m.sockets[i].fd, IPPROTO_TCP, TCP_FASTOPEN) > 0, i >= 2);
    }
    close_all(&m);
}

/* A connection without a byte is not worth a listener's descriptor. */
static void test_deferred_connection_shows_with_its_first_byte(void **state) {
    struct message_plan_listen listens[1] = {inet(0, 1)};
    static struct master m;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)state;
    listens[0].defer_accept = true;
    assert_int_equal(bind_these(&m, listens, 1), 0);
    struct pollfd ready = {.fd = m.sockets[0].fd, .events = POLLIN};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_port = htons(m.sockets[0].port);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(poll(&ready, 1, 200), 0);
    assert_int_equal(send(client, "G", 1, 0), 1);
    assert_int_equal(poll(&ready, 1, 5000), 1);
    (void)close(client);
    close_all(&m);
}

static void test_text_is_what_a_client_types(void **state) {
    static const char loopback[16] = {[15] = 1};
    struct message_plan_listen four = inet(80, 1);
    struct message_plan_listen six = {
        .family = FAMILY_INET6, .address = slice_from(loopback, 16), .port = 81};
    struct message_plan_listen path = {.family = FAMILY_UNIX, .address = SLICE("/run/a\nb")};
    char out[BIND_TEXT_BYTES];
    (void)state;
    bind_text(&four, 80, out);
    assert_string_equal(out, "http://127.0.0.1:80");
    bind_text(&six, 81, out);
    assert_string_equal(out, "http://[::1]:81");
    bind_text(&path, 0, out);
    assert_string_equal(out, "unix:/run/a\\x0ab");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binds_one_socket_for_each_process_on_one_port),
        cmocka_unit_test(test_refuses_a_port_on_which_another_server_listens),
        cmocka_unit_test(test_accepted_connections_are_kept_alive),
        cmocka_unit_test(test_defers_and_opens_fast_where_the_plan_says),
        cmocka_unit_test(test_deferred_connection_shows_with_its_first_byte),
        cmocka_unit_test(test_text_is_what_a_client_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
