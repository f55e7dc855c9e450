# SPDX-License-Identifier: Apache-2.0
"""The real router under the real master; listeners are puppets, honest and hostile."""
import os
import signal
import socket
import time

import pytest

import codec
from puppets import Theatre, plan, plan_listen, plan_vhost, policies, records, routes, sealed
from server import wait_until


class Stage:
    """A server whose router is real. listeners: puppets, each with its channel to the router.
    routing: frames of the routing policy."""

    def __init__(self, server, listeners=2, routing=()):
        self.server, self.count = server, listeners
        server.write_configuration()
        self.theatre = Theatre(server, "config", "listener", "vhost", "logger")
        self.vhosts = [plan_vhost(server, 1, "alice"), plan_vhost(server, 2, "bob")]
        server.spawn()
        self.configure(routing)
        self.cast = [self.enter(*who) for who in (("logger",), ("vhost", "alice"), ("vhost", "bob"))]
        self.listeners = [self.enter("listener", str(number)) for number in range(listeners)]
        self.asks = [self.channel(listener, "router")[1] for listener in self.listeners]
        assert server.child.stdout.readline().startswith(b"luttpd: serving ")
        self.router = server.process("router")

    def configure(self, routing):
        """Plays config: these vhosts, this routing policy."""
        config = self.theatre.take("config")
        config.receive()
        config.send("READY")
        config.send("PLAN", fds=[sealed(plan(self.server, self.vhosts, [plan_listen(processes=self.count)])),
                                 sealed(routes(self.vhosts)), sealed(policies() + records(*routing))])
        config.exit(0)

    def enter(self, role, label=None):
        player = self.theatre.take(role, label)
        assert player.receive()[0].startswith("START_")
        player.send("READY")
        return player

    @staticmethod
    def channel(player, peer):
        """The next CHANNEL to such a peer: (values, socket)."""
        while True:
            _, values, fds = player.receive_until("CHANNEL")
            if values["peer"] == peer:
                end = socket.socket(fileno=fds[0])
                end.settimeout(10)
                return values, end
            os.close(fds[0])

    def assert_cut_off(self, number):
        """The router has closed the channel of this listener, said so, and lives."""
        ask = self.asks[number]
        try:
            while ask.recv(9000):
                pass
        except ConnectionResetError:
            pass
        wait_until(lambda: f"listener {number}" in self.server.stderr, "the blame")
        assert self.server.process("router").pid == self.router.pid

    def close(self):
        self.theatre.close()


@pytest.fixture(name="stage")
def fixture_stage(server):
    stage = Stage(server)
    yield stage
    stage.close()


def ask(channel, authority, number=7, **values):
    codec.send(channel, "ROUTE_ASK", ask=number, authority=authority, **{"path": b"/", **values})
    name, values, _ = codec.receive(channel)
    assert name == "ROUTE" and values["ask"] == number
    return values


def test_answers_which_vhost(stage):
    assert ask(stage.asks[0], "alice.test")["vhosts"][0] == 1
    assert ask(stage.asks[1], "bob.test", 2**32 - 1)["vhosts"][0] == 2
    answer = ask(stage.asks[0], "nobody.test")
    assert (answer["verdict"], answer["vhosts"][0], answer["reuse"]) == ("none", 0, "authority")


@pytest.mark.parametrize("authority", [b"", b"\xff\x01", b"." * 255, b"ALICE.TEST", b"alice.test.", b"*.test"])
def test_answers_for_any_host(stage, authority):
    assert ask(stage.asks[0], authority)["verdict"] == ("vhost" if authority == b"alice.test." else "none")


def test_introduces_a_listener_that_asks(stage):
    codec.send(stage.asks[1], "CHANNEL_ASK", vhost=2)
    values, one = stage.channel(stage.listeners[1], "vhost")
    assert (values["id"], values["generation"]) == (2, 1)
    values, other = stage.channel(stage.cast[2], "listener")
    assert values["id"] == 1
    one.send(b"x")
    assert other.recv(4) == b"x"


