# SPDX-License-Identifier: Apache-2.0
"""Attacks 30 and 31 on a whole server: who holds which secret, what a crash leaves behind, and whether one
start tells anything about the next."""
import os
import pathlib
import resource
import signal
import subprocess

import pytest

import memory
from escape import BUILD, ROLES
from server import Process, Server, wait_until

SEED = "qpckvxnfzwpbahsgtjmdreyuil"  # becomes the planted secret in one process only
PLANTED = bytes(byte + 1 for byte in SEED.encode())
SAMPLES = 24
PAGE = 'get "/" (function(req, res) res:text("here") end)'


@pytest.fixture(name="server")
def fixture_server():
    one = Server(BUILD)
    yield one
    one.remove()


def holders(server, secret):
    return {repr(process).split("[")[0] for process in server.processes() if memory.holds(process, secret)}


@pytest.mark.parametrize("who", ["router", "listener 0", "vhost alice", "logger"])
def test_scanner_finds_what_no_core_file_would_hold(society, who):
    one = society(who, "plant", path=SEED)
    one.launch("plant")
    wait_until(lambda: len(one.processes()) == 6, "all serve")
    assert holders(one, SEED.encode()) == {repr(p).split("[")[0] for p in one.processes()}, "the scanner sees everybody"
    assert holders(one, PLANTED) == {who}


def test_secrets_stay_with_those_who_need_them(server):
    """A script's secret, a request's cookie, and what the admin's shell had in its environment."""
    halves = {name: (f"{name}-half-", f"of-a-secret-{os.getpid()}") for name in ("alice", "bob")}
    for name, (first, second) in halves.items():
        script = f'secret = "{first}" .. "{second}"\nget "/" (function(req, res) res:text(#secret) end)'
        server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": script})
    os.environ["LUTTPD_TEST_SECRET"] = "environ-secret-" + "of-the-admin"
    try:
        server.start()
    finally:
        del os.environ["LUTTPD_TEST_SECRET"]
    for name in halves:
        assert server.get("/", host=f"{name}.test", headers={"Cookie": f"cookie-for-{name}"}).status == 200
    for name, (first, second) in halves.items():
        assert holders(server, (first + second).encode()) == {f"vhost {name}"}
        assert holders(server, f"cookie-for-{name}".encode()) == {"listener 0", f"vhost {name}"}
    assert holders(server, b"environ-secret-" + b"of-the-admin") == set()


@pytest.fixture(name="generous")
def fixture_generous():
    """Core files of any size, for everybody who does not refuse them."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield before[1]
    resource.setrlimit(resource.RLIMIT_CORE, before)


def cores(*directories):
    return [path for directory in directories for path in pathlib.Path(directory).glob("core*")]


@pytest.mark.parametrize("role", [role for role in ROLES if role != "config"])
def test_crash_of_what_ships_leaves_no_core(server, generous, role):
    server.add_site("alice", hosts=["alice.test"], files={"vhost.lua": PAGE})
    server.directory.chmod(0o777)
    server.start()
    process = server.process(role)
    places = ("/", server.directory, server.state, server.logs, server.site_directory("alice"))
    assert (process.proc / "mem").stat().st_uid == 0, "dumpable: a handler would get its memory, whatever its limit"
    process.kill(signal.SIGSEGV)
    server.wait_for_successor(process)
    assert cores(*places) == []


def test_a_process_that_refuses_nothing_does_leave_a_core(tmp_path, generous):
    if generous == 0 or pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip() != "core":
        pytest.skip("this machine writes no core files into the working directory")
    tmp_path.chmod(0o777)
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path, user=1899990001, group=1899990001) as process:
        wait_until(lambda: Process(process.pid).role == "sleep", "it runs")
        process.send_signal(signal.SIGSEGV)
    assert cores(tmp_path) != []


# Attack 31 ---------------------------------------------------------------------------------------------

def starts(server, role):
    """(layout, canary) of many processes of one role: those that run, and twice their successors."""
    seen = {}
    for _ in range(3):
        processes = [p for p in server.processes() if p.role == role and p.pid not in seen]
        for process in processes:
            seen[process.pid] = memory.layout(process), memory.canary(process)
            process.kill()
        for process in processes:
            server.wait_for_successor(process)
        wait_until(lambda: all(is_up(p) for p in server.processes()), "all have become themselves")
    return list(seen.values())


def is_up(process):
    try:
        return process.status()["Seccomp"] == "2"
    except (FileNotFoundError, ProcessLookupError):
        return False


def repeated(samples):
    """How often something of an earlier start came again, by kind."""
    layouts = [found for found, _ in samples]
    counts = {kind: len(samples) - len({found[kind] for found in layouts}) for kind in layouts[0]}
    counts["canary"] = len(samples) - len({canary for _, canary in samples})
    return counts


@pytest.fixture(name="many")
def fixture_many(server):
    server.listens = ['listen { "127.0.0.1:0", processes = 8 }']
    for number in range(8):
        server.add_site(f"site{number}", hosts=[f"site{number}.test"], files={"vhost.lua": PAGE})
    return server


@pytest.mark.parametrize("role", ["vhost", "listener"])
def test_no_start_tells_about_another(many, role):
    samples = starts(many.start(), role)
    assert len(samples) == SAMPLES
    counts = repeated(samples)
    assert counts.pop("[stack]") <= 1, "22 bits of chance: two of so many may once meet"
    assert set(counts.values()) == {0}, counts


def test_starts_without_chance_are_noticed(many, monkeypatch):
    """The same without the kernel's randomness; and processes that were only forked."""
    monkeypatch.setattr(subprocess, "Popen", without_chance(subprocess.Popen))
    counts = repeated(starts(many.start(), "vhost"))
    assert counts.pop("canary") == 0, "that one is no address"
    assert min(counts.values()) > SAMPLES / 2, counts


def without_chance(popen):
    return lambda words, **options: popen(["setarch", "-R", *words], **options)


def test_forks_without_exec_are_noticed():
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    try:
        assert memory.canary(Process(pid)) == memory.canary(Process(os.getpid()))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
