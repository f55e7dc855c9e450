# SPDX-License-Identifier: Apache-2.0
"""What the kernel itself says about a caged process (attacks 1, 28, 30, 31), read from /proc by root, and
that each fact changes when its wall is gone."""
import contextlib
import os
import pathlib
import re
import resource
import signal
import stat
import subprocess
import time

import pytest

from escape import ESCAPE, OTHER, OWNER, ROLES

NOTHING = "0" * 16


class Idle:
    """A role that has closed its cage and waits; pid is as this test sees it."""

    def __init__(self, process):
        self.process = process
        self.notes = []
        for line in process.stdout:
            if line.startswith("note "):
                self.notes.append(line[5:].strip())
            else:
                state, pid, us = line.split()
                break
        assert state == "ready", self.notes
        self.pid, self.us = int(pid), int(us)
        self.proc = pathlib.Path("/proc") / pid
        self.status = dict(line.split(":", 1) for line in (self.proc / "status").read_text().splitlines())

    def field(self, name):
        return self.status[name].split()

    def descriptors(self):
        return {int(p.name): os.readlink(p) for p in (self.proc / "fd").iterdir()}

    def limit(self, name):
        return re.search(rf"^{name} +(\S+) +(\S+)", (self.proc / "limits").read_text(), re.M).groups()


@contextlib.contextmanager
def idle(nursery, role, kind="plain", omit=(), options=(), **more):
    """Outside a pid namespace, so that /proc shows it here: it attacks nothing."""
    command = [ESCAPE / "nursery", "-w", "-r", role, "-b", ESCAPE / f"{kind}-{role}", "-u", str(OWNER), "-g", str(OWNER),
               "-d", nursery.place.own, *options]
    with subprocess.Popen(command, env=nursery.environment(omit), cwd=nursery.place.path, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, **more) as process:
        try:
            yield Idle(process)
        finally:
            process.stdin.close()
            process.wait(10)


@pytest.mark.parametrize("role", ROLES)
def test_identity_and_rights(nursery, role):
    with idle(nursery, role) as found:
        assert found.field("Uid") == [str(OWNER)] * 4
        assert found.field("Gid") == [str(OWNER)] * 4
        assert found.field("Groups") == []
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert found.field(name) == [NOTHING], name
        assert found.field("NoNewPrivs") == ["1"]
        assert found.field("Seccomp") == ["2"]
        assert found.field("Umask") == ["0077"]


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_inherited(nursery, role):
    with idle(nursery, role) as found:
        assert (found.proc / "environ").read_bytes() == b""
        assert (found.proc / "cmdline").read_bytes().split(b"\0")[0] == f"luttpd: {role} probe".encode()
        descriptors = found.descriptors()
        assert [descriptors.pop(fd) for fd in (0, 1, 2)] == ["/dev/null"] * 3
        assert descriptors.pop(3).startswith("socket:")
        given = {"config": 4, "router": 2, "listener": 3, "vhost": 1, "logger": 2}[role]
        assert len(descriptors) == given, descriptors
        assert found.limit("Max core file size") == ("0", "0")
        assert found.limit("Max stack size")[0] == str(8 << 20)


@pytest.mark.parametrize("role", ROLES)
def test_root_is_empty_and_networks_differ(nursery, role):
    with idle(nursery, role) as found:
        assert list((found.proc / "root").iterdir()) == []
        assert not os.statvfs(found.proc / "root").f_flag & os.ST_RDONLY == 0
        assert os.readlink(found.proc / "ns" / "net") != os.readlink("/proc/self/ns/net")
        devices = (found.proc / "net" / "dev").read_text().splitlines()[2:]
        assert [line.split(":")[0].strip() for line in devices] == ["lo"]


@pytest.mark.parametrize("role", ROLES)
def test_not_dumpable(nursery, role):
    """The files of an undumpable process belong to root, not to its user."""
    with idle(nursery, role) as found:
        assert (found.proc / "environ").stat().st_uid == 0
    with idle(nursery, role, "evil", {"dumpable"}) as found:
        assert (found.proc / "environ").stat().st_uid == OWNER


def from_beside(nursery, omit):
    command = [ESCAPE / "nursery", "-p", "-r", "vhost", "-b", ESCAPE / "evil-vhost", "-u", str(OWNER), "-g", str(OWNER),
               "-d", nursery.place.own]
    done = subprocess.run(command, env=nursery.environment(omit), capture_output=True, text=True, timeout=20, check=True)
    return dict(line.split("\t") for line in done.stdout.splitlines() if "\t" in line)


def test_sibling_of_the_same_user_cannot_look_inside(nursery):
    closed = from_beside(nursery, ())
    assert len(closed) == 6
    assert set(closed.values()) <= {"EPERM", "EACCES"}, closed
    assert set(from_beside(nursery, {"dumpable"}).values()) == {"ok"}


def test_missing_walls_show(nursery):
    with idle(nursery, "vhost", "evil", {"seccomp"}) as found:
        assert found.field("Seccomp") == ["0"]
    with idle(nursery, "vhost", "evil", {"new_privileges", "seccomp", "landlock"}) as found:
        assert found.field("NoNewPrivs") == ["0"]
    with idle(nursery, "vhost", "evil", {"capabilities"}) as found:
        assert found.field("CapEff") != [NOTHING]
    with idle(nursery, "vhost", "evil", {"root"}) as found:
        assert list((found.proc / "root").iterdir()) != []
    with idle(nursery, "vhost", "evil", {"network"}) as found:
        assert os.readlink(found.proc / "ns" / "net") == os.readlink("/proc/self/ns/net")
    with idle(nursery, "vhost", "evil", {"limits"}) as found:
        assert found.limit("Max core file size")[1] != "0"


