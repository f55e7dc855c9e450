# SPDX-License-Identifier: Apache-2.0
"""A server's life: it comes up, survives the death of each process, reopens logs, stops, and ends with
its master."""
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from server import wait_until

HELLO = {"vhost.lua": 'get "/" (function(req, res) res:text("hello") end)'}


@pytest.fixture(name="two")
def fixture_two(server):
    server.add_site("alice", hosts=["alice.test"], files=HELLO)
    server.add_site("bob", hosts=["bob.test"], files=HELLO)
    return server.start()


class Load(threading.Thread):
    """Requests one after the other, each on a connection of its own, until stopped."""

    def __init__(self, server, host):
        super().__init__()
        self.server, self.host = server, host
        self.results, self.times, self.going = [], [], True

    def run(self):
        while self.going:
            began = time.monotonic()
            try:
                self.results.append(self.server.get("/", host=self.host, timeout=10).status)
            except OSError as error:
                self.results.append(repr(error))
            self.times.append((began, time.monotonic()))

    def __enter__(self):
        self.start()
        wait_until(lambda: len(self.results) > 20, "the load")
        return self

    def __exit__(self, *_):
        self.going = False
        self.join()

    @property
    def failed(self):
        return [result for result in self.results if result != 200]


def kill(server, role, label=None):
    """Kills a role. Returns the seconds until its successor runs."""
    victim = server.process(role, label)
    began = time.monotonic()
    victim.kill()
    server.wait_for_successor(victim)
    return time.monotonic() - began


@pytest.mark.parametrize("role", ["router", "logger"])
def test_killing_router_or_logger_loses_no_request(two, role):
    with Load(two, "alice.test") as alice, Load(two, "bob.test") as bob:
        for _ in range(3):
            assert kill(two, role) < 1
            time.sleep(1.1)
    assert not alice.failed and not bob.failed


def test_killing_a_vhost_loses_only_its_own_requests(two):
    with Load(two, "alice.test") as alice, Load(two, "bob.test") as bob:
        for _ in range(3):
            assert kill(two, "vhost", "bob") < 1
            time.sleep(1.1)
    assert not alice.failed
    assert len(bob.failed) <= 3, bob.failed  # what it was answering when it died
    assert two.get("/", host="bob.test").status == 200


def test_killing_a_listener_loses_only_its_connections(two):
    with Load(two, "alice.test") as alice:
        for _ in range(3):
            assert kill(two, "listener") < 1
            time.sleep(1.1)
    assert len(alice.failed) <= 3, alice.failed
    assert two.get("/", host="alice.test").status == 200


def test_a_new_host_is_answered_while_the_router_restarts(two):
    two.process("router").kill()
    assert two.get("/", host="bob.test").status == 200


def test_log_records_survive_the_logger(two):
    for _ in range(5):
        assert two.get("/", host="alice.test").status == 200
    kill(two, "logger")
    for _ in range(5):
        assert two.get("/", host="alice.test").status == 200
    log = two.logs / "alice" / "access.log"
    wait_until(lambda: log.exists() and log.read_text().count("GET / HTTP/1.1") == 10, "ten records")


def test_sigusr1_reopens_the_logs(two):
    log = two.logs / "alice" / "access.log"
    two.get("/", host="alice.test")
    wait_until(lambda: log.exists() and log.stat().st_size > 0, "the first record")
    log.rename(log.with_suffix(".1"))
    os.kill(two.pid, signal.SIGUSR1)
    wait_until(lambda: two.get("/", host="alice.test").status == 200 and log.exists() and log.stat().st_size > 0,
               "a new file", pause=0.2)


def test_stops_with_status_0_and_leaves_nobody(two):
    everyone = two.processes()
    began = time.monotonic()
    assert two.stop() == 0
    assert time.monotonic() - began < 5
    assert not [process for process in everyone if process.alive()]
    assert "error" not in two.stderr, two.stderr


def test_stop_writes_the_last_log_records(two):
    for _ in range(7):
        two.get("/", host="alice.test")
    assert two.stop() == 0
    assert (two.logs / "alice" / "access.log").read_text().count("GET / HTTP/1.1") == 7


def test_stop_ends_even_those_that_hang(two):
    for process in two.processes()[1:]:
        process.kill(signal.SIGSTOP)
    began = time.monotonic()
    assert two.stop() == 0
    assert time.monotonic() - began < 15


def test_second_sigterm_stops_at_once(two):
    for process in two.processes()[1:]:
        process.kill(signal.SIGSTOP)
    os.kill(two.pid, signal.SIGTERM)
    wait_until(lambda: "stopping" in two.stderr, "the first")
    began = time.monotonic()
    assert two.stop() == 0
    assert time.monotonic() - began < 1


def test_masters_death_ends_everything_within_five_seconds(two):
    everyone = two.processes()[1:]
    assert len(everyone) == 5
    os.kill(two.pid, signal.SIGKILL)
    began = time.monotonic()
    two.wait()
    wait_until(lambda: not [process for process in everyone if process.alive()], f"the end of {everyone}", 6)
    assert time.monotonic() - began < 5.5


def test_the_port_is_free_again_at_once(two, make_server):
    port = two.port
    two.stop()
    again = make_server()
    again.listens = [f'listen "127.0.0.1:{port}"']
    again.add_site("alice", hosts=["alice.test"], files=HELLO)
    again.start()
    assert again.get("/", host="alice.test").text == "hello"


