# SPDX-License-Identifier: Apache-2.0
"""Master and its children: what it gives them, how it replaces them, what it refuses them.

Master is real; every other process is a puppet."""
import itertools
import os
import signal
import socket
import stat
import time

import pytest

import codec
from puppets import Cast, Theatre, routes
from server import wait_until


@pytest.fixture
def theatre(server):
    server.write_configuration()
    stage = Theatre(server, "config", "router", "listener", "vhost", "logger")
    yield stage
    stage.close()


@pytest.fixture
def cast(theatre):
    return Cast(theatre)


def connected(one, other):
    """Whether two sockets are the ends of one pair."""
    one.send(b"ping")
    other.settimeout(5)
    return other.recv(16) == b"ping"


# Starts ----------------------------------------------------------------------------------------------


def test_gives_each_role_what_it_needs(cast):
    name, values, fds = cast["listener"].start
    assert name == "START_LISTENER" and values["listener"] == 0
    listening = socket.socket(fileno=fds[0])
    assert listening.getsockname()[1] == values["port"] != 0
    assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    assert os.pread(fds[1], 1 << 20, 0) == routes(cast.vhosts)
    name, values, fds = cast["alice"].start
    root = os.fstat(fds[0])
    assert name == "START_VHOST" and (values["name"], values["vhost"], values["generation"]) == (b"alice", 1, 1)
    assert (root.st_ino, root.st_dev) == (cast.server.site_directory("alice").stat().st_ino, root.st_dev)
    assert values["role_uids"][:6] == [0, 1899999901, 1899999902, 1899999903, 1910000001, 1899999905]
    logs = os.fstat(cast["logger"].start[2][0])
    assert logs.st_ino == cast.server.logs.stat().st_ino


def test_makes_log_directories_that_only_the_group_reads(cast):
    for name, gid in (("alice", 1910000001), ("_server", 1899999905)):
        facts = (cast.server.logs / name).stat()
        assert (facts.st_uid, facts.st_gid) == (1899999905, gid)
        assert stat.S_IMODE(facts.st_mode) == 0o2750
    assert stat.S_IMODE(cast.server.logs.stat().st_mode) == 0o711


def test_every_descriptor_it_passes_is_closed_on_exec(cast):
    """No child holds anything of another: only its own control channel beside /dev/null."""
    for process in cast.server.processes()[1:]:
        wait_until(lambda p=process: set(p.descriptors()) == {0, 1, 2, 4},  # 4: the puppet's own link
                   f"descriptors of {process}: {process.descriptors()}")


# Introductions ----------------------------------------------------------------------------------------


def test_connects_router_with_listener_and_all_with_the_logger(cast):
    _, listener_end = cast.channel("listener", "router")
    values, router_end = cast.channel("router", "listener")
    assert values["id"] == 0 and connected(listener_end, router_end)
    for name, peer, number in (("router", "router", 0), ("listener", "listener", 0), ("alice", "vhost", 1)):
        _, producer_end = cast.channel(name, "logger")
        values, logger_end = cast.channel("logger", peer)
        assert values["id"] == number and connected(producer_end, logger_end)


def test_connects_listener_with_vhost_when_the_router_asks(cast):
    cast["router"].send("INTRODUCE", listener=0, vhost=1)
    values, listener_end = cast.channel("listener", "vhost")
    device = cast.server.site_directory("alice").stat().st_dev
    assert (values["id"], values["generation"], values["device"]) == (1, 1, device)
    values, vhost_end = cast.channel("alice", "listener")
    assert values["id"] == 0 and connected(listener_end, vhost_end)


def test_introduces_once_however_often_it_is_asked(cast):
    for _ in range(500):
        cast["router"].send("INTRODUCE", listener=0, vhost=1)
    time.sleep(0.3)
    count = 0
    cast["alice"].control.settimeout(0.3)
    try:
        while True:
            _, values, fds = cast["alice"].receive_until("CHANNEL")
            os.close(fds[0])
            count += values["peer"] == "listener"
    except TimeoutError:
        pass
    assert 1 <= count <= 8, count


