# SPDX-License-Identifier: Apache-2.0
"""Attack 28: everything that a process was given or has inherited, as the kernel tells it, for each role of
a whole server as it ships. golden/ has the text; `pytest --golden` writes it anew."""
import collections
import os
import pathlib
import re

import pytest

from escape import BUILD
from server import Server, wait_until

GOLDEN = pathlib.Path(__file__).parent / "golden"
PAGE = 'get "/" (function(req, res) res:text("here") end)'
SHOWN = {"master": "master", "router": "router", "listener 0": "listener", "vhost alice": "vhost", "logger": "logger"}
STATUS = ["Umask", "Groups", "NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
          "SigBlk", "SigIgn", "SigCgt"]
LIBC_SIGNALS = 0b11 << 31  # 32 and 33: libc takes them where it has threads


# Walls to leave out, and what must then read otherwise.
SHOWS = {
    ("environment",): "environment", ("root",): "root", ("network",): "namespaces of its own", ("limits",): "core files",
    ("capabilities",): "CapPrm", ("seccomp", "refusals"): "Seccomp", ("dumpable",): "readable by its user",
    ("new_privileges", "landlock", "seccomp", "refusals"): "NoNewPrivs", ("descriptors",): "descriptor",
}


def kind(server, target):
    """What a descriptor leads to, without numbers and names of this run."""
    for path, name in ((server.logs, "the logs"), (server.directory / "sites" / "alice", "its site"),
                       (server.state, "the state"), (server.build / "bin", "a program"), (server.directory, "the configuration")):
        if target.startswith(str(path)):
            return name
    return re.sub(r":.*" if target.startswith(("socket:", "pipe:", "net:")) else r"\d+", "", target)


def tops(server):
    return [server.logs, server.directory, *(server.directory / "sites" / name for name in ("alice", "bob"))]


def tell(path):
    """The names in a directory of the process's own view, or why there is none."""
    try:
        return " ".join(sorted(os.listdir(path))) or "nothing"
    except OSError as error:
        return type(error).__name__


def signals(text):
    return f"{int(text, 16) & ~LIBC_SIGNALS:016x}"


def of_roles(process):
    """What master leaves as the admin's shell has it, or needs."""
    limits = (process.proc / "limits").read_text()
    session = (process.proc / "stat").read_text().rpartition(")")[2].split()
    return [f"stack: {re.search(r'^Max stack size +([0-9]+)', limits, re.M).group(1)}",
            f"leads its session: {int(session[3]) == process.pid}, terminal: {session[4]}",
            f"directory: {os.readlink(process.proc / 'cwd')}", f"root: {tell(process.proc / 'root')}",
            f"root/proc: {tell(process.proc / 'root' / 'proc')}", f"root/sys: {tell(process.proc / 'root' / 'sys')}"]


def facts(server, process):
    """Lines of text, each a name, a colon and what is so."""
    status = process.status()
    limits = (process.proc / "limits").read_text()
    kinds = collections.Counter(kind(server, target) for target in process.descriptors(tops(server)).values())
    differing = [ns.name for ns in sorted((process.proc / "ns").iterdir())
                 if os.readlink(ns) != os.readlink(pathlib.Path("/proc/self/ns") / ns.name)]
    words = [word for word in (process.proc / "cmdline").read_bytes().decode().split("\0") if word and word != server.value]
    lines = [f"arguments: {' | '.join(words)}".replace(str(server.directory), "DIRECTORY"),
             f"environment: {b' '.join(process.environment()).decode() or 'nothing'}"]
    lines += [f"descriptor: {count} x {name}" for name, count in sorted(kinds.items())]
    lines += [f"{name}: {signals(status[name]) if name.startswith('Sig') else status[name]}".strip() for name in STATUS]
    lines += ["core files: " + " ".join(re.search(r"^Max core file size +(\S+) +(\S+)", limits, re.M).groups()),
              f"namespaces of its own: {' '.join(differing) or 'none'}",
              f"readable by its user: {(process.proc / 'environ').stat().st_uid == process.uids()[0] != 0}",
              f"threads: {process.threads()}"]
    return lines + (of_roles(process) if process.role != "master" else [])


def settle(server):
    """Serves, with every channel between any two, and rests."""
    for name in ("alice", "bob"):
        assert server.get("/", host=f"{name}.test").text == "here"
    found = {}
    for shown, role in SHOWN.items():
        process = wait_until(lambda role=shown: server.process(*role.split()), shown)
        found[role] = process
    wait_until(lambda: all(at_rest(p) for p in found.values()), "nobody works")
    return found


def differences(role, lines):
    """The names of what is not as written down."""
    golden = (GOLDEN / f"{role}.facts").read_text().splitlines()
    return {line.partition(":")[0] for line in set(lines) ^ set(golden)}


def at_rest(process):
    return process.status()["State"].startswith("S")


@pytest.fixture(scope="module", name="shipped")
def fixture_shipped():
    server = Server(BUILD)
    server.value = None  # of tests; society has one
    for name in ("alice", "bob"):
        server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": PAGE})
    os.environ["LUTTPD_TEST_SECRET"] = "must not be inherited"
    try:
        server.start()
        yield server, settle(server)
    finally:
        del os.environ["LUTTPD_TEST_SECRET"]
        server.remove()


@pytest.mark.parametrize("role", SHOWN.values())
def test_each_role_has_what_is_written_down(request, shipped, role):
    server, found = shipped
    lines = facts(server, found[role])
    path = GOLDEN / f"{role}.facts"
    if request.config.getoption("--golden"):
        path.write_text("\n".join(lines) + "\n")
    assert lines == path.read_text().splitlines()


def test_config_has_what_is_written_down(request, society):
    """It is gone so soon that a build of it stays for a while."""
    one = society("config", "hang")
    one.write_configuration()
    one.spawn()
    wait_until(lambda: "hanging" in one.stderr, "config has closed its cage")
    lines = facts(one, one.process("config"))
    path = GOLDEN / "config.facts"
    if request.config.getoption("--golden"):
        path.write_text("\n".join(lines) + "\n")
    assert lines == path.read_text().splitlines()


@pytest.mark.parametrize("walls", [(), *SHOWS], ids=" ".join)
@pytest.mark.parametrize("role", ["listener", "vhost"])
def test_what_a_missing_wall_lets_through_shows(society, role, walls):
    """The same through a master and roles whose walls can be left out; master was given a secret file."""
    one = society("nobody", "none", omit=walls)
    with open("/etc/passwd", "rb") as secret:
        one.inherited = [secret.fileno()]
        one.start()
    found = differences(role, facts(one, settle(one)[role]))
    assert (SHOWS[walls] in found) if walls else found == set(), found
