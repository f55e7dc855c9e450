# SPDX-License-Identifier: Apache-2.0
"""Reloads of a whole, real server: what takes effect, what is refused with which words, what stays."""
import http.client
import os
import signal
import socket
import threading
import time

import pytest

from server import wait_until

SITE = """
get "/*" (function(req, res) res:text(site.name) end)
post "/" (function(req, res) for part in req:body() do res:write(part) end end)
"""
DENY = 'reject {{ status = {}, path = {{ prefix = "/deny" }} }}\n'


@pytest.fixture(name="serving")
def fixture_serving(server):
    server.statements += ['parsing "parsing.lua"', 'routing "routing.lua"']
    for name in ("alice", "bob"):
        server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": SITE})
    write(server, "parsing", DENY.format(403))
    write(server, "routing", "")
    return server.start()


def write(server, name, text):
    (server.directory / f"{name}.lua").write_text(text)


def reload(server):
    done = server.command("reload", "-s", server.state)
    return done.returncode, done.stdout, done.stderr


def reloaded(server, epoch):
    path = server.configuration
    assert reload(server) == (0, f"{path} is good: 2 vhosts on 1 socket\nluttpd: policies reloaded\n", ""), server.stderr
    assert server.stderr.count(f"luttpd: policies reloaded, epoch {epoch}\n") == 1


def status(server, path="/deny", host="alice.test", **options):
    return server.get(path, host=host, **options).status


def pids(server):
    return {process.pid for process in server.processes()}


def test_next_request_meets_the_new_policies_on_the_same_connection(serving):
    before = pids(serving)
    kept = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=20)
    for epoch, answer in enumerate((410, 451, 403), 2):
        write(serving, "parsing", DENY.format(answer))
        reloaded(serving, epoch)
        kept.request("GET", "/deny", headers={"Host": "alice.test"})
        response = kept.getresponse()
        response.read()
        assert response.status == answer
    kept.close()
    assert pids(serving) == before  # nobody was replaced for it


def test_routing_changes_for_paths_whose_route_was_remembered(serving):
    assert serving.get("/", host="alice.test").text == "alice"
    write(serving, "routing", 'route "alice.test" { to = "bob" }')
    reloaded(serving, 2)
    assert serving.get("/", host="alice.test").text == "bob"
    write(serving, "routing", "")
    reloaded(serving, 3)
    assert serving.get("/", host="alice.test").text == "alice"


def test_limits_of_a_listen_statement_change_without_a_restart(serving):
    assert serving.request("POST", "/", host="alice.test", body=b"x" * 5000).status == 200
    serving.listens = ['listen { "127.0.0.1:0", limits = { body = "1KB" } }']
    serving.write_configuration()
    reloaded(serving, 2)
    assert serving.request("POST", "/", host="alice.test", body=b"x" * 5000).status == 413
    assert serving.request("POST", "/", host="alice.test", body=b"x" * 500).text == "x" * 500


@pytest.mark.parametrize("role", ["router", "listener"])
def test_who_starts_after_a_reload_has_the_new_ones(serving, role):
    write(serving, "parsing", DENY.format(410))
    write(serving, "routing", 'route "alice.test" { to = "bob" }')
    reloaded(serving, 2)
    victim = serving.process(role)
    victim.kill()
    serving.wait_for_successor(victim)
    wait_until(lambda: status(serving) == 410, "the new listener")
    assert serving.get("/", host="alice.test").text == "bob"
    reloaded(serving, 3)  # and takes the next as well


