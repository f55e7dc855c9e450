# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each kind of process under load: who loses what, and how soon it is back.

Promise 5 of the design: router, logger and config cost no request at all, a vhost only its own, a
listener only the connections it held; master never exits. Master's own death ends everything.
"""
import pathlib
import signal
import threading
import time

import pytest

from server import PATIENCE, SANITIZED, wait_until

VHOST = 'get "/" (function(req, res) res:text("hello from " .. site.name) end)\nfiles "/files" { dir = "public" }'
BACK_WITHIN_S = 5 if SANITIZED else 1


class Client(threading.Thread):
    """Asks one vhost again and again on kept connections; remembers what went wrong, and when."""

    def __init__(self, server, name, path="/"):
        super().__init__(daemon=True)
        self.server, self.path, self.host = server, path, f"{name}.test"
        self.answers, self.failures, self.stopping = 0, [], False
        self.last_answer = time.monotonic()

    def run(self):
        connection = None
        while not self.stopping:
            try:
                connection = connection or self.server.connect()
                connection.sendall(f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
                reply = connection.recv(65536)
                if not reply.startswith(b"HTTP/1.1 200 "):
                    raise ConnectionError(reply[:40])
                self.answers += 1
                self.last_answer = time.monotonic()
                if b"\r\nConnection: close\r\n" in reply:  # the last one of so many on a connection
                    connection.close()
                    connection = None
            except OSError as error:
                self.failures.append(error)
                if connection is not None:
                    connection.close()
                connection = None
                time.sleep(0.01)

    def stop(self):
        self.stopping = True
        self.join(PATIENCE)


@pytest.fixture
def loaded(server):
    for name in ("alice", "bob"):
        server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": VHOST, "public/index.html": "x"})
    server.start()
    clients = [Client(server, name) for name in ("alice", "bob") for _ in range(4)]
    for client in clients:
        client.start()
    wait_until(lambda: all(client.answers > 20 for client in clients), "the load runs")
    yield server, clients
    for client in clients:
        client.stop()


def failures(clients, name):
    return [failure for client in clients if client.host == f"{name}.test" for failure in client.failures]


def settle(clients):
    """Waits until every client has had many more answers."""
    marks = [client.answers + 50 for client in clients]
    wait_until(lambda: all(client.answers >= mark for client, mark in zip(clients, marks)), "answers go on")


def kill_and_wait(server, process):
    began = time.monotonic()
    process.kill()
    server.wait_for_successor(process)
    return time.monotonic() - began


@pytest.mark.parametrize("role", ["router", "logger"])
def test_death_of_router_or_logger_loses_no_request(loaded, role):
    server, clients = loaded
    for _ in range(3):
        assert kill_and_wait(server, server.process(role)) < BACK_WITHIN_S
        settle(clients)
    assert not [client.failures for client in clients if client.failures]


def test_new_connections_find_their_way_when_router_has_just_died(loaded):
    server, _ = loaded
    router = server.process("router")
    router.kill()
    assert server.get("/", host="alice.test").text == "hello from alice"
    server.wait_for_successor(router)


def test_death_of_a_vhost_costs_nobody_else_anything(loaded):
    server, clients = loaded
    for _ in range(3):
        assert kill_and_wait(server, server.process("vhost", "alice")) < BACK_WITHIN_S
        settle(clients)
    assert not failures(clients, "bob")
    # GET is repeated on the new process where nothing had been sent: at most one failure a connection
    assert len(failures(clients, "alice")) <= 3 * 4


def test_death_of_a_listener_costs_only_its_connections(loaded):
    server, clients = loaded
    pids = {process.pid for process in server.processes() if process.role != "listener"}
    assert kill_and_wait(server, server.process("listener")) < BACK_WITHIN_S
    settle(clients)
    assert all(len(client.failures) <= 2 for client in clients)
    assert pids <= {process.pid for process in server.processes()}


def test_crash_loop_is_slowed_down_and_others_do_not_notice(loaded):
    server, clients = loaded
    first = server.process("vhost", "alice")
    master = server.process("master") or server.processes()[0]
    ticks = lambda: sum(map(int, (master.proc / "stat").read_text().rpartition(")")[2].split()[11:13]))
    before, end, kills = ticks(), time.monotonic() + 5, 0
    while time.monotonic() < end:
        process = server.process("vhost", "alice")
        if process is not None:
            process.kill()
            kills += 1
        time.sleep(0.01)
    assert first.pid not in [process.pid for process in server.processes()]
    assert 3 <= kills <= 25, "back-off doubles from a tenth of a second"
    assert (ticks() - before) / 500 < 0.10, "master itself stays nearly idle"
    assert not failures(clients, "bob")
    wait_until(lambda: server.process("vhost", "alice"), "it comes back in the end", 40)


def test_death_of_master_ends_everything(loaded):
    server, clients = loaded
    for client in clients:
        client.stopping = True
    everyone = server.processes()
    began = time.monotonic()
    everyone[0].kill()
    wait_until(lambda: not [process for process in everyone[1:] if process.alive()], "all are gone", 10)
    assert time.monotonic() - began < 5.5
    assert not [p for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and int(p.name) in
                {process.pid for process in everyone[1:] if process.alive()}]


def test_stopped_vhost_holds_up_nobody_else(loaded):
    server, clients = loaded
    alice = server.process("vhost", "alice")
    alice.kill(signal.SIGSTOP)
    marks = {client: client.answers for client in clients if client.host == "bob.test"}
    time.sleep(2)
    assert all(client.answers > mark + 100 for client, mark in marks.items())
    alice.kill(signal.SIGCONT)
    settle(clients)
    assert not failures(clients, "bob")


def test_interrupt_from_a_terminal_reaches_master_alone(loaded):
    """Ctrl-C signals a whole foreground group: roles in it would die before they could finish."""
    server, clients = loaded
    for process in server.processes()[1:]:
        group, session, terminal = map(int, (process.proc / "stat").read_text().rpartition(")")[2].split()[2:5])
        assert (group, session, terminal) == (process.pid, process.pid, 0), process
    for client in clients:
        client.stop()
    server.child.send_signal(signal.SIGINT)
    assert server.wait() == 0