def test_inherited_descriptors_and_environment_show(nursery):
    with open("/etc/passwd", "rb") as secret, \
            idle(nursery, "vhost", "evil", {"descriptors"}, pass_fds=[secret.fileno()]) as found:
        assert "/etc/passwd" in found.descriptors().values()
    with open("/etc/passwd", "rb") as secret, idle(nursery, "vhost", "evil", pass_fds=[secret.fileno()]) as found:
        assert "/etc/passwd" not in found.descriptors().values()
    with idle(nursery, "vhost", "evil", {"environment"}) as found:
        assert b"PATH=" in (found.proc / "environ").read_bytes()


@pytest.fixture
def core_files():
    """Lets children leave core files where only the cage is in the way."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if before[1] == 0 or pattern != "core":
        pytest.skip("this machine writes no core files into the working directory")
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.parametrize("role", ROLES)
def test_crash_leaves_no_core(nursery, core_files, role):
    os.chmod(nursery.place.path, 0o777 | stat.S_ISVTX)
    outcome = nursery.run(role, ["crash"])["crash"]
    assert outcome.end == "signal SEGV"
    assert list(nursery.place.path.glob("core*")) == []
    open_cage = nursery.run(role, ["crash"], omit={"limits", "dumpable", "root", "landlock"})["crash"]
    assert open_cage.end == "signal SEGV core"
    for core in nursery.place.path.glob("core*"):
        core.unlink()


def layout(nursery, prefix=()):
    command = [*prefix, ESCAPE / "nursery", "-r", "vhost", "-b", ESCAPE / "plain-vhost", "-u", str(OWNER), "-g", str(OWNER),
               "-d", nursery.place.own]
    done = subprocess.run(command, env=nursery.environment(()), capture_output=True, text=True, timeout=20, check=True)
    return re.search(r"layout (\S+) (\S+) (\S+)", done.stdout).groups()


def test_every_start_has_its_own_layout(nursery):
    seen = [layout(nursery) for _ in range(50)]
    for addresses in zip(*seen):
        assert len(set(addresses)) == 50
    fixed = [layout(nursery, ["setarch", "-R"]) for _ in range(3)]
    assert len(set(fixed)) == 1


def test_limits_are_set(nursery):
    with idle(nursery, "vhost", options=["-n", "40", "-a", str(256 << 20)]) as found:
        assert found.limit("Max processes") == ("40", "40")
        assert found.limit("Max address space") == (str(256 << 20),) * 2


def test_process_limit_ends_a_fork_bomb(nursery):
    """The filter refuses fork; behind it stands the limit, which the probe and its thread fill. It counts
    all processes of a user, so this test takes one that nobody else uses."""
    alone = OWNER + 100
    for options, answer in ((("-n", "2"), "EAGAIN"), ((), "ok")):
        assert nursery.run("vhost", ["fork_once"], omit={"seccomp"}, uid=alone, options=options)["fork_once"].told == answer


def test_start_is_fast_and_small(nursery):
    starts = []
    for _ in range(9):
        with idle(nursery, "vhost") as found:
            starts.append(found.us)
            pss = int(re.search(r"^Pss: +(\d+) kB", (found.proc / "smaps_rollup").read_text(), re.M).group(1))
    assert sorted(starts)[4] < 10_000, starts
    assert pss < 512, f"{pss} KiB"


def gone(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_gone(pid, seconds):
    deadline = time.monotonic() + seconds
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return gone(pid)


@pytest.mark.parametrize("role", ROLES)
def test_role_ends_when_master_is_killed(nursery, role):
    with idle(nursery, role) as found:
        found.process.send_signal(signal.SIGKILL)
        assert wait_gone(found.pid, 2)


def hang(nursery, role, omit):
    """A role that notices nothing, whose master is killed. Returns its pid."""
    environment = nursery.environment(omit)
    environment["LUTTPD_TEST"] += ";attack=hang"
    command = [ESCAPE / "nursery", "-r", role, "-b", ESCAPE / f"evil-{role}", "-u", str(OWNER), "-g", str(OWNER),
               "-d", nursery.place.own]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "hanging" in line:
                break
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 1
        process.kill()
    return int(children[0])


def test_busy_roles_end_when_master_is_killed(nursery):
    """Roles that drain within 5 s, config at once; not at all when the parent's death is not watched."""
    config, vhost = hang(nursery, "config", ()), hang(nursery, "vhost", ())
    orphan = hang(nursery, "vhost", {"parent"})
    try:
        assert wait_gone(config, 1)
        assert not gone(vhost)
        assert wait_gone(vhost, 7)
        assert not gone(orphan)
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_single_user_keeps_what_needs_no_root(nursery):
    command = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", ESCAPE / "nursery", "-s", "-c", "-w",
               "-r", "vhost", "-b", ESCAPE / "plain-vhost", "-d", "/usr/share"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=nursery.environment(()), cwd="/") as process:
        found = Idle(process)
        assert found.field("Uid") == [str(OTHER)] * 4
        assert found.field("NoNewPrivs") == ["1"]
        assert found.field("Seccomp") == ["2"]
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert found.field(name) == [NOTHING], name
        assert (found.proc / "environ").read_bytes() == b""
        assert (found.proc / "environ").stat().st_uid == 0
        assert found.limit("Max core file size") == ("0", "0")
        process.stdin.close()
        process.wait(10)
