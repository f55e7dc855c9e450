# SPDX-License-Identifier: Apache-2.0
"""Attacks 1 to 4, 7 to 9 from inside each role: what the closed cage answers, what still answers when
the filter is gone, and that each attack does work once its walls are taken away.

A row is: attack, answer without the filter, the walls that must go as well, and the answer then. With
"same user" the role runs as its victim: the user is a wall too, and it is the one thing that a test
build cannot leave out."""
import ctypes

import pytest

from escape import OTHER, OWNER, ROLES, landlock_level

SAME = "same user"
EXECUTED = "exit 1"  # the role has become /bin/false


def has_mdwe():
    return ctypes.CDLL(None, use_errno=True).prctl(66, 0, 0, 0, 0) >= 0


MDWE = "EACCES" if has_mdwe() else "ok"
TCP = "EACCES" if landlock_level() >= 4 else "ENETUNREACH"
BIND = "EACCES" if landlock_level() >= 4 else "ok"

PROCESSES = [
    ("ptrace_attach", "EPERM", {"landlock", SAME}, "ok"),
    ("ptrace_seize", "EPERM", {"landlock", SAME}, "ok"),
    ("memory_read", "EPERM", {"landlock", SAME}, "ok"),
    ("memory_write", "EPERM", {"landlock", SAME}, "ok"),
    ("proc_mem", "ENOENT", {"root", "landlock", SAME}, "ok"),
    ("proc_environ", "ENOENT", {"root", "landlock", SAME}, "ok"),
    ("kill_probe", "EPERM", {"landlock", SAME}, "ok"),
    ("kill_victim", "EPERM", {"landlock", SAME}, "ok dead"),
    ("kill_parent", "EPERM", set(), "EPERM"),
    ("kill_everyone", "ok", {"landlock", SAME}, "ok dead"),  # kill(-1) succeeds where it reaches nobody
    ("tgkill_victim", "EPERM", {"landlock", SAME}, "ok dead"),
    ("tkill_victim", "EPERM", {"landlock", SAME}, "ok dead"),
    ("queue_signal", "EPERM", {"landlock", SAME}, "ok dead"),
    ("pidfd_signal", "EPERM", {"landlock", SAME}, "ok dead"),
    ("pidfd_steal", "EPERM", {"landlock", SAME}, "ok"),
    ("priority", "EPERM", {SAME}, "ok"),
    ("affinity", "EPERM", {SAME}, "ok"),
    ("scheduler", "EPERM", {SAME}, "ok"),
    ("limits", "EPERM", {SAME}, "ok"),
]
FILES = [
    ("open_other", "ENOENT", {"root", "landlock", SAME}, "ok"),
    ("write_other", "ENOENT", {"root", "landlock", SAME}, "ok"),
    ("open_plain", "ENOENT", {"root", "landlock", SAME}, "ok"),
    ("stat_other", "ENOENT", {"root", SAME}, "ok"),
    ("stat_with_flag", "ENOENT", {"root", SAME}, "ok"),
    ("list_proc", "ENOENT", {"root", "landlock"}, "ok"),
    ("change_directory", "ENOENT", {"root"}, "ok"),
    ("watch", "ENOENT", {"root", SAME}, "ok"),
]
DIRECTORIES = [
    ("open_upwards", "EACCES", {"landlock", SAME}, "ok"),
    ("open_link", "ENOENT", {"root", "landlock", SAME}, "ok"),
    ("list_upwards", "EACCES", {"landlock"}, "ok"),
    ("create_in_root", "EACCES", {"landlock"}, "ok"),
    ("make_device", "EACCES", {"landlock"}, "ok"),
    ("make_link", "EACCES", {"landlock"}, "ok"),
    ("rename_file", "EACCES", {"landlock"}, "ok"),
    ("unlink_file", "EACCES", {"landlock"}, "ok"),
    ("change_mode", "ok", set(), "ok"),
    ("change_owner", "EPERM", set(), "EPERM"),
]
NETWORK = [
    ("socket_inet", "ok", set(), "ok"),
    ("socket_unix", "ok", set(), "ok"),
    ("socket_netlink", "ok", set(), "ok"),
    ("socket_packet", "EPERM", set(), "EPERM"),
    ("pair", "ok", set(), "ok"),
    ("connect_tcp", TCP, {"network", "landlock"}, "ok"),
    ("connect_by_send", "ENETUNREACH", {"network"}, "ok"),
    ("bind_tcp", BIND, {"landlock"}, "ok"),
    ("send_udp", "ENETUNREACH", {"network"}, "ok"),
    ("connect_path", "ENOENT", {"root"}, "ok"),
    ("connect_abstract", "ECONNREFUSED", {"network", "landlock"}, "ok"),
]
KERNEL = [
    ("exec_program", "ENOENT", {"root", "landlock"}, EXECUTED),
    ("exec_memory", "ENOENT", {"root", "landlock"}, EXECUTED),
    ("fork_once", "ok", set(), "ok"),
    ("namespace_user", "EPERM", {"root"}, "ok"),
    ("become_root", "EPERM", set(), "EPERM"),
    ("become_group", "EPERM", set(), "EPERM"),
    ("join_groups", "EPERM", set(), "EPERM"),
    ("raise_capability", "EPERM", set(), "EPERM"),
    ("leave_root", "EPERM", {"capabilities"}, "ok"),
    ("mount_something", "EPERM", set(), "EPERM"),
    ("become_dumpable", "ok", set(), "ok"),
    ("mprotect_exec", MDWE, {"executable"}, "ok"),
    ("mprotect_both", MDWE, {"executable"}, "ok"),
    ("mmap_exec", MDWE, {"executable"}, "ok"),
    ("pkey_exec", MDWE, {"executable"}, "ok"),
    ("io_uring", None, set(), None),  # what the kernel answers depends on its settings
    ("userfaultfd", None, set(), None),
    ("add_key", None, set(), None),
    ("keyctl", None, set(), None),
    ("bpf", None, set(), None),
    ("perf_event", None, set(), None),
    ("plain_memfd", "ok", set(), "ok"),
    ("seccomp_notifier", "ok", set(), "ok"),
    ("socket_from_thread", "ok", set(), "ok"),
]
TABLE = PROCESSES + FILES + DIRECTORIES + NETWORK + KERNEL
CONTROLS = ["works_memory", "works_clock", "works_raise", "works_stat", "works_clone3", "works_own_file"]

