# SPDX-License-Identifier: Apache-2.0
"""Master's part of a reload: SIGHUP, config beside the running server, POLICY to the router, then to
every listener. Master is real; every other process is a puppet, honest or not."""
import os
import signal
import time

import pytest

import codec
from puppets import Cast, Theatre, plan, plan_listen, plan_vhost, policies, routes, sealed
from server import wait_until

NEW = policies() + codec.frame("POLICY_METHOD", policy=1, method="GET")
NEW += b"\0" * (-len(NEW) % 8)
SECONDS = 15  # more than master waits for an answer


@pytest.fixture(name="theatre")
def fixture_theatre(server):
    server.write_configuration()
    stage = Theatre(server, "config", "router", "listener", "vhost", "logger")
    yield stage
    stage.close()


@pytest.fixture(name="cast")
def fixture_cast(theatre):
    return Cast(theatre)


def plan_of(cast, **changes):
    """The plan in use, as another evaluation would make it: vhosts have other numbers."""
    vhosts = [{**vhost, "vhost": vhost["vhost"] + 1000} for vhost in cast.vhosts]
    return plan(cast.server, vhosts, [plan_listen(processes=cast.listeners)], **changes)


def hang_up(cast):
    os.kill(cast.server.pid, signal.SIGHUP)


def configure(cast, content=None, new=NEW):
    """SIGHUP; config brings this plan and these policies."""
    hang_up(cast)
    answer(cast, content, new)


def answer(cast, content=None, new=NEW):
    config = cast.theatre.take("config")
    name, values, fds = config.receive()
    assert name == "START_CONFIG" and values["check_only"]
    for fd in fds:
        os.close(fd)
    config.send("READY")
    config.send("PLAN", fds=[sealed(plan_of(cast) if content is None else content), sealed(b"routes"), sealed(new)])
    config.exit(0)


def offered(player, epoch, content=NEW):
    """The POLICY that comes next to this player must be this one."""
    _, values, fds = player.receive_until("POLICY")
    assert values["epoch"] == epoch
    assert os.pread(fds[0], 1 << 20, 0) == content
    os.close(fds[0])


def take(player, epoch, content=NEW):
    offered(player, epoch, content)
    player.send("POLICY_TAKEN", epoch=epoch, taken=True)


def nothing_for(player, seconds=0.3):
    """Nobody asks this player to take policies."""
    player.control.settimeout(seconds)
    with pytest.raises(TimeoutError):
        player.receive_until("POLICY")
    player.control.settimeout(SECONDS)


def says(cast, words, count=1):
    wait_until(lambda: cast.server.stderr.count(words) >= count, f"{words!r} in the log", SECONDS)


def record(cast):
    """What the lock file says about reloads: (begun, ended, how)."""
    words = (cast.server.state / "lock").read_text().splitlines()[1].split()
    return int(words[1]), int(words[2]), words[3]


def has_changed_nothing(cast, reason):
    """The reload failed for this reason, and whoever starts gets the old policies."""
    says(cast, f"not reloaded, nothing was changed: {reason}")
    assert "policies reloaded" not in cast.server.stderr
    assert starts_with(cast, "listener") == (1, policies())
    assert starts_with(cast, "router") == (1, policies())


def starts_with(cast, role):
    """Kills the role. Returns epoch and policies with which its successor starts."""
    if cast[role].alive():
        os.kill(cast[role].pid, signal.SIGKILL)
    _, values, fds = cast.enter(role).start
    return values["epoch"], os.pread(fds[-1], 1 << 20, 0)


# Good ones ---------------------------------------------------------------------------------------------


