# SPDX-License-Identifier: Apache-2.0
"""The luttpd command: help, version, check, stop, and how it speaks of mistakes."""
import json
import os
import subprocess

import pytest

from server import Server, wait_until


def test_help_names_every_command_file_and_exit_code(server):
    done = server.command("--help")
    assert done.returncode == 0 and done.stderr == ""
    for word in ("run", "check", "reload", "stop", "version", "/etc/luttpd/server.lua", "vhost.lua", "Exit codes", "Examples"):
        assert word in done.stdout
    assert server.command("help").stdout == server.command("-h").stdout == done.stdout


@pytest.mark.parametrize("command", ["run", "check", "reload", "stop", "version"])
def test_each_command_has_its_own_help(server, command):
    done = server.command(command, "--help")
    assert done.returncode == 0 and done.stdout.startswith(f"luttpd {command}: ")
    assert ("--config" in done.stdout) == (command in ("run", "check", "reload"))
    assert ("--json" in done.stdout) == (command in ("check", "version"))


def test_version(server):
    text = server.command("version")
    facts = json.loads(server.command("version", "--json").stdout)
    assert text.returncode == 0 and text.stdout == f"luttpd {facts['version']}\n"
    assert server.command("--version").stdout == text.stdout


@pytest.mark.parametrize("words, hint", [
    (["chekc"], 'did you mean "check"?'), (["rnu"], 'did you mean "run"?'), (["verson"], 'did you mean "version"?'),
    (["frobnicate"], 'no command "frobnicate"'), ([], "say what to do"),
    (["run", "--jsno"], "no option --jsno"), (["stop", "--config", "x"], "no option"), (["check", "-c"], "needs a value"),
    (["check", "extra"], "no argument: extra"), (["version", "-s", "/"], "no option"),
])
def test_wrong_usage_exits_with_2(server, words, hint):
    done = server.command(*words)
    assert done.returncode == 2 and hint in done.stderr and "--help" in done.stderr and done.stdout == ""


# check ----------------------------------------------------------------------------------------------------


def check(server, *words):
    server.write_configuration()
    return server.command("check", "-c", server.configuration, "-s", server.state, *words)


def test_check_says_that_all_is_good(server):
    server.add_site("alice", hosts=["alice.test"])
    server.add_site("bob", hosts=["bob.test"])
    done = check(server)
    assert done.returncode == 0, done
    assert done.stdout == f"{server.configuration} is good: 2 vhosts on 1 socket\n"
    facts = json.loads(check(server, "--json").stdout)
    assert facts == {"findings": [], "good": True, "sockets": 1, "vhosts": 2}


def test_check_changes_nothing(server):
    server.add_site("alice", hosts=["alice.test"])
    assert check(server).returncode == 0
    assert not server.state.exists() and not server.logs.exists()


def test_check_names_each_mistake_and_exits_with_3(server):
    server.add_site("alice", hosts=["alice.test"], extra="usr = 1")
    server.statements.append('vhost "eve" { hosts = { "alice.test" }, user = "root", root = "/" }')
    done = check(server)
    lines = done.stdout.splitlines()
    assert done.returncode == 3 and len(lines) >= 3, done
    assert all(line.startswith("server.lua:") for line in lines)
    assert any("vhost.alice.usr" in line for line in lines)
    findings = json.loads(check(server, "--json").stdout)
    assert findings["good"] is False and len(findings["findings"]) == len(lines)
    assert {"kind", "file", "line", "key", "reason"} == set(findings["findings"][0])


def test_check_of_broken_lua_names_the_line(server):
    server.statements.append("vhost ]")
    done = check(server)
    assert done.returncode == 3 and "server.lua:3" in done.stdout, done


def test_check_says_what_an_owner_cannot_read(server):
    directory = server.add_site("alice", hosts=["alice.test"], files={"vhost.lua": ""})
    (directory / "vhost.lua").chmod(0o600)
    done = check(server)
    assert done.returncode == 1
    assert "vhost alice: its user, UID 1900000000, cannot read" in done.stdout
    assert "vhost.lua: Permission denied" in done.stdout
    (directory / "vhost.lua").chmod(0o644)
    directory.chmod(0o700)
    facts = json.loads(check(server, "--json").stdout)
    assert facts["findings"] == [{"kind": "unreadable", "vhost": "alice", "uid": 1900000000, "path": str(directory),
                                  "reason": "Permission denied"}]


def test_check_finds_a_root_behind_a_closed_door(server):
    """Master can pass the directory on, whoever owns the way there."""
    server.add_site("alice", hosts=["alice.test"])
    (server.directory / "sites").chmod(0o700)
    assert check(server).returncode == 0


def test_check_refuses_a_link_that_leads_through_a_closed_door(server):
    """Else an owner could point the root at what only root may reach."""
    hidden = server.directory / "hidden"
    (hidden / "open").mkdir(parents=True)
    (hidden / "open" / "secret").write_text("secret")
    hidden.chmod(0o700)
    server.add_site("alice", hosts=["alice.test"])
    subprocess.run(["rm", "-r", server.site_directory("alice")], check=True)
    server.site_directory("alice").symlink_to(hidden / "open")
    done = check(server)
    assert done.returncode == 1 and "cannot read" in done.stdout, done
    hidden.chmod(0o755)
    assert check(server).returncode == 0  # a link to what its owner may reach is fine


