# SPDX-License-Identifier: Apache-2.0
"""A hostile router against the real listener, a hostile logger against its producers, and every role
against the real master. THREATS 13, 34.

Stopper taken away by hand, and what was seen: routes.c without host_map_allows: the case other-vhost
fails, the listener believes the router and asks bob for alice's client."""
import contextlib
import os
import random
import socket
import time

import pytest

import codec
from puppets import Cast, Theatre
from rings import HEAD, INDEX_BYTES, IN_BYTES, TAIL
from server import Server, read_all, wait_until
from stage import close_all, fd_count, name_of
from vhost_master import LogEnd

ACCESS_LOG_BYTES = 1 << 20  # CHANNEL_ACCESS_LOG_BYTES: the ring of a listener
HELLO = 'get "/" (function(req, res) res:text("hello") end)'


class Real:
    """A server whose vhosts and listener are real, and in which the given role is played here."""

    def __init__(self, role, routing=""):
        self.server = Server()
        self.server.statements.append('routing "routing.lua"')
        (self.server.directory / "routing.lua").write_text(routing)
        for name in ("alice", "bob"):
            self.server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": HELLO})
        self.server.write_configuration()
        self.theatre = Theatre(self.server, role)
        self.server.spawn()
        self.enter(role)
        self.server.addresses = self.server.child.stdout.readline().decode().split()[2:]
        assert self.server.addresses, self.server.stderr
        self.listener = self.server.process("listener")
        self.vhosts = [self.server.process("vhost", name).pid for name in ("alice", "bob")]

    def enter(self, role):
        """The next process of this role, ready, with the sockets of its channels by peer."""
        self.player = self.theatre.take(role)
        _, values, fds = self.player.receive()
        self.epoch = values.get("epoch")
        route_map = fds[0 if role == "router" else 1]
        self.ids = [codec.parse(frame)[1]["vhost"] for frame in route_vhosts(os.pread(route_map, 1 << 20, 0))]
        close_all(fds)
        self.player.send("READY")
        return self.player

    def channel_of(self, peer=None):
        """(peer, socket) of the next channel, to such a peer or to any."""
        while True:
            _, values, fds = self.player.receive_until("CHANNEL")
            if peer in (None, values["peer"]):
                return values["peer"], socket.socket(fileno=fds[0])
            close_all(fds)

    def channel(self, peer):
        return self.channel_of(peer)[1]

    def assert_same(self):
        """Nobody but the hostile one was replaced."""
        assert self.server.process("listener").pid == self.listener.pid, self.server.stderr
        assert [self.server.process("vhost", name).pid for name in ("alice", "bob")] == self.vhosts
        assert self.server.child.poll() is None

    def close(self):
        self.theatre.close()
        self.server.remove()


def route_vhosts(content):
    """The frames of the ROUTE_VHOST records at the begin of a route map."""
    at = 0
    while at < len(content):
        size = 8 + int.from_bytes(content[at:at + 4], "little")
        if content[at + 4] == codec.MESSAGES["ROUTE_VHOST"]["id"]:
            yield content[at:at + size]
        at += size + -size % 8


@pytest.fixture
def play():
    made = []

    def start(*arguments):
        made.append(Real(*arguments))
        return made[-1]

    yield start
    for one in made:
        one.close()


# Router --------------------------------------------------------------------------------------------------


class Router:
    """Answers one question at a time, as the test says."""

    def __init__(self, stage):
        self.stage, self.socket = stage, stage.channel("listener")
        self.socket.settimeout(20)

    def question(self):
        while True:
            name, values, _ = codec.receive(self.socket)
            if name == "ROUTE_ASK":
                return values
            self.stage.player.send("INTRODUCE", listener=0, vhost=values["vhost"])

    def answer(self, ask, vhost, **values):
        codec.send(self.socket, "ROUTE", **{
            "ask": ask, "epoch": self.stage.epoch, "verdict": "vhost", "choices": 1,
            "vhosts": [vhost] + [0] * 7, "weights": [1] + [0] * 7, **values})

    def cut_off(self):
        try:
            return self.socket.recv(9000) == b""
        except ConnectionResetError:
            return True


def client(stage, host):
    connection = stage.server.connect()
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    return connection


def test_honest_router_is_believed(play):
    """Not hostile: the control of the tests below."""
    stage = play("router")
    router = Router(stage)
    with client(stage, "alice.test") as connection:
        router.answer(router.question()["ask"], stage.ids[0])
        name, values, _ = codec.receive(router.socket)
        assert (name, values["vhost"]) == ("CHANNEL_ASK", stage.ids[0])
        stage.player.send("INTRODUCE", listener=0, vhost=stage.ids[0])
        assert read_all(connection).endswith(b"hello")
    stage.assert_same()


