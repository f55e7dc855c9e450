# SPDX-License-Identifier: Apache-2.0
"""What /proc says about each process of a running server, as root sees it from outside."""
import os
import re
import struct

import pytest

from server import SANITIZED, wait_until

ROLES = {"config": 1899999901, "router": 1899999902, "listener": 1899999903, "logger": 1899999905}
AUTOMATIC = 1900000000
CAPABILITIES = {"CHOWN": 0, "DAC_READ_SEARCH": 2, "KILL": 5, "SETGID": 6, "SETUID": 7, "SETPCAP": 8,
                "NET_BIND_SERVICE": 10, "SYS_CHROOT": 18, "SYS_ADMIN": 21}
MASTER = sum(1 << bit for bit in CAPABILITIES.values())
SECCOMP_FILTER = "2"


@pytest.fixture(scope="module", name="running")
def fixture_running(module_server):
    server = module_server
    server.listens.append('listen { "127.0.0.1:0", processes = 2 }')
    page = {"vhost.lua": 'get "/" (function(req, res) res:text("here") end)'}
    server.add_site("alice", hosts=["alice.test"], files=page)
    server.add_site("bob", hosts=["bob.test"], files=page, extra="hardened = true")
    os.environ["LUTTPD_TEST_SECRET"] = "must not be inherited"
    server.start()
    for name in ("alice", "bob"):
        assert server.get("/", host=f"{name}.test").text == "here"
    return server


def names(processes):
    return sorted(f"{process.role} {process.label}" if process.label else process.role for process in processes)


def roles(running):
    return running.processes()[1:]


def expected_user(process):
    if process.role == "vhost":
        return AUTOMATIC + ["alice", "bob"].index(process.label)
    return ROLES[process.role]


def test_the_tree_is_complete(running):
    assert names(running.processes()) == [
        "listener 0", "listener 1", "listener 2", "logger", "master", "router", "vhost alice", "vhost bob"]


def test_each_runs_as_its_own_user_for_good(running):
    for process in roles(running):
        user = expected_user(process)
        assert process.uids() == [user] * 4, process   # real, effective, saved, file system
        assert process.gids() == [user] * 4, process
        assert process.groups() == [], process
    master = running.process("master")
    assert master.uids() == [0] * 4 and master.groups() == []


def test_no_role_has_a_capability_or_can_ever_get_one(running):
    for process in roles(running):
        assert set(process.capabilities().values()) == {0}, (process, process.capabilities())


def test_master_keeps_nine_capabilities(running):
    capabilities = running.process("master").capabilities()
    assert capabilities == {"CapInh": 0, "CapPrm": MASTER, "CapEff": MASTER, "CapBnd": MASTER, "CapAmb": 0}


def test_every_process_is_filtered_and_roles_gain_nothing_by_exec(running):
    for process in running.processes():
        status = process.status()
        assert status["Seccomp"] == SECCOMP_FILTER, process
        filters = int(status["Seccomp_filters"])
        assert filters == 1 if process.role == "master" else filters >= 2, process
        assert status["NoNewPrivs"] == ("0" if process.role == "master" else "1"), process


def test_threads_are_caged_like_their_process(running):
    for process in roles(running):
        for task in (process.proc / "task").iterdir():
            lines = (task / "status").read_text()
            assert re.search(r"^NoNewPrivs:\t1$", lines, re.M) and re.search(r"^Seccomp:\t2$", lines, re.M), process
            assert re.search(r"^CapEff:\t0+$", lines, re.M), process


@pytest.mark.skipif(SANITIZED, reason="sanitizer builds keep standard error")
def test_descriptors_are_those_that_were_given(running):
    """Kinds and numbers of what each role holds."""
    allowed = {
        "router": {"socket", "anon_inode:[eventpoll]", "anon_inode:[eventfd]", "pipe"},
        "listener": {"socket", "anon_inode:[eventpoll]", "anon_inode:[eventfd]", "pipe"},
        "logger": {"socket", "anon_inode:[eventpoll]", "anon_inode:[eventfd]", "pipe", "logs"},
        "vhost": {"socket", "anon_inode:[eventpoll]", "anon_inode:[eventfd]", "pipe", "site"},
    }
    for process in roles(running):
        sites = [running.site_directory(process.label)] if process.role == "vhost" else []
        descriptors = process.descriptors([running.logs, *sites])
        assert [descriptors.pop(number) for number in (0, 1, 2)] == ["/dev/null"] * 3, process
        for number, target in descriptors.items():
            assert kind_of(running, process, target) in allowed[process.role], (process, number, target)