def test_check_of_a_missing_file(server):
    done = server.command("check", "-c", server.directory / "none" / "server.lua", "-s", server.state)
    assert done.returncode == 1 and "cannot find the configuration" in done.stderr
    done = server.command("check", "-c", server.directory / "none.lua", "-s", server.state)
    assert done.returncode == 3 and "none.lua" in done.stdout, done


# stop -----------------------------------------------------------------------------------------------------


def test_stop_ends_the_server_and_says_so(server):
    server.add_site("alice", hosts=["alice.test"])
    server.start()
    everyone = server.processes()
    done = server.command("stop", "-s", server.state)
    assert done.returncode == 0 and done.stdout == f"luttpd: stopped (pid {server.pid})\n"
    assert server.wait() == 0
    assert not [process for process in everyone if process.alive()]
    again = server.command("stop", "-s", server.state)
    assert again.returncode == 1 and "no server runs" in again.stderr


def test_stop_without_a_server(server):
    done = server.command("stop", "-s", server.state)
    assert done.returncode == 1 and "no server runs" in done.stderr


def test_stop_believes_the_lock_and_not_the_file(server):
    """A stale or forged pid in the file harms nobody: the kernel says who holds the lock."""
    server.state.mkdir()
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (server.state / "lock").write_text(f"{bystander.pid:010d}\n")
        done = server.command("stop", "-s", server.state)
        assert done.returncode == 1 and "no server runs" in done.stderr
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_stop_by_somebody_else_is_refused(server):
    server.add_site("alice", hosts=["alice.test"])
    server.start()
    done = server.command("stop", "-s", server.state, user=1234, group=1234, extra_groups=[])
    assert done.returncode == 1 and "Permission denied" in done.stderr
    assert server.process("router") is not None


# run ------------------------------------------------------------------------------------------------------


def test_run_with_mistakes_exits_with_3_and_names_them(server):
    server.statements.append('vhost "eve" { hosts = { "eve.test" }, user = "root", root = "/" }')
    server.write_configuration()
    server.spawn()
    assert server.wait() == 3
    assert "server.lua:3: vhost.eve.user: " in server.stderr


def test_run_without_root_says_what_to_do(server):
    server.add_site("alice", hosts=["alice.test"])
    server.write_configuration()
    server.owner = (1234, 1234)
    server.directory.chmod(0o777)
    server.spawn()
    assert server.wait() == 1
    assert "must be started as root" in (server.directory / "stderr").read_text()
    assert "--insecure-single-user" in server.stderr


def test_single_user_is_refused_to_root(server):
    server.add_site("alice", hosts=["alice.test"])
    server.write_configuration()
    server.options = ["--insecure-single-user"]
    server.spawn()
    assert server.wait() == 1 and "as root, leave it out" in server.stderr


def test_second_server_with_one_state_directory_is_refused(server):
    server.add_site("alice", hosts=["alice.test"])
    server.start()
    done = server.command("run", "-c", server.configuration, "-s", server.state)
    assert done.returncode == 1 and "another luttpd runs with the state directory" in done.stderr
    assert server.process("router") is not None


def test_a_port_in_use_is_named(server, make_server):
    server.add_site("alice", hosts=["alice.test"])
    server.start()
    other = make_server()
    other.listens = [f'listen "127.0.0.1:{server.port}"']
    other.add_site("alice", hosts=["alice.test"])
    other.write_configuration()
    other.spawn()
    assert other.wait() == 1
    assert f"cannot listen on http://127.0.0.1:{server.port}: Address already in use" in other.stderr


@pytest.fixture(name="single")
def fixture_single():
    """A server without root: everything belongs to one user."""
    one = Server(options=["--insecure-single-user"])
    one.add_site("alice", hosts=["alice.test"], files={"vhost.lua": 'get "/" (function(req, res) res:text("alice") end)'})
    one.add_site("bob", hosts=["bob.test"], files={"vhost.lua": 'get "/" (function(req, res) res:text("bob") end)'})
    one.write_configuration()
    subprocess.run(["chown", "-R", "1234:1234", one.directory], check=True)
    one.owner = (1234, 1234)
    yield one
    one.remove()


def test_single_user_serves_and_warns(single):
    single.start(write=False)
    assert "insecure single-user mode" in single.stderr
    for name in ("alice", "bob"):
        assert single.get("/", host=f"{name}.test").text == name
    for process in single.processes():
        status = process.status()
        assert process.uids() == [1234] * 4, process
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), process  # the walls that need no root
        assert process.capabilities()["CapEff"] == 0, process
    assert single.stop() == 0


def test_single_user_keeps_roots_that_are_its_own(single):
    single.start(write=False)
    stopped = single.command("stop", "-s", single.state)
    assert stopped.returncode == 0
    assert os.stat(single.logs / "alice").st_uid == 1234
    wait_until(lambda: single.child.poll() == 0, "its end")