def test_router_comes_first_then_every_listener_then_one_line(theatre):
    cast = Cast(theatre, listeners=3)
    assert record(cast) == (0, 0, "none")
    configure(cast)
    offered(cast["router"], 2)
    assert record(cast) == (1, 0, "none")
    for name in ("listener", "listener 1", "listener 2"):
        nothing_for(cast[name], 0.2)
    cast["router"].send("POLICY_TAKEN", epoch=2, taken=True)
    for name in ("listener 2", "listener", "listener 1"):
        assert "policies reloaded" not in cast.server.stderr
        take(cast[name], 2)
    says(cast, "luttpd: policies reloaded, epoch 2\n")
    assert record(cast) == (1, 1, "good")
    assert starts_with(cast, "listener") == (2, NEW)
    assert starts_with(cast, "router") == (2, NEW)


def test_fifty_reloads_leak_nothing(cast):
    def reload(epoch):
        configure(cast)
        take(cast["router"], epoch)
        take(cast["listener"], epoch)
        says(cast, f"policies reloaded, epoch {epoch}\n")

    reload(2)
    master = cast.server.processes()[0]
    before = len(master.descriptors())
    for epoch in range(3, 52):
        reload(epoch)
    assert len(master.descriptors()) == before
    assert record(cast) == (50, 50, "good")


def test_nobody_waits_while_config_works(cast):
    hang_up(cast)
    config = cast.theatre.take("config")
    config.receive()
    config.send("READY")
    cast["router"].send("INTRODUCE", listener=0, vhost=1)
    cast.channel("listener", "vhost")
    os.kill(cast["alice"].pid, signal.SIGKILL)
    cast.enter("vhost", "alice")
    config.send("PLAN", fds=[sealed(plan_of(cast)), sealed(b"routes"), sealed(NEW)])
    config.exit(0)
    take(cast["router"], 2)
    take(cast["listener"], 2)
    says(cast, "policies reloaded, epoch 2\n")


def test_more_hangups_while_one_runs_make_one_more(cast):
    hang_up(cast)
    config = cast.theatre.take("config")
    config.receive()
    for _ in range(5):
        hang_up(cast)
        time.sleep(0.02)
    config.send("READY")
    config.send("PLAN", fds=[sealed(plan_of(cast)), sealed(b"routes"), sealed(NEW)])
    config.exit(0)
    take(cast["router"], 2)
    take(cast["listener"], 2)
    answer(cast)
    take(cast["router"], 3)
    take(cast["listener"], 3)
    says(cast, "policies reloaded, epoch 3\n")
    with pytest.raises(AssertionError, match="starts no luttpd: config"):
        cast.theatre.take("config", seconds=0.5)
    assert record(cast) == (2, 2, "good")


def test_hangup_during_the_start_is_done_afterwards(theatre):
    server = theatre.server
    server.spawn()
    config = theatre.take("config")
    config.receive()
    hang_up_at = server.pid
    os.kill(hang_up_at, signal.SIGHUP)
    cast = Cast.__new__(Cast)
    cast.theatre, cast.server, cast.players, cast.listeners = theatre, server, {}, 1
    cast.vhosts = [plan_vhost(server)]
    config.send("READY")
    config.send("PLAN", fds=[sealed(plan(server, cast.vhosts)), sealed(routes(cast.vhosts)), sealed(policies())])
    config.exit(0)
    for role in ("logger", "router", "listener"):
        cast.enter(role)
    answer(cast)
    take(cast["router"], 2)
    take(cast["listener"], 2)
    says(cast, "policies reloaded, epoch 2\n")


def test_listener_that_starts_meanwhile_is_asked_only_for_what_it_lacks(cast):
    """One that was spawned with the old policies is asked once it is ready; its successor has the new."""
    os.kill(cast["listener"].pid, signal.SIGKILL)
    early = cast.enter("listener", ready=False)
    assert early.start[1]["epoch"] == 1
    configure(cast)
    take(cast["router"], 2)
    nothing_for(early)
    early.send("READY")
    offered(early, 2)
    os.kill(early.pid, signal.SIGKILL)
    late = cast.enter("listener")
    assert late.start[1]["epoch"] == 2
    says(cast, "policies reloaded, epoch 2\n")
    nothing_for(late)


