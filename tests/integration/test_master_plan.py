# SPDX-License-Identifier: Apache-2.0
"""A captured config lies; master checks the plan against its own rules and changes nothing.

Master is real, config is a puppet."""
import fcntl
import os

import pytest

import codec
import puppets
from puppets import Theatre, plan, plan_listen, plan_vhost, policies, records, routes, sealed


@pytest.fixture
def theatre(server):
    server.write_configuration()
    stage = Theatre(server, "config", "router", "listener", "vhost", "logger")
    yield stage
    stage.close()


def answer(theatre, *fds):
    """Config answers with these descriptors and exits. Returns master's exit status and words."""
    theatre.server.spawn()
    config = theatre.take("config")
    config.receive()
    config.send("READY")
    config.send("PLAN", fds=fds)
    config.exit(0)
    return theatre.server.wait(), theatre.server.stderr


def assert_refused(theatre, content, reason):
    status, words = answer(theatre, sealed(content), sealed(b"routes"), sealed(b"policies"))
    assert status == 1 and reason in words, words
    assert not theatre.server.logs.exists(), "a broken plan has changed something"
    assert not theatre.waiting, "a broken plan has started something"


BAD_VHOSTS = {
    "uid root": ({"uid": 0}, "as root"),
    "gid root": ({"gid": 0}, "as root"),
    "uid of a role": ({"uid": 1899999902, "gid": 1899999902}, "luttpd's own users"),
    "gid of a role": ({"uid": 1500, "gid": 1899999905, "automatic": False}, "luttpd's own users"),
    "system account": ({"uid": 999, "gid": 1500, "automatic": False}, "account or group of the system"),
    "system group": ({"uid": 1500, "gid": 42, "automatic": False}, "account or group of the system"),
    "no user": ({"uid": 2**32 - 1, "gid": 2**32 - 1}, "nobody"),
    "nobody": ({"uid": 65534, "gid": 65534, "automatic": False}, "nobody"),
    "automatic below the range": ({"uid": 65535, "gid": 65535}, "reserved range"),
    "automatic with another's group": ({"gid": 1500}, "reserved range"),
    "name climbs": ({"name": "../etc"}, "not safe"),
    "name is hidden": ({"name": ".ssh"}, "not safe"),
    "name of the server's logs": ({"name": "_server"}, "not safe"),
    "name is empty": ({"name": ""}, "not safe"),
    "name with a slash": ({"name": "a/b"}, "not safe"),
    "number zero": ({"vhost": 0}, "no number"),
    "relative root": ({"root": "srv/www"}, "not absolute"),
    "no memory": ({"memory_bytes": 0}, "limit"),
    "memory that overflows": ({"memory_bytes": 2**63}, "limit"),
    "no time": ({"cpu_ms": 0}, "limit"),
}


@pytest.mark.parametrize("case", BAD_VHOSTS)
def test_refuses_a_vhost(theatre, case):
    changes, reason = BAD_VHOSTS[case]
    good = plan_vhost(theatre.server)
    assert_refused(theatre, plan(theatre.server, [{**good, **changes}]), reason)


BAD_LISTENS = {
    "address too short": ({"address": b"\x7f\0\0"}, "does not fit"),
    "family none": ({"family": "none", "address": b""}, "does not fit"),
    "relative unix path": ({"family": "unix", "address": b"socket"}, "does not fit"),
    "unix path with NUL": ({"family": "unix", "address": b"/run/x\0y"}, "does not fit"),
    "unix path too long": ({"family": "unix", "address": b"/" * 108}, "does not fit"),
    "no process": ({"processes": 0}, "no listener process"),
    "too many processes": ({"processes": 65}, "no listener process"),
}


@pytest.mark.parametrize("case", BAD_LISTENS)
def test_refuses_a_socket(theatre, case):
    changes, reason = BAD_LISTENS[case]
    assert_refused(theatre, plan(theatre.server, [], [plan_listen(**changes)]), reason)


def test_refuses_too_many_listeners_together(theatre):
    assert_refused(theatre, plan(theatre.server, [], [plan_listen(processes=64)] * 3), "too many listener processes")


def test_refuses_two_of_one_name(theatre):
    vhosts = [plan_vhost(theatre.server, 1, "twin"), plan_vhost(theatre.server, 2, "twin")]
    assert_refused(theatre, plan(theatre.server, vhosts), "one name")


def test_refuses_one_number_twice(theatre):
    vhosts = [plan_vhost(theatre.server, 1, "a"), plan_vhost(theatre.server, 1, "b", uid=1910000002, gid=1910000002)]
    assert_refused(theatre, plan(theatre.server, vhosts), "do not rise")