def test_the_number_of_a_listener_is_its_channels(stage):
    """Nothing that listener 0 says leads to a channel for listener 1."""
    codec.send(stage.asks[0], "CHANNEL_ASK", vhost=1)
    stage.channel(stage.listeners[0], "vhost")
    stage.listeners[1].control.settimeout(0.5)
    with pytest.raises(TimeoutError):
        stage.channel(stage.listeners[1], "vhost")


def test_cuts_off_a_listener_that_asks_for_an_unknown_vhost(stage):
    codec.send(stage.asks[0], "CHANNEL_ASK", vhost=3)
    stage.assert_cut_off(0)
    assert ask(stage.asks[1], "alice.test")["vhosts"][0] == 1


def test_one_that_does_not_read_waits_alone_and_loses_nothing(stage):
    """Its queues fill; the router goes on for others, and with it once it reads again."""
    slow = stage.asks[0]
    slow.setblocking(False)
    asked = 0
    end = time.monotonic() + 2
    while time.monotonic() < end:  # until both queues are full and stay so
        try:
            codec.send(slow, "ROUTE_ASK", ask=asked, authority="alice.test")
            asked += 1
        except BlockingIOError:
            time.sleep(0.05)
    assert asked > 100
    assert ask(stage.asks[1], "alice.test")["vhosts"][0] == 1
    before = sum(map(int, (stage.router.proc / "stat").read_text().split()[13:15]))
    time.sleep(0.5)
    assert sum(map(int, (stage.router.proc / "stat").read_text().split()[13:15])) - before <= 2  # it does not spin
    slow.settimeout(10)
    assert [codec.receive(slow)[1]["ask"] for _ in range(asked)] == list(range(asked))
    assert ask(slow, "bob.test", asked)["vhosts"][0] == 2


def test_one_listener_that_floods_does_not_starve_another(stage):
    """A thousand questions of one, and the other has its answer long before they are through."""
    stage.asks[0].setblocking(True)
    for number in range(100):
        codec.send(stage.asks[0], "ROUTE_ASK", ask=number, authority="alice.test")
    began = time.monotonic()
    assert ask(stage.asks[1], "bob.test")["vhosts"][0] == 2
    assert time.monotonic() - began < 1
    assert [codec.receive(stage.asks[0])[1]["ask"] for _ in range(100)] == list(range(100))


def test_a_wish_uttered_often_is_granted_rarely(stage):
    for _ in range(300):
        codec.send(stage.asks[0], "CHANNEL_ASK", vhost=1)
    time.sleep(0.5)
    count = 0
    stage.cast[1].control.settimeout(0.3)
    try:
        while True:
            stage.channel(stage.cast[1], "listener")[1].close()
            count += 1
    except TimeoutError:
        pass
    assert 1 <= count <= 12, count


# Policies -----------------------------------------------------------------------------------------------


def script(text, *also):
    """The frames of a policy that may answer (kind, host, vhost) besides the map."""
    return [codec.frame("POLICY_TEXT", policy=0, file="routing.lua", part=text),
            *(codec.frame("ROUTE_ALSO", kind=kind, host=host, vhost=vhost) for kind, host, vhost in also)]


@pytest.fixture(name="act")
def fixture_act(server):
    made = []

    def start(text, *also):
        made.append(Stage(server, routing=script(text, *also)))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_policy_answers_only_what_the_records_allow(act):
    """Config's two files agree; where they did not, the record would count, not the script."""
    stage = act('route "a.test" { to = "alice" }\nroute "b.test" { to = "alice" }\nroute "c.test" { to = "nobody" }',
                ("exact", "a.test", "alice"), ("exact", "b.test", "bob"))
    answer = ask(stage.asks[0], "a.test")
    assert (answer["verdict"], answer["vhosts"][0], answer["reuse"]) == ("vhost", 1, "authority")
    for host in ("b.test", "c.test"):
        answer = ask(stage.asks[0], host)
        assert (answer["verdict"], answer["status"], answer["reuse"]) == ("answer", 500, "once"), host
    assert ask(stage.asks[0], "bob.test")["vhosts"][0] == 2


@pytest.mark.parametrize("path", [b"", b"x", b"//", b"/" * 4096, b"/\xff\x01", b"/a" * 2048])
def test_policy_answers_for_any_path(act, path):
    stage = act('route "alice.test/a/b" { redirect = "/x", keep_path = true }\nroute "*/c" { to = "bob" }')
    answer = ask(stage.asks[0], "alice.test", path=path)
    assert answer["verdict"] in ("vhost", "redirect") and answer["prefix_bytes"] <= len(path)