def test_stop_in_the_middle_stops(cast):
    hang_up(cast)
    config = cast.theatre.take("config")
    os.kill(cast.server.pid, signal.SIGTERM)
    wait_until(lambda: not config.alive(), "the end of config")
    for name in ("listener", "alice", "router", "logger"):
        cast[name].receive_until("STOP")
        cast[name].exit(0)
    assert cast.server.wait() == 0


# Configurations that change nothing -----------------------------------------------------------------------


def test_mistakes_are_printed_and_nothing_changes(cast):
    hang_up(cast)
    config = cast.theatre.take("config")
    config.receive()
    config.send("READY")
    config.send("FAULT", file="server.lua", line=7, key="parsing", reason="\x1b[2Jnope\n")
    config.exit(0)
    has_changed_nothing(cast, "the configuration has mistakes")
    assert "server.lua:7: parsing: \\x1b[2Jnope\\x0a\n" in cast.server.stderr
    assert record(cast) == (1, 1, "faults")


DIFFERENT = {
    "fingerprint": (lambda cast: plan_of(cast, fingerprint=7), "the hosts"),
    "logs": (lambda cast: plan_of(cast, logs="/elsewhere"), "its logs"),
    "format": (lambda cast: plan_of(cast, format="json"), "its logs"),
}


def other_listen(**changes):
    return lambda cast: plan(cast.server, cast.vhosts, [plan_listen(**changes)])


def other_vhost(**changes):
    return lambda cast: plan(cast.server, [{**cast.vhosts[0], **changes}])


for what, value in {"port": 81, "address": b"\x7f\0\0\2", "processes": 2, "defer_accept": True, "fast_open": True}.items():
    DIFFERENT[what] = (other_listen(**{what: value}), "what it listens on")
for what, value in {"name": "mallory", "uid": 1500, "gid": 1500, "shared_user": True, "root": "/etc", "hardened": True,
                    "memory_bytes": 1 << 40, "cpu_ms": 1, "wall_ms": 1, "processes": 1}.items():
    changed = {what: value, "automatic": False} if what in ("uid", "gid") else {what: value}
    DIFFERENT[f"vhost {what}"] = (other_vhost(**changed), "its vhosts")
DIFFERENT["one more listen"] = (lambda cast: plan(cast.server, cast.vhosts, [plan_listen()] * 2), "what it listens on")
DIFFERENT["no vhost"] = (lambda cast: plan(cast.server, []), "its vhosts")
DIFFERENT["one more vhost"] = (lambda cast: plan(cast.server, [*cast.vhosts, plan_vhost(cast.server, 2, "eve")]),
                               "its vhosts")


def test_only_policies_can_change_whatever_the_fingerprint_says(cast):
    """The fingerprint is config's own word: master looks at everything that it acts on itself."""
    for count, (name, (content, reason)) in enumerate(DIFFERENT.items(), 1):
        configure(cast, content(cast))
        says(cast, "restart to apply", count)
        line = cast.server.stderr.splitlines()[-1]
        assert f"restart to apply what changes {reason}" in line and "nothing was changed" in line, (name, line)
        assert record(cast) == (count, count, "restart")
    nothing_for(cast["router"], 0.1)
    nothing_for(cast["listener"], 0.1)
    has_changed_nothing(cast, "only policies can change while it runs")


def test_a_plan_that_breaks_a_rule_changes_nothing(cast):
    configure(cast, plan(cast.server, [plan_vhost(cast.server, uid=0)]))
    has_changed_nothing(cast, "config has brought no plan")
    assert "a vhost would run as root" in cast.server.stderr
    assert record(cast) == (1, 1, "failed")


def test_config_that_dies_changes_nothing(cast):
    for status in (1, 128 + signal.SIGKILL, 128 + signal.SIGSYS):
        hang_up(cast)
        config = cast.theatre.take("config")
        config.receive()
        config.send("READY")
        config.exit(status)
    says(cast, "config has brought no plan", 3)
    has_changed_nothing(cast, "config has brought no plan")