def ask_for_ever(port, over):
    """Pipelines requests that the policy's hook fails over, thousands in a second, and reads what comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        while not over.is_set():
            client.sendall(b"GET /boom HTTP/1.1\r\nHost: alice.test\r\n\r\n" * 50)
            answers = b""
            while answers.count(b"HTTP/1.1 500 ") < 50:
                part = client.recv(1 << 16)
                assert part, "the connection was closed"
                answers += part


def test_complaints_without_end_do_not_crowd_out_the_answer_to_a_reload(serving):
    """A hook that fails tells master so each time: its channel stays free for what master waits for."""
    before = pids(serving)
    write(serving, "parsing", 'on_head(function(head) if head.path == "/boom" then error "x" end end)\nlimits { requests = 0 }')
    reloaded(serving, 2)
    over = threading.Event()
    clients = [threading.Thread(target=ask_for_ever, args=(serving.port, over), daemon=True) for _ in range(3)]
    for client in clients:
        client.start()
    began = time.monotonic()
    for epoch in range(3, 7):
        time.sleep(0.5)
        reloaded(serving, epoch)
    over.set()
    for client in clients:
        client.join(20)
    assert time.monotonic() - began < 15
    assert "does not say" not in serving.stderr and pids(serving) == before
    assert status(serving, "/boom") == 500


MISTAKES = {
    "no Lua": ("parsing", "limits {", "parsing.lua:1:"),
    "unknown name": ("parsing", "\nreject { stauts = 403 }\n", "parsing.lua:2:"),
    "routing": ("routing", 'route "alice.test" { to = "alcie" }\n', "routing.lua:1:"),
    "endless": ("routing", "while true do end", "routing.lua"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistake_is_named_and_changes_nothing(serving, case):
    """By the command; by SIGHUP in the log."""
    name, text, words = MISTAKES[case]
    write(serving, name, text)
    code, out, _ = reload(serving)
    assert code == 3 and words in out, out
    assert "not reloaded" not in serving.stderr  # the server was not asked
    os.kill(serving.pid, signal.SIGHUP)
    wait_until(lambda: "not reloaded, nothing was changed: the configuration has mistakes" in serving.stderr, "its answer")
    assert words in serving.stderr
    assert status(serving) == 403 and serving.get("/", host="bob.test").text == "bob"
    write(serving, "parsing", DENY.format(410))
    write(serving, "routing", "")
    reloaded(serving, 2)
    assert status(serving) == 410


def more_hosts(server):
    server.statements[-1] = server.statements[-1].replace('"bob.test"', '"bob.test", "carol.test"')


def other_memory(server):
    server.statements[-1] = server.statements[-1].replace("hosts", 'limits = { memory = "48MB" }, hosts')



def other_logs(server):
    server.statements[0] = server.statements[0].replace('"both"', '"json"')


DIFFERENCES = {
    "a vhost more": (lambda server: server.add_site("carol", hosts=["carol.test"]), "its vhosts, or their users"),
    "a vhost less": (lambda server: server.statements.pop(), "its vhosts, or their users"),
    "a limit of a vhost": (other_memory, "its vhosts, or their users"),
    "a host more": (more_hosts, "the hosts of its vhosts"),
    "the logs": (other_logs, "its logs"),
    "one listen more": (lambda server: server.listens.append('listen "127.0.0.1:0"'), "what it listens on"),
    "more processes": (lambda server: server.listens.__setitem__(0, 'listen { "127.0.0.1:0", processes = 2 }'),
                       "what it listens on"),
    "fast open": (lambda server: server.listens.__setitem__(0, 'listen { "127.0.0.1:0", fast_open = true }'),
                  "what it listens on"),
}


@pytest.mark.parametrize("case", DIFFERENCES)
def test_what_needs_a_restart_is_said_and_changes_nothing(serving, case):
    change, words = DIFFERENCES[case]
    users = (serving.state / "users").read_text()
    before = pids(serving)
    change(serving)
    serving.write_configuration()
    write(serving, "parsing", DENY.format(410))
    code, _, complaint = reload(serving)
    assert code == 1 and "not reloaded, nothing was changed: more than policies differs, restart to apply" in complaint
    line = serving.stderr.splitlines()[-1]
    assert line == ("luttpd: error: not reloaded, nothing was changed: only policies can change while it runs, "
                    f"restart to apply what changes {line.rpartition('what changes ')[2]}"), line
    assert words in line
    assert status(serving) == 403  # not even the policies
    assert (serving.state / "users").read_text() == users
    assert pids(serving) == before


def test_configuration_that_is_gone_changes_nothing(serving):
    serving.configuration.unlink()
    os.kill(serving.pid, signal.SIGHUP)
    wait_until(lambda: "not reloaded, nothing was changed" in serving.stderr, "the answer")
    assert status(serving) == 403
