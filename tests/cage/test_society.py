# SPDX-License-Identifier: Apache-2.0
"""A whole server in which one process is captured: the real roles, started by the real master, behind
their real cages; one of them attacks as soon as its cage is closed. The others must not notice."""
import os
import pathlib
import re
import subprocess

import pytest

from escape import ROLES, landlock_level
from server import wait_until
from society import CANARY

PROCESSES = {"config": "config", "router": "router", "listener": "listener 0", "vhost": "vhost alice", "logger": "logger"}
OPENERS = {"config", "vhost", "logger"}
ROUTER = 1899999902  # the victim runs as another role does

# What the captured process is told, and where the filter lets the call through because the role needs it.
ATTACKS = {
    "open_other": {role: "ENOENT" for role in OPENERS},
    "open_upwards": {role: "EACCES" for role in OPENERS},
    "kill_victim": {}, "kill_parent": {}, "ptrace_attach": {}, "memory_read": {}, "socket_inet": {}, "connect_tcp": {},
    "connect_abstract": {}, "exec_program": {}, "become_root": {}, "mprotect_both": {}, "become_dumpable": {}, "fork_once": {},
}
# The same without the filter, for vhosts: another wall, or none.
SECOND = {
    "kill_victim": "EPERM", "kill_parent": "EPERM", "ptrace_attach": "EPERM", "memory_read": "EPERM", "socket_inet": "ok",
    "connect_tcp": "EACCES" if landlock_level() >= 4 else "ENETUNREACH", "connect_abstract": "ECONNREFUSED",
    "exec_program": "ENOENT", "become_root": "EPERM",
}


@pytest.fixture(name="victim")
def fixture_victim():
    with subprocess.Popen(["sleep", "60"], user=ROUTER, group=ROUTER, extra_groups=[]) as process:
        yield process
        assert process.poll() is None, "the victim was hit"
        process.kill()


def targets(place, victim):
    return {"pid": victim.pid, "path": place.path / "other" / "secret", "unix": place.path / "socket",
            "abstract": place.name, "port": place.port}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("role", ROLES)
def test_captured_process_gets_nowhere(society, place, victim, role, attack):
    if attack in ("open_upwards",) and role not in OPENERS:
        attack = "open_other"
    one = society(PROCESSES[role], attack, **targets(place, victim))
    assert one.launch(attack) == ATTACKS[attack].get(role, "killed"), one.stderr
    assert victim.poll() is None
    if role == "config":
        return  # no plan, no server
    assert one.child.poll() is None, "master must not end"
    if role == "vhost":
        assert one.get("/", host="bob.test").text == "here"
    for name in ("alice", "bob"):
        assert (one.site_directory(name) / "own").read_text() == CANARY


@pytest.mark.parametrize("attack", SECOND)
def test_result_differs_when_filter_is_gone(society, place, victim, attack):
    one = society("vhost alice", attack, omit=["seccomp"], **targets(place, victim))
    assert one.launch(attack) == SECOND[attack], one.stderr
    assert one.child.poll() is None
    assert one.get("/", host="bob.test").text == "here"


def test_signals_reach_others_when_walls_are_gone(society, place):
    """The victim of the tests above, under the vhost's own user and without landlock, does die."""
    automatic = 1900000000
    with subprocess.Popen(["sleep", "60"], user=automatic, group=automatic, extra_groups=[]) as process:
        one = society("vhost alice", "kill_victim", omit=["seccomp", "landlock"], **targets(place, process))
        assert one.launch("kill_victim") == "ok"
        vhost = one.process("vhost", "alice")
        if vhost.uids()[0] != automatic:
            pytest.fail(f"automatic users begin elsewhere: {vhost.uids()}")
        assert process.wait(5) == -9


@pytest.mark.parametrize("attack", ["add_key", "userfaultfd", "io_uring"])
def test_real_master_refuses_for_its_children(society, attack):
    one = society("vhost alice", attack, omit=["seccomp"])
    assert one.launch(attack) == "EPERM"
    one.stop()
    one = society("vhost alice", attack, omit=["seccomp", "refusals"])
    assert one.launch(attack) != "EPERM"


def test_captured_vhost_reads_nothing_of_another(society, place, victim):
    """World-readable, and still out of reach: by name and out of its own root."""
    for attack, answer in (("open_other", "ENOENT"), ("open_upwards", "EACCES"), ("list_upwards", "EACCES")):
        one = society("vhost alice", attack, **{**targets(place, victim), "path": "/etc/passwd"})
        assert one.launch(attack) == answer
        one.stop()
    one = society("vhost alice", "open_other", omit=["root", "landlock"], **{**targets(place, victim), "path": "/etc/passwd"})
    assert one.launch("open_other") == "ok"


@pytest.mark.parametrize("role", [role for role in ROLES if role != "config"])
def test_crash_of_a_real_role_leaves_no_core(society, role):
    one = society(PROCESSES[role], "crash")
    one.write_configuration()
    one.spawn()
    pattern = re.compile(rf"{one.who}\[\d+\]: .*(Segmentation fault|signal 11)")
    wait_until(lambda: pattern.search(one.stderr), f"{role} crashes")
    assert list(one.directory.glob("core*")) == [] and not pathlib.Path("/core").exists()
    assert one.child.poll() is None


def maps(process):
    """Where the program and its stack begin."""
    text = (process.proc / "maps").read_text()
    return re.search(r"^(\w+)-", text).group(1), re.search(r"^(\w+)-.*\[stack\]$", text, re.M).group(1)


def test_every_start_of_a_real_vhost_has_its_own_layout(society):
    one = society("nobody", "none")
    one.start()
    seen = []
    for _ in range(6):
        vhost = one.process("vhost", "bob")
        seen.append(maps(vhost))
        vhost.kill()
        one.wait_for_successor(vhost)
    for addresses in zip(*seen):
        assert len(set(addresses)) == len(seen)
    assert os.readlink(vhost.proc.parent / str(one.process("vhost", "bob").pid) / "exe").endswith("luttpd-vhost")