def kind_of(running, process, target):
    kind = target.split(":")[0] if re.match(r"(socket|pipe):", target) else target
    if target.startswith(str(running.logs)):
        return "logs"
    if process.label and target.startswith(str(running.site_directory(process.label))):
        return "site"
    return kind


def test_no_two_processes_share_a_socket(running):
    """Each holds its own ends only: what is in one is in no other."""
    seen = {}
    for process in roles(running):
        for target in process.descriptors().values():
            if target.startswith("socket:"):
                assert seen.setdefault(target, process.pid) == process.pid, (process, target)


def test_environment_is_empty(running):
    for process in running.processes():
        assert process.environment() == [], process


def test_command_line_says_what_it_is_and_nothing_else(running):
    for process in running.processes():
        words = [word for word in (process.proc / "cmdline").read_bytes().split(b"\0") if word]
        if process.role != "master":
            assert len(words) == 1, (process, words)


def test_no_process_is_dumpable(running):
    """A dumpable process's /proc directory belongs to its user; any other's to root."""
    for process in roles(running):
        for entry in ("environ", "maps", "mem", "fd"):
            assert (process.proc / entry).stat().st_uid == 0, (process, entry)


def test_no_core_is_ever_written(running):
    for process in roles(running):
        limits = (process.proc / "limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.M), process


def test_roles_live_in_an_empty_network(running):
    ours = os.readlink("/proc/self/ns/net")
    assert os.readlink(running.process("master").proc / "ns" / "net") == ours
    for process in roles(running):
        assert os.readlink(process.proc / "ns" / "net") != ours, process
        interfaces = (process.proc / "net" / "dev").read_text().splitlines()[2:]
        assert [line.split(":")[0].strip() for line in interfaces] in ([], ["lo"]), process


def test_roles_live_in_an_empty_root(running):
    for process in roles(running):
        assert os.listdir(process.proc / "root") == [], process
        assert os.readlink(process.proc / "cwd") == "/", process


def test_only_vhosts_that_are_not_hardened_may_compile(running):
    """Memory that is executable and writable, or executable and of no file, exists nowhere else."""
    for process in roles(running):
        for line in (process.proc / "maps").read_text().splitlines():
            fields = line.split(maxsplit=5)
            assert not ("w" in fields[1] and "x" in fields[1]), (process, line)
            anonymous = len(fields) < 6 or not fields[5].startswith(("/", "[vdso]", "[vsyscall]"))
            if "x" in fields[1] and anonymous:
                assert process.label == "alice", (process, line)


def test_each_start_has_its_own_layout(running):
    """fork without exec would let one be guessed from another."""
    bases = set()
    for process in running.processes():
        for line in (process.proc / "maps").read_text().splitlines():
            if "/bin/luttpd-" in line:
                bases.add(line.split("-")[0])
                break
    assert len(bases) == len(running.processes())


def test_canaries_differ(running):
    """AT_RANDOM, from which the stack protector's canary comes."""
    canaries = []
    for process in running.processes():
        auxv = (process.proc / "auxv").read_bytes()
        pairs = dict(struct.iter_unpack("QQ", auxv))
        with open(process.proc / "mem", "rb") as memory:
            memory.seek(pairs[25])  # AT_RANDOM
            canaries.append(memory.read(16))
    assert len(set(canaries)) == len(canaries)


def test_files_of_the_state_are_roots_alone(running):
    for entry in [running.state, *running.state.iterdir()]:
        facts = entry.stat()
        assert facts.st_uid == 0 and facts.st_mode & 0o077 == 0, entry


def test_logs_belong_to_the_logger_and_are_read_by_the_owner_alone(running):
    for name, user in (("alice", AUTOMATIC), ("bob", AUTOMATIC + 1)):
        wait_until((running.logs / name / "access.log").exists, f"the log of {name}")
        for entry in [running.logs / name, *(running.logs / name).iterdir()]:
            facts = entry.stat()
            assert (facts.st_uid, facts.st_gid) == (ROLES["logger"], user), entry
            assert facts.st_mode & 0o027 == 0, entry