# Where the filter lets a call through because the role needs it, another wall must answer.
OPENERS = {"config", "vhost", "logger"}
LET_THROUGH = {
    "open_other": (OPENERS, "ENOENT"), "write_other": (OPENERS, "ENOENT"), "open_upwards": (OPENERS, "EACCES"),
    "open_link": (OPENERS, "ENOENT"), "list_upwards": (OPENERS, "EACCES"), "list_proc": (OPENERS, "ENOENT"),
    "create_in_root": (OPENERS - {"logger"}, "EACCES"),
    "stat_with_flag": (set(ROLES), "ENOENT"), "mprotect_exec": ({"vhost"}, "ok"),
}
# These change the directory that the next ones look at.
ALONE = {"create_in_root", "make_device", "make_link", "rename_file", "unlink_file", "change_mode", "change_owner"}


def names(rows):
    return [row[0] for row in rows]


def batch(attack):
    """Attacks that may share one run with this one."""
    return [attack] if attack in ALONE else [a for a in names(TABLE) if a not in ALONE]


def expected(role, attack):
    roles, answer = LET_THROUGH.get(attack, ((), None))
    if role == "logger" and attack == "create_in_root":
        return "ok"  # it writes there for a living
    return answer if role in roles else "killed"


@pytest.mark.parametrize("attack", names(TABLE))
@pytest.mark.parametrize("role", ROLES)
def test_cage_stops_attack(nursery, role, attack):
    outcome = nursery.run(role, batch(attack))[attack]
    assert outcome.result == expected(role, attack), outcome
    assert outcome.victim == "alive", outcome


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("role", ROLES)
def test_role_still_works(nursery, role, control):
    outcome = nursery.run(role, CONTROLS)[control]
    assert (outcome.result, outcome.end) == ("ok", "exit 0"), outcome


@pytest.mark.parametrize("role", ROLES)
def test_abort_is_not_mistaken_for_an_attack(nursery, role):
    assert nursery.run(role, ["works_abort"])["works_abort"].end == "signal ABRT"