def test_config_that_dies_after_its_plan_changes_nothing(cast):
    hang_up(cast)
    config = cast.theatre.take("config")
    config.receive()
    config.send("READY")
    config.send("PLAN", fds=[sealed(plan_of(cast)), sealed(b"routes"), sealed(NEW)])
    config.exit(128 + signal.SIGSEGV)
    has_changed_nothing(cast, "config has brought no plan")


@pytest.mark.parametrize("frame", [b"x", codec.frame("PLAN"), codec.frame("POLICY_TAKEN", epoch=2, taken=True),
                                   codec.raw_frame(9999, b"")])
def test_config_that_breaks_the_rules_changes_nothing(cast, frame):
    hang_up(cast)
    config = cast.theatre.take("config")
    config.receive()
    config.send("READY")
    config.send_raw(frame)
    has_changed_nothing(cast, "config has brought no plan")
    assert not config.alive()


# The router -----------------------------------------------------------------------------------------------


def test_router_that_refuses_keeps_everything_as_it_was(cast):
    configure(cast)
    offered(cast["router"], 2)
    cast["router"].send("POLICY_TAKEN", epoch=2, taken=False, why="routing.lua:3: \x1b no\n")
    has_changed_nothing(cast, "the router refuses them")
    assert "does not take the policies of epoch 2: routing.lua:3: \\x1b no\\x0a" in cast.server.stderr
    nothing_for(cast["listener"])
    configure(cast)
    take(cast["router"], 3)  # no epoch is ever offered twice
    take(cast["listener"], 3)
    says(cast, "policies reloaded, epoch 3\n")


def test_router_that_dies_over_them_keeps_everything_as_it_was(cast):
    configure(cast)
    offered(cast["router"], 2)
    cast["router"].exit(128 + signal.SIGSEGV)
    assert cast.enter("router").start[1]["epoch"] == 1
    has_changed_nothing(cast, "the router has ended over them")


def test_router_that_has_answered_may_die(cast):
    configure(cast)
    take(cast["router"], 2)
    os.kill(cast["router"].pid, signal.SIGKILL)
    assert cast.enter("router").start[1]["epoch"] == 2
    take(cast["listener"], 2)
    says(cast, "policies reloaded, epoch 2\n")


def test_router_that_never_answers_is_replaced_and_nothing_changes(cast):
    """It might take them after all: so it cannot stay."""
    configure(cast)
    silent = cast["router"]
    began = time.monotonic()
    offered(silent, 2)
    assert cast.enter("router").start[1]["epoch"] == 1
    assert 9 < time.monotonic() - began < 12 and not silent.alive()
    assert "does not say whether it takes the new policies" in cast.server.stderr
    has_changed_nothing(cast, "the router has not taken them in time")


def test_answer_behind_others_that_is_read_too_late_changes_nothing(cast):
    """What a killed router had sent is read before its successor starts; by then the policies are closed."""
    configure(cast)
    late = cast["router"]
    offered(late, 2)
    began = time.monotonic()
    os.kill(cast.server.pid, signal.SIGSTOP)
    for _ in range(64):  # as many as master reads of one child before it looks at the clock
        late.send("NOTE", level="info", text="still at it")
    late.send("POLICY_TAKEN", epoch=2, taken=True)
    time.sleep(10.2 - (time.monotonic() - began))
    os.kill(cast.server.pid, signal.SIGCONT)
    assert cast.enter("router").start[1]["epoch"] == 1
    has_changed_nothing(cast, "the router has not taken them in time")
    configure(cast)
    take(cast["router"], 3)
    take(cast["listener"], 3)
    says(cast, "policies reloaded, epoch 3\n")


def test_router_that_does_not_come_up_fails_the_reload(cast):
    cast["router"].exit(1)
    cast.enter("router", ready=False)
    configure(cast)
    says(cast, "the router has not taken them in time")
    assert record(cast) == (1, 1, "failed")


# Listeners ------------------------------------------------------------------------------------------------


