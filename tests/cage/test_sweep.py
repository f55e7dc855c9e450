# SPDX-License-Identifier: Apache-2.0
"""Attacks 5 to 7: every system call number behind every filter, as native, x32 and i386 call, and a
table of calls that only their arguments make harmful. What each filter lets through is in golden/: a
change there is a change of what a captured process can do. `pytest --golden` writes it anew."""
import os
import pathlib

import pytest

from escape import ESCAPE, FILTERS, OWNER, WALLS, private, sweep

GOLDEN = pathlib.Path(__file__).parent / "golden"
# The kernel exempts these two from every filter: they serve its own probes and refuse other callers.
EXEMPT = {"335", "336"}

# Asked by name (attack 7), whatever the golden files say.
NEVER = [
    "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "keyctl", "add_key", "request_key",
    "bpf", "perf_event_open", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "execve", "execveat",
    "fork", "vfork", "clone", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open",
    "pidfd_send_signal", "pidfd_getfd", "socket", "socketpair", "connect", "bind", "listen", "sendmmsg",
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "capset",
    "chroot", "pivot_root", "mount", "umount2", "unshare", "setns", "prctl", "arch_prctl", "seccomp", "personality",
    "open", "openat", "creat", "mknod", "link", "symlink", "rename", "unlink", "chmod", "chown", "inotify_init1", "fanotify_init",
    "init_module", "kexec_load", "reboot", "swapon", "acct", "quotactl", "setrlimit", "prlimit64", "setpriority",
    "sched_setaffinity", "sched_setscheduler", "mlock", "shmat", "shmget", "msgget", "semget", "mq_open",
    "remap_file_pages", "pkey_mprotect", "modify_ldt", "ioperm", "iopl", "vmsplice", "splice", "tee", "memfd_secret",
    "open_by_handle_at", "name_to_handle_at", "move_mount", "fsopen", "open_tree", "landlock_restrict_self",
]


def compare(request, name, lines):
    path = GOLDEN / name
    if request.config.getoption("--golden"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
    assert lines == path.read_text().splitlines()


@pytest.mark.parametrize("name", FILTERS)
def test_system_calls_are_as_written_down(request, name):
    lines = sweep("sweep", name, "calls")
    assert len(lines) == 471
    outlived = [line for line in lines if not line.endswith("killed killed") and line.split()[0] not in EXEMPT]
    assert not [line for line in lines if "no cage" in line or "not tried" in line]
    compare(request, f"{name}.calls", outlived)


@pytest.mark.parametrize("name", FILTERS)
def test_dangerous_calls_are_never_outlived(name):
    results = {line.split()[1]: line.split()[2:] for line in sweep("sweep", name, "calls")}
    known = [call for call in NEVER if call in results]
    assert len(known) > 80
    assert [call for call in known if results[call] != ["killed", "killed"]] == []


@pytest.mark.parametrize("name", FILTERS)
def test_other_architectures_are_never_outlived(name):
    assert sweep("sweep", name, "foreign") == []


@pytest.mark.parametrize("name", FILTERS)
def test_arguments_decide(request, name):
    results = dict(line.split(" ", 1) for line in sweep("sweep", name, "arguments"))
    bad = [case for case in results if case.startswith("bad.")]
    assert len(bad) >= 40
    assert [case for case in bad if results[case] != "killed"] == []
    assert [case for case, result in results.items() if case.startswith("own.") and result == "killed"] == []
    compare(request, f"{name}.arguments", [f"{case} {results[case]}" for case in results if case.startswith("role.")])


def open_sweep(what):
    done = private(ESCAPE / "open-sweep", "vhost", OWNER, what,
                   env={**os.environ, "LUTTPD_TEST": f"test:omit={WALLS['seccomp']}"})
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_sweep_notices_a_missing_filter():
    assert [line for line in open_sweep("calls") if "killed" in line] == []
    assert [line for line in open_sweep("arguments") if "killed" in line] == []
    assert len(open_sweep("foreign")) > 400