@pytest.mark.parametrize("attack", ["mprotect_exec", "mprotect_both", "mmap_exec", "pkey_exec"])
def test_hardened_vhost_has_no_executable_pages(nursery, attack):
    options = ("-H",)
    assert nursery.run("vhost", [attack], options=options)[attack].result == "killed"


@pytest.mark.parametrize("attack,second", [row[:2] for row in TABLE if row[1]])
def test_second_wall_stops_attack_when_filter_is_gone(nursery, attack, second):
    """Hardened, so that the wall against executable pages is there too."""
    outcome = nursery.run("vhost", batch(attack), omit={"seccomp"}, options=("-H",))[attack]
    assert outcome.result == second, outcome
    assert outcome.victim == "alive", outcome


@pytest.mark.parametrize("attack", names(TABLE))
def test_filter_is_what_killed(nursery, attack):
    outcome = nursery.run("vhost", batch(attack), omit={"seccomp"}, options=("-H",))[attack]
    assert outcome.result != "killed"


@pytest.mark.parametrize("attack,walls,third", [(r[0], r[2], r[3]) for r in TABLE if r[2]])
def test_attack_works_when_its_walls_are_gone(nursery, attack, walls, third):
    uid = OTHER if SAME in walls else OWNER
    omit = {"seccomp"} | (walls - {SAME})
    outcome = nursery.run("vhost", [attack], omit=omit, uid=uid, options=("-H",))[attack]
    seen = outcome.result + (" dead" if outcome.victim == "dead" else "")
    assert seen == third, outcome


@pytest.mark.parametrize("attack,walls", [(r[0], r[2]) for r in TABLE if len(r[2]) > 1 and r[0] != "kill_everyone"])
def test_each_wall_alone_stops_attack(nursery, attack, walls):
    """With all walls but one gone, that one still answers."""
    for wall in sorted(walls):
        if attack.startswith(("kill", "tgkill", "tkill", "queue", "pidfd_signal")) and wall == "landlock" \
                and landlock_level() < 6:
            continue
        if wall == "landlock" and attack in ("connect_tcp", "connect_abstract") and landlock_level() < 6:
            continue
        gone = walls - {wall}
        uid = OTHER if SAME in gone else OWNER
        outcome = nursery.run("vhost", [attack], omit={"seccomp"} | (gone - {SAME}), uid=uid, options=("-H",))[attack]
        assert outcome.result.startswith("E"), (wall, outcome)
        assert outcome.victim == "alive", (wall, outcome)


def test_kill_everyone_reaches_nobody_with_one_wall(nursery):
    for omit, uid in (({"seccomp", "landlock"}, OWNER), ({"seccomp"}, OTHER)):
        if uid == OTHER and landlock_level() < 6:
            continue
        assert nursery.run("vhost", ["kill_everyone"], omit=omit, uid=uid)["kill_everyone"].victim == "alive"


def test_listening_socket_is_no_way_out(nursery):
    """An inherited listening socket lives in the host's network. Shut down, then sent on with data in the
    first packet, it connects, whatever namespace its holder is in: only the filter is in the way."""
    attack = "reuse_listening_socket"
    assert nursery.run("listener", [attack])[attack].result == "killed"
    assert nursery.run("listener", [attack], omit={"seccomp"})[attack].result == "ok"


@pytest.mark.parametrize("attack", ["kill_victim", "memory_read", "open_upwards", "open_other", "connect_tcp",
                                    "connect_abstract", "socket_inet", "exec_program", "list_upwards"])
def test_old_landlock_is_enough_with_the_other_walls(nursery, attack, monkeypatch):
    """Debian 12's own kernel has ABI 2: no rules for TCP, none for signals and abstract sockets."""
    environment = nursery.environment
    monkeypatch.setattr(nursery, "seen", {})
    monkeypatch.setattr(nursery, "environment", lambda omit: {
        **environment(omit), "LUTTPD_TEST": environment(omit)["LUTTPD_TEST"] + ";landlock=2"})
    assert nursery.run("vhost", [attack])[attack].result == expected("vhost", attack)
    outcome = nursery.run("vhost", [attack], omit={"seccomp"})[attack]
    assert outcome.victim == "alive"
    if attack != "socket_inet":
        assert outcome.result.startswith("E"), outcome