def test_listener_that_refuses_is_named(theatre):
    cast = Cast(theatre, listeners=2)
    configure(cast)
    take(cast["router"], 2)
    take(cast["listener 1"], 2)
    offered(cast["listener"], 2)
    cast["listener"].send("POLICY_TAKEN", epoch=2, taken=False, why="no memory")
    says(cast, "policies reloaded, epoch 2, but 1 of 2 listeners keep the old ones")
    pid = cast["listener"].pid
    assert f"error: listener 0[{pid}]: does not take the policies of epoch 2: no memory\n" in cast.server.stderr
    assert record(cast) == (1, 1, "partly")
    assert cast["listener"].alive()
    assert starts_with(cast, "listener") == (2, NEW)


def test_listener_that_dies_or_never_answers_is_replaced_by_one_that_has_them(theatre):
    cast = Cast(theatre, listeners=2)
    configure(cast)
    take(cast["router"], 2)
    offered(cast["listener"], 2)
    offered(cast["listener 1"], 2)
    silent = cast["listener 1"]
    cast["listener"].exit(1)
    assert cast.enter("listener").start[1]["epoch"] == 2
    assert "policies reloaded" not in cast.server.stderr
    assert cast.enter("listener", "1").start[1]["epoch"] == 2
    assert not silent.alive()
    says(cast, "policies reloaded, epoch 2\n")


def test_listener_that_reads_nothing_is_replaced_by_one_that_has_them(theatre):
    names = [f"site{number}" for number in range(16)]
    cast = Cast(theatre, names)
    stuck = cast["listener"]
    fill_listener(cast, names)
    configure(cast)
    take(cast["router"], 2)
    assert cast.enter("listener").start[1]["epoch"] == 2
    assert not stuck.alive()
    says(cast, "policies reloaded, epoch 2\n")


def fill_listener(cast, names):
    """Introduces until the channel of the listener, who reads nothing, takes no more of them."""
    for _ in range(40):
        for number in range(len(names)):
            cast["router"].send("INTRODUCE", listener=0, vhost=number + 1)
        try:
            for name in names:
                cast[name].control.settimeout(0.3)
                _, _, fds = cast[name].receive_until("CHANNEL")
                os.close(fds[0])
        except TimeoutError:
            return
    raise AssertionError("the queue does not fill")


# Answers that nobody asked for ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["router", "listener"])
@pytest.mark.parametrize("epoch", [0, 1, 2, 3, 2**64 - 1])
def test_answer_that_was_not_asked_for_ends_its_sender(cast, role, epoch):
    cast[role].send("POLICY_TAKEN", epoch=epoch, taken=True)
    assert cast.enter(role).start[1]["epoch"] == 1
    assert "broke the rules of its control channel" in cast.server.stderr


@pytest.mark.parametrize("epoch", [0, 1, 3, 2**64 - 1])
def test_answer_about_another_epoch_ends_its_sender(cast, epoch):
    configure(cast)
    offered(cast["router"], 2)
    cast["router"].send("POLICY_TAKEN", epoch=epoch, taken=True)
    has_changed_nothing(cast, "the router has ended over them")
    assert "broke the rules of its control channel" in cast.server.stderr


def test_flood_of_answers_ends_its_sender_and_nobody_else(cast):
    configure(cast)
    take(cast["router"], 2)
    offered(cast["listener"], 2)
    flood = cast["listener"]
    try:
        for _ in range(1000):
            flood.send("POLICY_TAKEN", epoch=2, taken=True)
    except OSError:
        pass  # it has been ended
    assert cast.enter("listener").start[1]["epoch"] == 2
    says(cast, "policies reloaded, epoch 2\n")
    assert not flood.alive() and cast["router"].alive() and cast["alice"].alive()


def test_listener_cannot_answer_for_the_router(cast):
    configure(cast)
    offered(cast["router"], 2)
    cast["listener"].send("POLICY_TAKEN", epoch=2, taken=True)
    assert cast.enter("listener").start[1]["epoch"] == 1
    cast["router"].send("POLICY_TAKEN", epoch=2, taken=True)
    take(cast["listener"], 2)
    says(cast, "policies reloaded, epoch 2\n")
