# SPDX-License-Identifier: Apache-2.0
"""Policies are reloaded fifty times under load: no request fails, and whoever asks after a reload meets the new ones."""
import http.client
import signal
import threading

import pytest

from server import SANITIZED, wait_until

RELOADS = 50
CLIENTS = 4
PARSING = 'on_head(function(head) head:tag("parsing", "%d") end)\n'
ROUTING = 'route "site.test" {{ to = "{0}" }}\n-- version {1}\n'
SITE = 'get "/" (function(req, res) res:text(site.name .. " " .. (req.headers["luttpd-parsing"] or "none")) end)\n'
VHOSTS = ("even", "odd")


def write(server, version):
    """Both policies of this version: requests lead to even or odd, and carry the number."""
    (server.directory / "parsing.lua").write_text(PARSING % version)
    (server.directory / "routing.lua").write_text(ROUTING.format(VHOSTS[version % 2], version))


class Client(threading.Thread):
    """Asks on one kept connection until told to stop; every answer must be at least as new as what was
    complete when it was asked for."""

    def __init__(self, server, current):
        super().__init__(daemon=True)
        self.server, self.current = server, current
        self.answers, self.connections, self.faults = 0, 0, []
        self.running = True

    def ask(self, connection):
        known = self.current["complete"]
        connection.request("GET", "/", headers={"Host": "site.test"})
        response = connection.getresponse()
        text = response.read().decode()
        begun = self.current["begun"]
        name, _, version = text.partition(" ")
        fits = response.status == 200 and version.isdigit() and known <= int(version) <= begun
        routed = {VHOSTS[number % 2] for number in range(known, begun + 1)}
        if not fits or name not in routed:
            self.faults.append((response.status, text, known, begun))
        self.answers += 1

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        connection.connect()
        self.connections += 1
        try:
            while self.running and not self.faults:
                self.ask(connection)
        except (OSError, http.client.HTTPException) as error:
            self.faults.append(error)
        connection.close()


@pytest.fixture(name="serving")
def fixture_serving(server):
    server.listens = ['listen { "127.0.0.1:0", processes = 2, limits = { requests = 0 } }',
                      'parsing "parsing.lua"', 'routing "routing.lua"']
    for name in VHOSTS:
        server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": SITE})
    write(server, 0)
    return server.start()


def wait_for_answers(clients, count):
    """Until each has had that many more, or has found a fault."""
    seen = [client.answers for client in clients]
    wait_until(lambda: all(client.faults or client.answers >= n + count for client, n in zip(clients, seen)), "answers")


def test_fifty_reloads_under_load_fail_no_request(serving):
    current = {"complete": 0, "begun": 0}
    clients = [Client(serving, current) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for version in range(1, (RELOADS if not SANITIZED else 10) + 1):
        write(serving, version)
        current["begun"] = version
        serving.child.send_signal(signal.SIGHUP)
        wait_until(lambda number=version + 1: f"policies reloaded, epoch {number}\n" in serving.stderr, f"reload {version}")
        current["complete"] = version
        wait_for_answers(clients, 10)
    for client in clients:
        client.running = False
        client.join(20)
    assert [client.faults for client in clients] == [[]] * CLIENTS
    assert [client.connections for client in clients] == [1] * CLIENTS, "a connection was dropped"
    assert serving.stderr.count("policies reloaded") == current["complete"]
