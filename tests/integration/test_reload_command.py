# SPDX-License-Identifier: Apache-2.0
"""luttpd reload: looks at the configuration, asks the server, says how it went. The command, its check and
master are real; the other processes are puppets."""
import os
import subprocess

import pytest

from puppets import Cast, Puppet, Theatre, plan, plan_listen, policies, sealed


@pytest.fixture(name="theatre")
def fixture_theatre(server):
    server.write_configuration()
    stage = Theatre(server, "config", "router", "listener", "vhost", "logger")
    yield stage
    stage.close()


@pytest.fixture(name="cast")
def fixture_cast(theatre):
    return Cast(theatre)


class Reload:
    """The command, under way."""

    def __init__(self, cast, *words):
        command = [cast.server.build / "bin" / "luttpd", "reload", "-s", cast.server.state, *words]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)

    def end(self):
        out, err = self.child.communicate(timeout=30)
        return self.child.returncode, out, err


def config_says(cast, fault=None, **changes):
    """The next config brings the plan in use, or a mistake."""
    config: Puppet = cast.theatre.take("config")
    _, values, fds = config.receive()
    for fd in fds:
        os.close(fd)
    assert values["directory"] == str(cast.server.directory).encode() and values["file"] == b"server.lua"
    config.send("READY")
    if fault:
        config.send("FAULT", file="server.lua", line=3, key="parsing", reason=fault)
    else:
        config.send("PLAN", fds=[sealed(plan(cast.server, cast.vhosts, [plan_listen()], **changes)), sealed(b"routes"),
                                 sealed(policies())])
    config.exit(0)
    return config


def taken(cast, role, epoch, **answer):
    _, _, fds = cast[role].receive_until("POLICY")
    os.close(fds[0])
    cast[role].send("POLICY_TAKEN", **{"epoch": epoch, "taken": True, **answer})


@pytest.mark.parametrize("named", [False, True])
def test_good_one(cast, named):
    command = Reload(cast, *(["-c", cast.server.configuration] if named else []))
    config_says(cast)  # for check
    config_says(cast)  # for the server
    taken(cast, "router", 2)
    assert command.child.poll() is None, "it has not waited"
    taken(cast, "listener", 2)
    path = cast.server.configuration
    assert command.end() == (0, f"{path} is good: 1 vhost on 1 socket\nluttpd: policies reloaded\n", "")


def test_mistakes_are_shown_and_the_server_is_not_asked(cast):
    command = Reload(cast)
    config_says(cast, fault="no such thing")
    assert command.end() == (3, "server.lua:3: parsing: no such thing\n", "")
    with pytest.raises(AssertionError, match="starts no luttpd: config"):
        cast.theatre.take("config", seconds=0.3)
    assert "reload" not in cast.server.stderr


def outcome(cast, play):
    command = Reload(cast)
    config_says(cast)
    play()
    status, _, words = command.end()
    return status, words


def test_each_failure_has_its_words(cast):
    status, words = outcome(cast, lambda: config_says(cast, fault="written meanwhile"))
    assert status == 3 and "not reloaded: the configuration has mistakes" in words
    status, words = outcome(cast, lambda: config_says(cast, fingerprint=9))
    assert status == 1 and "nothing was changed: more than policies differs, restart to apply" in words
    status, words = outcome(cast, lambda: (config_says(cast), taken(cast, "router", 2, taken=False, why="no")))
    assert status == 1 and "not reloaded, nothing was changed" in words
    status, words = outcome(cast, lambda: (config_says(cast), taken(cast, "router", 3),
                                           taken(cast, "listener", 3, taken=False, why="no")))
    assert status == 1 and "some listener keeps the old ones" in words


def test_waits_for_the_reload_that_knows_of_it(cast):
    """One that runs already may have read the configuration before it was changed."""
    first = Reload(cast)
    config_says(cast)
    slow = cast.theatre.take("config")
    slow.receive()
    second = Reload(cast)
    config_says(cast)
    slow.send("READY")
    slow.send("FAULT", file="server.lua", line=1, reason="the old text")
    slow.exit(0)
    assert first.end()[0] == 3
    config_says(cast)
    taken(cast, "router", 2)
    taken(cast, "listener", 2)
    assert second.end()[0] == 0


def test_another_configuration_is_a_misunderstanding(cast):
    other = cast.server.directory / "other.lua"
    other.write_text("")
    status, _, words = Reload(cast, "-c", other).end()
    assert status == 1 and f"was started with {cast.server.configuration}, and not with {other}" in words


def test_server_that_ends_meanwhile_is_said(cast):
    command = Reload(cast)
    config_says(cast)
    cast.theatre.take("config")
    cast.server.child.kill()
    status, _, words = command.end()
    assert status == 1 and f"the server (pid {cast.server.pid}) has ended" in words


def test_without_a_server(server):
    done = server.command("reload", "-s", server.state)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"no server runs with the state directory {server.state}" in done.stderr


def test_by_somebody_else_is_refused(cast):
    done = cast.server.command("reload", "-s", cast.server.state, user=1234, group=1234, extra_groups=[])
    assert done.returncode == 1 and "cannot open" in done.stderr
    cast["router"].control.settimeout(0.2)
    with pytest.raises(TimeoutError):
        cast["router"].receive_until("POLICY")
