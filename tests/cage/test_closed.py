# SPDX-License-Identifier: Apache-2.0
"""A cage that cannot be built stops the process, with a message that names the part; and what master
gives up for good."""
import errno
import os
import pathlib
import re
import signal
import subprocess

import pytest

from escape import BUILD, ESCAPE, OWNER, private

SET_FILTER, NO_NEW_PRIVS, SET_DUMPABLE, AMBIENT = 1, 38, 4, 47


def start_without(nursery, call, error, *test, role="vhost"):
    return private(ESCAPE / "without", call, error, *test, "--", ESCAPE / "nursery", "-r", role,
                   "-b", ESCAPE / f"plain-{role}", "-u", OWNER, "-g", OWNER, "-d", nursery.place.own,
                   env=nursery.environment(()))


@pytest.mark.parametrize("part,call,error,test", [
    ("landlock", "landlock_create_ruleset", errno.ENOSYS, ()),
    ("landlock", "landlock_create_ruleset", errno.EOPNOTSUPP, ()),
    ("landlock", "landlock_add_rule", errno.EINVAL, ()),
    ("landlock", "landlock_restrict_self", errno.EPERM, ()),
    ("seccomp", "seccomp", errno.EINVAL, ()),
    ("no_new_privs", "prctl", errno.EINVAL, (0, NO_NEW_PRIVS)),
    ("dumpable", "prctl", errno.EINVAL, (0, SET_DUMPABLE)),
    ("empty root", "chroot", errno.EPERM, ()),
    ("capabilities", "prctl", errno.EPERM, (0, AMBIENT)),
    ("capabilities", "capset", errno.EPERM, ()),
    ("user", "setresuid", errno.EPERM, ()),
    ("user", "setresgid", errno.EPERM, ()),
    ("user", "setgroups", errno.EPERM, ()),
    ("network namespace", "setns", errno.EPERM, ()),
    ("limits", "setrlimit", errno.EPERM, ()),
    ("limits", "prlimit64", errno.EPERM, ()),
    ("working directory", "fchdir", errno.EACCES, ()),
    ("descriptors", "close_range", errno.ENOSYS, ()),
    ("exec", "execveat", errno.EACCES, ()),
])
def test_role_refuses_to_start_without(nursery, part, call, error, test):
    done = start_without(nursery, call, error, *test)
    if call == "setns":  # nursery itself cannot come home from the empty namespace
        assert "empty network and root" in done.stderr
        return
    if call == "setrlimit" and "ready" in done.stdout:
        pytest.skip("this libc sets limits by prlimit64")
    assert f"note {part}: {os.strerror(error if error != errno.EOPNOTSUPP else errno.ENOSYS)}" in done.stdout, done.stdout
    assert "failed" in done.stdout
    assert done.stdout.splitlines()[-1] == "exit 70"


def test_role_starts_when_nothing_is_missing(nursery):
    done = start_without(nursery, "acct", errno.EPERM)
    assert "ready" in done.stdout
    assert done.stdout.splitlines()[-1] == "exit 0"


def test_old_kernels_do_without_mdwe(nursery):
    """Linux before 6.3 does not know it; the filter forbids executable pages anyway."""
    assert "ready" in start_without(nursery, "prctl", errno.EINVAL, 0, 65, role="router").stdout


def test_role_refuses_to_run_as_root(nursery):
    done = private(ESCAPE / "nursery", "-r", "vhost", "-b", ESCAPE / "plain-vhost", "-u", 0, "-g", 0,
                   "-d", nursery.place.own, env=nursery.environment(()))
    assert done.returncode == 2
    assert "spawn: Invalid argument" in done.stderr
    done = private(ESCAPE / "nursery", "-s", "-r", "vhost", "-b", ESCAPE / "plain-vhost", "-d", nursery.place.own,
                   env=nursery.environment(()))
    assert "note master: Operation not permitted" in done.stdout


def test_role_refuses_to_start_by_hand():
    done = subprocess.run([ESCAPE / "plain-vhost"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    assert done.returncode == 70


# Master ------------------------------------------------------------------------------------------------

MASTER = {"chown", "dac_read_search", "kill", "setgid", "setuid", "setpcap", "net_bind_service", "sys_chroot", "sys_admin"}
NUMBERS = {"chown": 0, "dac_read_search": 2, "kill": 5, "setgid": 6, "setuid": 7, "setpcap": 8, "net_bind_service": 10,
           "sys_chroot": 18, "sys_admin": 21}


def confined(nursery, *options):
    command = [ESCAPE / "nursery", "-c", "-w", "-r", "vhost", "-b", ESCAPE / "plain-vhost", "-u", str(OWNER),
               "-g", str(OWNER), "-d", nursery.place.own, *options]
    return subprocess.Popen(command, env=nursery.environment(()), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def status(pid):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())


def test_master_keeps_only_what_it_uses(nursery):
    mask = sum(1 << NUMBERS[name] for name in MASTER)
    with confined(nursery) as master:
        lines = [master.stdout.readline(), master.stdout.readline()]
        assert lines[1].startswith("ready"), lines
        facts = status(master.pid)
        for name in ("CapPrm", "CapEff", "CapBnd"):
            assert int(facts[name], 16) == mask, name
        for name in ("CapInh", "CapAmb"):
            assert int(facts[name], 16) == 0, name
        assert facts["Seccomp"] == "2"
        assert facts["NoNewPrivs"] == "0"  # it would bind the labels of its children
        master.stdin.close()
        assert master.wait(10) == 0


REFUSED = ["ptrace_attach", "memory_read", "pidfd_steal", "io_uring", "userfaultfd", "add_key", "keyctl", "bpf", "perf_event"]


@pytest.mark.parametrize("attack", REFUSED)
def test_children_inherit_what_master_refuses(nursery, attack):
    """Seen in a child without a filter of its own, whose victim has the same user: nobody else refuses."""
    walls = {"seccomp", "landlock"}

    def told(omit):
        return nursery.run("vhost", [attack], omit=omit, uid=OWNER, victim=OWNER, options=("-c",))[attack].told

    assert told(walls) == "EPERM"
    assert told(walls | {"refusals"}) != "EPERM"


def test_shipped_programs_cannot_leave_walls_out():
    """The switch of the test builds exists in no program that ships, nor does any attack."""
    for program in [*(BUILD / "bin").glob("luttpd*"), *ESCAPE.glob("plain-*")]:
        symbols = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
        assert not re.search(r"cage_omitted|attacks_on|test_value", symbols), program
    symbols = subprocess.run(["nm", ESCAPE / "evil-vhost"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"cage_omitted", symbols)


def test_spawn_gives_a_descriptor_of_the_process(nursery):
    with confined(nursery) as master:
        master.stdout.readline()
        pid = master.stdout.readline().split()[1]
        infos = [p.read_text() for p in pathlib.Path(f"/proc/{master.pid}/fdinfo").iterdir()]
        assert any(re.search(rf"^Pid:\s+{pid}$", info, re.M) for info in infos)
        master.send_signal(signal.SIGKILL)