def redirect(location, **values):
    return {"verdict": "redirect", "status": 302, "location": location, **values}


# The question is for alice.test, path /: what no honest router answers.
LIES = {
    "other-vhost": lambda ask, ids: {"ask": ask, "vhost": ids[1]},
    "zero": lambda ask, ids: {"ask": ask, "vhost": 0},
    "no-vhost": lambda ask, ids: {"ask": ask, "vhost": 2**64 - 1},
    "unasked": lambda ask, ids: {"ask": ask + 1, "vhost": ids[0]},
    "far": lambda ask, ids: {"ask": 2**32 - 1, "vhost": ids[0]},
    "old-epoch": lambda ask, ids: {"ask": ask, "vhost": ids[1], "epoch": 0},
    "no-choice": lambda ask, ids: {"ask": ask, "vhost": ids[0], "choices": 0},
    "nine-choices": lambda ask, ids: {"ask": ask, "vhost": ids[0], "choices": 9, "vhosts": [ids[0]] * 8, "weights": [1] * 8},
    "second-choice": lambda ask, ids: {"ask": ask, "vhost": 0, "choices": 2, "vhosts": ids[:2] + [0] * 6, "weights": [1] * 8},
    "no-weight": lambda ask, ids: {"ask": ask, "vhost": ids[0], "weights": [0] * 8},
    "prefix-beyond": lambda ask, ids: {"ask": ask, "vhost": ids[0], "reuse": "prefix", "prefix_bytes": 2},
    "prefix-far-beyond": lambda ask, ids: {"ask": ask, "vhost": ids[0], "reuse": "prefix", "prefix_bytes": 65535},
    "prefix-zero": lambda ask, ids: {"ask": ask, "vhost": ids[0], "reuse": "prefix"},
    "selector-no-name": lambda ask, ids: {"ask": ask, "vhost": ids[0], "selector": "cookie"},
    "name-no-selector": lambda ask, ids: {"ask": ask, "vhost": ids[0], "selector_name": "x"},
    "redirect-crlf": lambda ask, ids: {"ask": ask, "vhost": 0, **redirect("https://x/\r\nset-cookie: a=b")},
    "redirect-lf": lambda ask, ids: {"ask": ask, "vhost": 0, **redirect("/\n")},
    "redirect-script": lambda ask, ids: {"ask": ask, "vhost": 0, **redirect("javascript:alert(1)")},
    "redirect-other-host": lambda ask, ids: {"ask": ask, "vhost": 0, **redirect("//evil.test/")},
    "redirect-empty": lambda ask, ids: {"ask": ask, "vhost": 0, **redirect("")},
    "redirect-200": lambda ask, ids: {"ask": ask, "vhost": 0, **redirect("/x", status=200)},
    "redirect-beyond": lambda ask, ids: {"ask": ask, "vhost": 0, **redirect("/x", keep_path=True, keep_from=2)},
    "redirect-query": lambda ask, ids: {"ask": ask, "vhost": 0, **redirect("/x?y", keep_path=True)},
    "answer-100": lambda ask, ids: {"ask": ask, "vhost": 0, "verdict": "answer", "status": 100},
    "answer-204": lambda ask, ids: {"ask": ask, "vhost": 0, "verdict": "answer", "status": 204},
    "answer-999": lambda ask, ids: {"ask": ask, "vhost": 0, "verdict": "answer", "status": 999},
    "answer-control": lambda ask, ids: {"ask": ask, "vhost": 0, "verdict": "answer", "status": 503, "text": "a\x1b[2J"},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_answer_that_cannot_be_is_refused_and_told(play, lie):
    """Alice's request never reaches bob, whatever the router says."""
    stage = play("router")
    router = Router(stage)
    with client(stage, "alice.test") as connection:
        router.answer(**lie(router.question()["ask"], stage.ids))
        assert router.cut_off()
        wait_until(lambda: "router broke a rule and is cut off" in stage.server.stderr, "the line in the log")
        assert stage.server.stderr.count("router broke a rule and is cut off") == 1
        stage.player.exit(0)  # its successor is asked again
        stage.enter("router")
        router = Router(stage)
        router.answer(router.question()["ask"], stage.ids[0])
        stage.player.send("INTRODUCE", listener=0, vhost=stage.ids[0])
        assert read_all(connection).endswith(b"hello")
    stage.assert_same()


def serve_alice(stage, router):
    """What follows the first answer that leads to alice."""
    name, values, _ = codec.receive(router.socket)
    assert (name, values["vhost"]) == ("CHANNEL_ASK", stage.ids[0])
    stage.player.send("INTRODUCE", listener=0, vhost=stage.ids[0])


def test_answer_of_an_older_policy_is_used_but_not_remembered(play):
    stage = play("router")
    router = Router(stage)
    for number, epoch in enumerate([stage.epoch - 1, stage.epoch]):
        with client(stage, "alice.test") as connection:
            router.answer(router.question()["ask"], stage.ids[0], epoch=epoch, reuse="authority")
            if number == 0:
                serve_alice(stage, router)
            assert read_all(connection).endswith(b"hello")
    with client(stage, "alice.test") as connection:  # the second was remembered: nobody is asked
        assert read_all(connection).endswith(b"hello")
    stage.assert_same()


def test_answer_of_a_policy_to_come_waits_for_it(play):
    """An honest router is ahead for a moment; one that claims it for ever gets nobody routed."""
    stage = play("router")
    router = Router(stage)
    with client(stage, "alice.test") as connection:
        ask = router.question()["ask"]
        router.answer(ask, stage.ids[1], epoch=stage.epoch + 1)
        assert router.question()["ask"] == ask  # asked again within a second or so
        router.answer(ask, stage.ids[0])
        serve_alice(stage, router)
        assert read_all(connection).endswith(b"hello")
    stage.assert_same()


def test_wrong_scopes_lead_no_other_host_astray(play):
    """What is said of alice for ever never counts for bob."""
    stage = play("router")
    router = Router(stage)
    with client(stage, "alice.test") as connection:
        router.answer(router.question()["ask"], 0, verdict="answer", status=503, text="No.", reuse="authority")
        assert read_all(connection).startswith(b"HTTP/1.1 503 ")
    with client(stage, "bob.test") as connection:
        assert router.question()["authority"] == b"bob.test"
    stage.assert_same()


def test_question_that_finds_no_room_is_not_left_out(play):
    """Cookies too large for a question are asked for again by name: however slowly the router reads, nobody
    is led where the first answer, which saw none, would lead."""
    stage = play("router", 'route "alice.test" { cookie = "canary", values = { on = "bob" }, to = "alice" }')
    router = Router(stage)
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(stage.server.connect())
        cookie = "big=" + "x" * 3000 + "; canary=on"
        connection.sendall(f"GET / HTTP/1.1\r\nHost: alice.test\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode())
        values = router.question()
        for number in range(100):
            other = stack.enter_context(stage.server.connect())
            other.sendall(f"GET / HTTP/1.1\r\nHost: other{number}.test\r\nCookie: {'x' * 1900}\r\n\r\n".encode())
        time.sleep(0.5)  # the channel is full of questions
        router.answer(values["ask"], stage.ids[0], selector="cookie", selector_name="canary")
        time.sleep(0.5)
        end = time.monotonic() + 20
        while values["fields"] != [(b"cookie", b"canary=on")]:
            assert time.monotonic() < end
            values = router.question()
            if values["authority"] == b"alice.test" and not values["fields"]:
                router.answer(values["ask"], stage.ids[0], selector="cookie", selector_name="canary")
        router.answer(values["ask"], stage.ids[1], selector="cookie", selector_name="canary")
        stage.player.send("INTRODUCE", listener=0, vhost=stage.ids[1])
        assert read_all(connection).endswith(b"hello")
    stage.assert_same()


def test_flood_of_answers_to_a_question_that_was_answered_harms_nobody(play):
    stage = play("router")
    router = Router(stage)
    with client(stage, "nobody.test") as connection:
        ask = router.question()["ask"]
        for _ in range(5000):
            router.answer(ask, 0, verdict="none")
        assert read_all(connection).startswith(b"HTTP/1.1 404 ")
    stage.assert_same()


def one_of_each_kind(cases):
    """Restarts in a row are held up more and more; tests/hostile/test_vocabulary.py has every value."""
    kinds = {}
    for case in cases:
        kinds.setdefault(case["case"], case)
    return list(kinds.values())[:7]


def test_broken_answers_cut_off_the_router_and_its_successor_is_asked(play):
    stage = play("router")
    cases = one_of_each_kind(case for case in codec.cases("control", "router", "listener") if case["case"] != "phase")
    assert len(cases) > 4
    for case in cases:
        router = Router(stage)
        frame, count = codec.broken(case)
        fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
        socket.send_fds(router.socket, [frame], fds)
        close_all(fds)
        assert router.cut_off(), case
        stage.player.exit(0)
        stage.enter("router")
    with client(stage, "alice.test") as connection:
        router = Router(stage)
        router.answer(router.question()["ask"], stage.ids[0])
        stage.player.send("INTRODUCE", listener=0, vhost=stage.ids[0])
        assert read_all(connection).endswith(b"hello")
    stage.assert_same()


# Logger --------------------------------------------------------------------------------------------------


def log_end(peer, sock):
    return LogEnd(sock, ACCESS_LOG_BYTES if peer == "listener" else IN_BYTES)


def ask_all(stage, count=50):
    for number in range(count):
        assert stage.server.get("/", host=("alice.test", "bob.test")[number % 2]).body == b"hello"


@pytest.mark.parametrize("evil", ["silent", "no-ring", "closes", "scribbles", "index", "packets", "regular", "floods"])
def test_hostile_logger_costs_no_request(play, evil):
    stage = play("logger")
    chance = random.Random(4)
    ask_all(stage, 4)
    ends = [stage.channel_of() for _ in range(4)]
    rings = []
    for peer, end in ends:
        if evil == "closes":
            end.close()
        elif evil == "regular":
            fd = os.open("/dev/zero", os.O_RDWR)
            codec.send(end, "RING", [fd])
            os.close(fd)
        elif evil != "no-ring":
            rings.append(log_end(peer, end))
    for _ in range(6):
        for ring in rings:
            if evil == "scribbles":
                for at in random.sample(range(INDEX_BYTES, INDEX_BYTES + IN_BYTES), 2000):
                    ring.memory[at] = chance.randrange(256)
            elif evil == "index":
                ring.ring.set(chance.choice([HEAD, TAIL]), chance.getrandbits(64))
            elif evil in ("packets", "floods"):
                try:
                    for _ in range(500 if evil == "floods" else 1):
                        codec.send(ring.socket, "DOORBELL" if evil == "floods" else "CHANNEL",
                                   [] if evil == "floods" else [ring.socket.fileno()])
                except (BrokenPipeError, ConnectionResetError, BlockingIOError):
                    pass
        ask_all(stage, 30)
    stage.assert_same()


def test_records_reach_the_successor_of_a_hostile_logger(play):
    stage = play("logger")
    ring = log_end(*stage.channel_of("listener"))
    ask_all(stage, 10)
    for at in range(INDEX_BYTES, INDEX_BYTES + 64):
        ring.memory[at] = 255
    stage.player.exit(1)
    stage.enter("logger")
    ring = log_end(*stage.channel_of("listener"))
    ask_all(stage, 10)
    got = []
    wait_until(lambda: got.append(ring.read()) or [record for record in got if record and record[0] == "LOG_ACCESS"], "a record")
    stage.assert_same()


# Master ----------------------------------------------------------------------------------------------------


PLAYERS = {"logger": "logger", "router": "router", "listener": "listener", "alice": "vhost"}


def control_cases(role):
    return [case for case in codec.CASES if case["via"] == "control" and role in case.get("from", [role])
            and "master" in case.get("to", ["master"])]


def break_rule(player, case):
    frame, count = codec.broken(case)
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
    player.send_raw(frame, fds)
    close_all(fds)


def test_broken_control_messages_cost_their_senders_only(server_of_puppets):
    """All roles at once, one case of each kind after another: master lives, says so once for each,
    replaces every sender and nobody else, and keeps no descriptor."""
    cast = server_of_puppets
    server, master = cast.server, cast.server.processes()[0]
    before, bystander = fd_count(master), cast["bob"].pid
    cases = {name: one_of_each_kind(control_cases(role)) for name, role in PLAYERS.items()}
    assert all(len(some) > 4 for some in cases.values())
    for turn in zip(*cases.values()):
        old = {name: cast[name] for name in PLAYERS}
        for name, case in zip(PLAYERS, turn):
            break_rule(old[name], case)
        for name, case in zip(PLAYERS, turn):
            wait_until(lambda p=old[name]: not p.alive(), name_of(case))
            cast.enter(PLAYERS[name], "alice" if name == "alice" else None)
    turns = min(len(some) for some in cases.values())
    assert server.stderr.count("broke the rules of its control channel") == turns * len(PLAYERS)
    assert cast["bob"].pid == bystander and cast["bob"].alive()
    assert server.child.poll() is None
    wait_until(lambda: fd_count(master) <= before + 1, "master holds no more descriptors than before")


@pytest.fixture
def server_of_puppets():
    server = Server()
    server.write_configuration()
    theatre = Theatre(server, "config", "router", "listener", "vhost", "logger")
    yield Cast(theatre, ["alice", "bob"])
    theatre.close()
    server.remove()