def test_flood_of_the_largest_questions_does_not_starve_another(act):
    stage = act('route "*" { vhosts = { "alice" }, decide = function(r) local n = 0 for _ in pairs(r.cookies) do n = n + 1 end return "alice" end }',
                ("default", "", "alice"))
    largest = {"authority": b"h" * 255, "path": b"/" + b"p" * 4095, "query": b"q" * 2048, "method": b"M" * 32, "family": "inet6",
               "address": b"\1" * 16, "fields": [(b"cookie", b"a=b;" * 31)] * 15}
    assert len(codec.frame("ROUTE_ASK", **largest)) > 8000
    stage.asks[0].setblocking(False)
    asked = 0
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            codec.send(stage.asks[0], "ROUTE_ASK", ask=asked, **largest)
            asked += 1
        except BlockingIOError:
            time.sleep(0.005)
    began = time.monotonic()
    assert ask(stage.asks[1], "bob.test")["vhosts"][0] == 1
    assert time.monotonic() - began < 1
    stage.asks[0].settimeout(10)
    assert asked > 20 and [codec.receive(stage.asks[0])[1]["ask"] for _ in range(asked)] == list(range(asked))


def test_policy_that_cannot_be_loaded_leaves_the_old_one(act):
    stage = act('route "a.test" { answer = 503 }')
    assert ask(stage.asks[0], "a.test")["epoch"] == 1
    for text, reason in [("error 'this one'", "routing.lua:1: this one"), ("\nroute 'x' { to = 7 }", "routing.lua:2: route.x.to"),
                         ("\n\nwhile true do end", "routing.lua:3")]:
        stage.server.child.send_signal(signal.SIGHUP)
        stage.configure(script(text))
        wait_until(lambda: reason in stage.server.stderr, reason)
        answer = ask(stage.asks[0], "a.test")
        assert (answer["status"], answer["epoch"]) == (503, 1)
    stage.server.child.send_signal(signal.SIGHUP)
    stage.configure(script('route "a.test" { answer = 404 }'))
    wait_until(lambda: ask(stage.asks[0], "a.test")["status"] == 404, "the new policy")


# Broken rules ---------------------------------------------------------------------------------------------


# A socket takes no packet of twice 64 KiB: those cases are for tests/hostile/test_vocabulary.py.
CASES = [case for case in codec.cases("control", "listener", "router")
         if case["case"] != "phase" and len(codec.broken(case)[0]) < 100000]


def test_cuts_off_whoever_breaks_the_rules_and_lives(server):
    """Every hostile case that a listener can send costs that listener its channel, and nobody else."""
    assert len(CASES) > 20
    stage = Stage(server, listeners=len(CASES) + 1)
    for channel, case in zip(stage.asks, CASES):
        frame, count = codec.broken(case)
        fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
        socket.send_fds(channel, [frame], fds)
        for fd in fds:
            os.close(fd)
        assert channel.recv(9000) == b"", case
        assert ask(stage.asks[-1], "alice.test")["vhosts"][0] == 1, case
    assert stage.server.process("router").pid == stage.router.pid
    wait_until(lambda: "more lines are not shown" in server.stderr or
               server.stderr.count(": cut off") == len(CASES), "the blames")
    stage.close()


def test_one_that_was_cut_off_is_replaced_and_its_successor_answered(stage):
    stage.asks[0].send(b"nonsense")
    stage.assert_cut_off(0)
    old = stage.listeners[0]
    stage.listeners[0] = stage.enter("listener", "0")
    assert not old.alive() and stage.listeners[1].alive()
    assert "accused of a broken rule by router" in stage.server.stderr
    assert ask(stage.channel(stage.listeners[0], "router")[1], "bob.test")["vhosts"][0] == 2


def test_the_successor_of_a_killed_router_answers(stage):
    stage.router.kill()
    for listener in stage.listeners:
        assert ask(stage.channel(listener, "router")[1], "bob.test")["vhosts"][0] == 2