@pytest.mark.parametrize("shared", [(False, False), (True, False), (False, True)])
def test_refuses_one_user_twice_unless_both_share(theatre, shared):
    vhosts = [plan_vhost(theatre.server, number, name, uid=1910000001, gid=1910000001, shared_user=share)
              for number, name, share in zip((1, 2), ("a", "b"), shared)]
    assert_refused(theatre, plan(theatre.server, vhosts), "one user")


@pytest.mark.parametrize("changes", [{"vhosts": 0}, {"vhosts": 2}, {"listens": 2}, {"vhosts": 2**32 - 1}])
def test_refuses_counts_that_are_wrong(theatre, changes):
    server = theatre.server
    assert_refused(theatre, plan(server, [plan_vhost(server)], **changes), "breaks a rule")


@pytest.mark.parametrize("content", [
    b"\0" * 7, b"\xff" * 64, b"\0" * 64,
    records(codec.frame("NOTE", text="x")),
    records(codec.frame("PLAN_LISTEN", **plan_listen())),
    records(codec.frame("PLAN_SERVER", logs="relative", listens=1)),
    records(codec.frame("PLAN_SERVER", logs="/x", listens=1), codec.frame("PLAN_SERVER", logs="/x", listens=1)),
])
def test_refuses_what_is_no_plan(theatre, content):
    assert_refused(theatre, content, "breaks a rule")


@pytest.mark.parametrize("seals", [0, puppets.SEALS & ~fcntl.F_SEAL_WRITE, puppets.SEALS & ~fcntl.F_SEAL_GROW])
def test_refuses_a_plan_that_can_change(theatre, seals):
    content = plan(theatre.server, [plan_vhost(theatre.server)])
    status, words = answer(theatre, sealed(content, seals), sealed(b"routes"), sealed(b"policies"))
    assert status == 1 and "not a sealed file" in words, words


def test_refuses_a_plan_that_is_no_memory(theatre):
    status, words = answer(theatre, os.open("/dev/zero", os.O_RDONLY), sealed(b"routes"), sealed(b"policies"))
    assert status == 1 and "not a sealed file" in words, words


def test_prints_faults_and_exits_with_3(theatre):
    theatre.server.spawn()
    config = theatre.take("config")
    config.receive()
    config.send("READY")
    config.send("FAULT", file="server.lua", line=7, key="vhost.alice.usr", reason="\x1b[2Jnope\n")
    config.exit(0)
    assert theatre.server.wait() == 3
    assert "server.lua:7: vhost.alice.usr: \\x1b[2Jnope\\x0a\n" in theatre.server.stderr


def test_refuses_a_plan_after_faults(theatre):
    theatre.server.spawn()
    config = theatre.take("config")
    config.receive()
    config.send("READY")
    config.send("FAULT", file="server.lua", line=7, reason="nope")
    config.send("PLAN", fds=[sealed(plan(theatre.server, [])), sealed(b"r"), sealed(b"p")])
    assert theatre.server.wait() == 3
    assert "broke the rules of its control channel" in theatre.server.stderr


@pytest.mark.parametrize("frame", [b"", b"x", codec.frame("READY") + b"x", codec.frame("STOP", drain_ms=1),
                                   codec.raw_frame(9999, b""), codec.frame("INTRODUCE", listener=0, vhost=1)])
def test_kills_a_config_that_breaks_the_rules(theatre, frame):
    theatre.server.spawn()
    config = theatre.take("config")
    config.receive()
    config.send_raw(frame)
    if frame == b"":
        config.close()  # an empty packet looks like the end: it is one
    assert theatre.server.wait() == 1
    assert "could not be evaluated" in theatre.server.stderr


def test_reports_a_config_that_dies(theatre):
    theatre.server.spawn()
    config = theatre.take("config")
    config.receive()
    config.exit(128 + 31)
    assert theatre.server.wait() == 1
    assert "seccomp: bad system call" in theatre.server.stderr


def test_takes_a_good_plan(theatre):
    """The cases above fail for what they change, not for what they share."""
    server = theatre.server
    vhosts = [plan_vhost(server, 1, "a", shared_user=True),
              plan_vhost(server, 2, "b", shared_user=True, uid=1910000001, gid=1910000001),
              plan_vhost(server, 7, "c", uid=1500, gid=100, automatic=False)]
    server.spawn()
    config = theatre.take("config")
    config.receive()
    config.send("READY")
    config.send("PLAN", fds=[sealed(plan(server, vhosts)), sealed(routes(vhosts)), sealed(policies())])
    config.exit(0)
    for name in "abc":
        assert theatre.take("vhost", name).receive()[0] == "START_VHOST"