@pytest.mark.parametrize("wish", [{"listener": 1, "vhost": 1}, {"listener": 0, "vhost": 2},
                                  {"listener": 2**32 - 1, "vhost": 1}, {"listener": 0, "vhost": 2**64 - 1}])
def test_replaces_a_router_that_asks_for_what_does_not_exist(cast, wish):
    old = cast["router"]
    old.send("INTRODUCE", **wish)
    cast.enter("router")
    assert not old.alive()
    assert "router" in cast.server.stderr and "broke the rules of its control channel" in cast.server.stderr
    cast.channel("router", "listener")  # the successor is connected like the first


@pytest.mark.parametrize("name", ["listener", "alice", "logger"])
def test_only_the_router_may_ask_for_introductions(cast, name):
    old = cast[name]
    old.send("INTRODUCE", listener=0, vhost=1)
    cast.enter(*(("vhost", "alice") if name == "alice" else (name,)))
    assert not old.alive()


def test_introduces_a_vhost_that_restarts_as_soon_as_it_is_ready(cast):
    cast["alice"].exit(128 + signal.SIGKILL)
    cast.enter("vhost", "alice", ready=False)
    cast["router"].send("INTRODUCE", listener=0, vhost=1)
    time.sleep(0.2)
    cast["alice"].send("READY")
    values, _ = cast.channel("listener", "vhost")
    assert values["generation"] == 2
    assert cast["alice"].start[1]["generation"] == 2


def test_refuses_a_vhost_in_long_back_off(cast):
    for _ in range(6):
        cast["alice"].exit(1)
        cast.enter("vhost", "alice", ready=False)
    cast["alice"].exit(1)
    wait_until(lambda: "failed 7 times in a row" in cast.server.stderr, "the back-off")
    cast["router"].send("INTRODUCE", listener=0, vhost=1)
    _, values, _ = cast["listener"].receive_until("CHANNEL_REFUSED")
    assert values["vhost"] == 1 and 500 < values["retry_ms"] <= 3200


def test_forgets_the_wishes_of_a_listener_that_died(cast):
    cast["alice"].exit(128 + signal.SIGKILL)
    cast.enter("vhost", "alice", ready=False)
    cast["router"].send("INTRODUCE", listener=0, vhost=1)
    time.sleep(0.1)
    cast["listener"].exit(128 + signal.SIGKILL)
    cast.enter("listener")
    cast["alice"].send("READY")
    values, _ = cast.channel("alice", "logger")
    cast["alice"].control.settimeout(0.5)
    with pytest.raises(TimeoutError):
        cast.channel("alice", "listener")


# Deaths ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["logger", "router", "listener", "vhost"])
def test_replaces_a_killed_process_at_once_and_connects_it_again(cast, role):
    label = "alice" if role == "vhost" else None
    name = label or role
    began = time.monotonic()
    os.kill(cast[name].pid, signal.SIGKILL)
    cast.enter(role, label)
    assert time.monotonic() - began < 1
    for peer in {"logger": ["router", "listener", "vhost"], "router": ["listener", "logger"],
                 "listener": ["router", "logger"], "vhost": ["logger"]}[role]:
        _, end = cast.channel(name, peer)
        _, other = cast.channel({"vhost": "alice"}.get(peer, peer), role)
        while not _same_pair(end, other):  # the other one's first channels are of the dead process
            _, other = cast.channel({"vhost": "alice"}.get(peer, peer), role)
    assert "ended by signal 9" in cast.server.stderr


def _same_pair(one, other):
    try:
        one.send(b"x")
        other.settimeout(0.2)
        return other.recv(8) == b"x"
    except (TimeoutError, OSError):
        return False


