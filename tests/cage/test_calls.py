# SPDX-License-Identifier: Apache-2.0
"""Attack 5, the other half: what is on a role's list, the role needs. A whole server runs under strace and
does everything that it can do; each call behind the closed cage must be on its role's list, and each entry
of a list must have been used or stand below with its reason."""
import signal

import pytest

import calls_made
import functional_run
from escape import BUILD, FILTERS
from server import wait_until

ALL = set(FILTERS)
SINGLE = {"config", "router", "vhost", "vhost_hardened"}  # no second thread
THREADED = {"listener", "logger"}

# What no ordinary run makes. The same reasons stand in processes.lua.
RARE = [
    ("malloc", ALL, ["brk", "munmap", "mremap", "mprotect(no PROT_EXEC)", "madvise", "sched_getaffinity"]),
    ("abort", ALL, ["write", "writev", "rt_sigaction", "rt_sigprocmask", "getpid", "gettid", "tgkill(CAGE_OWN_PID_MARK)"]),
    ("a lock that is contended", ALL, ["futex"]),
    ("no vDSO", ALL, ["clock_gettime"]),
    ("no vDSO", {"config", "router", "listener", "vhost", "vhost_hardened"}, ["time"]),
    ("refused anyway", ALL, ["clone3"]),
    ("another version of libc or libuv", ALL, ["fstat", "newfstatat(AT_EMPTY_PATH)"]),
    ("another version of libc or libuv", ALL - {"config"}, ["epoll_wait", "epoll_pwait"]),
    ("another kernel", {"config", "listener", "logger"}, [
        "memfd_create(MFD_CLOEXEC|MFD_ALLOW_SEALING)", "memfd_create(MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_NOEXEC_SEAL)"]),
    ("a race within libuv", THREADED, ["sched_yield"]),
    ("a table that could be written half", {"config"}, ["ftruncate"]),
    ("no descriptor left, and no idle connection to close", {"listener"}, ["dup"]),
    ("a master that is slow to read", {"config"}, ["poll", "restart_syscall"]),
]


def excused():
    return {(name, call) for _, filters, calls in RARE for name in filters for call in calls}


def live_again(server):
    """Then master is killed, and everybody ends. Who is stopped meanwhile hears of it
    by signal before it sees the end of its channel."""
    server.start(write=False)
    assert server.get("/", host="alice.test").status == 200
    roles = server.processes()[1:]
    for role in roles:
        role.kill(signal.SIGSTOP)
    master = server.process("master")
    master.kill()
    wait_until(lambda: not master.alive(), "master ends")
    for role in roles:
        role.kill(signal.SIGCONT)
    wait_until(lambda: not any(role.alive() for role in roles), "all end with master")
    server.child.wait(10)


@pytest.fixture(scope="module", name="rules")
def fixture_rules():
    return calls_made.compiled_rules(BUILD)


@pytest.fixture(scope="module", name="traces")
def fixture_traces(rules):
    server = calls_made.Traced(BUILD, rules)
    try:
        functional_run.add_sites(server)
        server.start()
        functional_run.run(server)
        live_again(server)
        yield server.traces
    finally:
        print(server.stderr)
        server.remove()


def look(traces, rules):
    hardened = [name for name, extra in functional_run.SITES.items() if "hardened" in extra]
    return calls_made.look(traces, rules, hardened)


@pytest.fixture(scope="module", name="seen")
def fixture_seen(traces, rules):
    return look(traces, rules)


def test_every_role_was_watched_behind_its_filter(seen):
    assert set(seen.used) == ALL
    assert not seen.uncaged and all(sum(counts.values()) > 10 for counts in seen.used.values())


def test_every_call_is_on_the_list(seen):
    assert not seen.unlisted and not seen.killed


def test_every_entry_of_a_list_is_used_or_has_a_reason(rules, seen):
    assert sorted(calls_made.unused(rules, seen) - excused()) == []


def test_no_reason_is_left_over(rules):
    listed = {(name, rule.name) for name, several in rules.items() for rule in several}
    assert excused() - listed == set()


@pytest.mark.parametrize("name", FILTERS)
def test_an_entry_that_nobody_needs_is_noticed(rules, seen, name):
    longer = {**rules, name: [*rules[name], calls_made.Rule("getppid", [])]}
    assert calls_made.unused(longer, seen) - excused() == {(name, "getppid")}


@pytest.mark.parametrize("name", FILTERS)
def test_a_missing_entry_is_noticed(traces, rules, name):
    """Without the rule for messages, every role's first word is a call that is not on its list."""
    shorter = {**rules, name: [rule for rule in rules[name] if rule.call != "sendmsg"]}
    assert {(found[0], found[1]) for found in look(traces, shorter).unlisted} == {(name, "sendmsg")}