def test_a_server_killed_with_everything_starts_again(two):
    everyone = two.processes()
    users = (two.state / "users").read_text()
    for process in everyone:
        process.kill()
    two.wait()
    wait_until(lambda: not [process for process in everyone if process.alive()], "their end")
    two.start()
    assert two.get("/", host="alice.test").text == "hello"
    assert (two.state / "users").read_text() == users  # and everybody is who they were
    assert two.process("vhost", "alice").uids()[0] == 1900000000


def test_serves_ipv6_and_a_unix_path_and_takes_over_a_stale_one(server):
    path = server.directory / "web.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    server.listens = ['listen "[::1]:0"', f'listen "unix:{path}"']
    server.add_site("alice", hosts=["alice.test"], files=HELLO)
    server.start()
    assert server.addresses[0].startswith("http://[::1]:") and server.addresses[1] == f"unix:{path}"
    for family, address in ((socket.AF_INET6, ("::1", server.port)), (socket.AF_UNIX, str(path))):
        with socket.socket(family) as connection:
            connection.settimeout(10)
            connection.connect(address)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: alice.test\r\nConnection: close\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_serves_with_several_listeners_on_one_port(server):
    server.listens = ['listen { "127.0.0.1:0", processes = 3 }']
    server.add_site("alice", hosts=["alice.test"], files=HELLO)
    server.start()
    assert len(server.addresses) == 1
    assert all(server.get("/", host="alice.test").text == "hello" for _ in range(30))
    assert kill(server, "listener", "1") < 1
    assert all(server.get("/", host="alice.test").text == "hello" for _ in range(30))


def test_one_broken_site_keeps_no_other_from_serving(server):
    server.add_site("alice", hosts=["alice.test"], files=HELLO)
    server.add_site("bob", hosts=["bob.test"], files=HELLO)
    server.write_configuration()
    os.rename(server.site_directory("bob"), server.site_directory("gone"))
    server.start()
    assert server.get("/", host="alice.test").text == "hello"
    assert server.get("/", host="bob.test").status == 503
    assert "vhost bob: cannot start: its root: No such file or directory" in server.stderr.replace(
        f"[{server.pid}]", "") or "cannot start: its root: No such file or directory" in server.stderr
    os.rename(server.site_directory("gone"), server.site_directory("bob"))
    wait_until(lambda: server.get("/", host="bob.test").status == 200, "bob's return", 40, pause=0.5)


def test_a_log_directory_that_is_a_link_is_refused(server):
    server.add_site("alice", hosts=["alice.test"], files=HELLO)
    server.logs.mkdir()
    (server.directory / "elsewhere").mkdir()
    (server.logs / "alice").symlink_to(server.directory / "elsewhere")
    server.write_configuration()
    server.spawn()
    assert server.wait() == 1 and "cannot open the log directory alice" in server.stderr
    assert (server.directory / "elsewhere").stat().st_uid == 0


def test_a_log_directory_of_somebody_else_is_refused(server):
    server.add_site("alice", hosts=["alice.test"], files=HELLO)
    (server.logs / "alice").mkdir(parents=True)
    os.chown(server.logs / "alice", 1500, 1500)
    server.write_configuration()
    server.spawn()
    assert server.wait() == 1 and "alice belongs to user 1500" in server.stderr


def test_a_log_directory_that_others_may_write_is_refused(server):
    server.add_site("alice", hosts=["alice.test"], files=HELLO)
    server.logs.mkdir()
    server.logs.chmod(0o777)
    server.write_configuration()
    server.spawn()
    assert server.wait() == 1 and "writable by nobody else" in server.stderr


def test_a_state_directory_of_somebody_else_is_refused(server):
    """Its owner could change who the automatic users are."""
    server.add_site("alice", hosts=["alice.test"], files=HELLO)
    server.write_configuration()
    server.state.mkdir()
    os.chown(server.state, 1500, 1500)
    server.spawn()
    assert server.wait() == 1 and "must belong to user 0" in server.stderr


def test_too_few_descriptors_are_named_before_anything_starts(server):
    for number in range(40):
        server.add_site(f"site{number}", hosts=[f"site{number}.test"])
    server.write_configuration()
    done = server.command("run", "-c", server.configuration, "-s", server.state, preexec_fn=_few_descriptors)
    assert done.returncode == 1 and "open files, but the limit is 100" in done.stderr, done
    assert not server.logs.exists()


def _few_descriptors():
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))


def test_what_is_mounted_below_a_site_is_there(server):
    """Its root is the top of a mount tree of its own, with everything that is mounted below."""
    server.add_site("alice", hosts=["alice.test"], files={"vhost.lua": 'files "/" { dir = "public" }',
                                                          "public/here.txt": "here"})
    below = server.site_directory("alice") / "public" / "below"
    below.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,size=1m", "tmpfs", below], check=True)
    try:
        (below / "there.txt").write_text("there")
        server.start()
        assert server.get("/here.txt", host="alice.test").text == "here"
        assert server.get("/below/there.txt", host="alice.test").text == "there"
        assert server.stop() == 0
    finally:
        subprocess.run(["umount", below], check=True)