def test_backs_off_from_one_that_dies_again_and_again(cast):
    starts = []
    for _ in range(6):
        cast["alice"].exit(3)
        cast.enter("vhost", "alice", ready=False)
        starts.append(time.monotonic())
    pauses = [b - a for a, b in zip(starts, starts[1:])]
    for pause, least in zip(pauses, (0.1, 0.2, 0.4, 0.8, 1.6)):
        assert least * 0.9 <= pause < least + 0.6, pauses
    assert "exited with status 3" in cast.server.stderr
    assert cast.server.child.poll() is None


def test_a_child_may_say_little_and_harmless(cast):
    cast["alice"].send("NOTE", level="warning", text="one \x1b[31m\r\n two\x7f \\ \u00e4".encode())
    wait_until(lambda: "two" in cast.server.stderr, "the note")
    lines = [line for line in cast.server.stderr.splitlines() if "two" in line]
    pid = cast["alice"].pid
    assert lines == [f"luttpd: warning: vhost alice[{pid}]: one \\x1b[31m\\x0d\\x0a two\\x7f \\x5c \\xc3\\xa4"]


def test_a_child_that_talks_too_much_is_cut_short(cast):
    for number in range(3000):
        cast["alice"].send("NOTE", text=f"line {number} of many")
    wait_until(lambda: "more lines are not shown" in cast.server.stderr, "the summary", 10)
    assert cast.server.stderr.count("of many") <= 60
    cast["router"].send("INTRODUCE", listener=0, vhost=1)  # and nobody else has to wait
    cast.channel("listener", "vhost")


def test_kills_one_that_does_not_read(cast):
    """A listener that takes nothing fills its queue; the router can neither use that to stop master."""
    stuck = cast["listener"]
    end = time.monotonic() + 15
    while stuck.alive():
        assert time.monotonic() < end, "it lives"
        cast["router"].send("INTRODUCE", listener=0, vhost=1)
        while _drain(cast["alice"]):
            pass
        time.sleep(0.02)
    assert "does not read what it is sent" in cast.server.stderr
    cast.enter("listener")


def _drain(player):
    player.control.setblocking(False)
    try:
        message = player.receive()
        for fd in message[2]:
            os.close(fd)
        return True
    except BlockingIOError:
        return False
    finally:
        player.control.settimeout(5)


def test_kills_one_that_hangs_up_and_stays(cast):
    old = cast["router"]
    old.close()
    cast.enter("router")
    assert not old.alive()


# Hostile frames -------------------------------------------------------------------------------------------


PLAYERS = {"logger": "logger", "router": "router", "listener": "listener", "alice": "vhost"}


def cases_of(role):
    """One hostile case of each kind that this role can send to master: tests/hostile has all values."""
    kinds = {}
    for case in codec.CASES:
        if (case["via"] == "control" and role in case.get("from", [role]) and "master" in case.get("to", ["master"])):
            kinds.setdefault(case["case"], case)
    return list(kinds.values())


def send_broken(player, case):
    frame, count = codec.broken(case)
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
    player.send_raw(frame, fds)
    for fd in fds:
        os.close(fd)


def test_every_broken_message_ends_its_sender_and_nobody_else(cast):
    rounds = itertools.zip_longest(*(cases_of(role) for role in PLAYERS.values()))
    for cases in rounds:
        time.sleep(1.05)  # who has run for a second is replaced at once
        for (name, role), case in zip(PLAYERS.items(), cases):
            if case is None:
                continue
            player = cast[name]
            send_broken(player, case)
            wait_until(lambda p=player: not p.alive(), f"{role} lives after {case}", 10)
            cast.enter(role, "alice" if role == "vhost" else None)
        assert cast.server.child.poll() is None, f"master has ended: {cases}"


def test_no_introductions_before_the_router_is_ready(cast):
    cast["router"].exit(128 + signal.SIGKILL)
    early = cast.enter("router", ready=False)
    early.send("INTRODUCE", listener=0, vhost=1)
    cast.enter("router")
    assert not early.alive()
