# SPDX-License-Identifier: Apache-2.0
"""Attack 3: what a captured process that opens files for a living can open, from any descriptor, by any
path and in any way. The kernel's answer is a set of inodes; golden/ has their names."""
import os
import pathlib

import pytest

from escape import ESCAPE, OTHER, OWNER, private

GOLDEN = pathlib.Path(__file__).parent / "golden"
NAMING = {"name", "link"}  # O_PATH: no content, no listing
OUTSIDE = ["/", "/etc", "/etc/passwd", "/proc", "/dev", "/dev/null", "/tmp", "/run", "/sys"]


def identity(path):
    facts = os.stat(path)
    return f"{facts.st_dev}:{facts.st_ino}"


def named(paths):
    """{inode: what to call it}"""
    return {identity(path): name for path, name in [*((path, path) for path in OUTSIDE), *paths] if os.path.exists(path)}


def reached(lines, names):
    """{"WAY NAME"} of what was opened. Descriptors that only name a file are told apart: they were tried as
    starting points as well, and what they led to is in the other ways."""
    ways = {way: inodes for way, *inodes in (line.split("reached ")[1].split() for line in lines)}
    assert set(ways) == {"read", "list", "write", "append", "create", "temporary", *NAMING}, lines
    return {f"{way} {names.get(inode, 'elsewhere')}" for way, inodes in ways.items() if way not in NAMING for inode in inodes}


def walked(nursery, role, omit=(), uid=OWNER):
    place = nursery.place
    place.restore()
    done = private(ESCAPE / "nursery", "-r", role, "-b", ESCAPE / f"evil-{role}", "-u", uid, "-g", uid, "-v", OTHER,
                   "-d", place.own, "walk", env=nursery.environment(omit), cwd=place.path)
    assert "walk\tok\texit 0" in done.stdout, done.stdout + done.stderr
    return reached([line for line in done.stdout.splitlines() if line.startswith("note reached ")], named([
        (place.path, "beside the root"), (place.other, "another root"), (place.other / "secret", "another root/secret"),
        *((entry, "root/new") for entry in place.own.iterdir() if entry.name != "escape"),
        (place.own, "root"), (place.own / "own", "root/own")]))


def compare(request, name, found):
    path = GOLDEN / f"{name}.reached"
    if request.config.getoption("--golden"):
        path.write_text("\n".join(sorted(found)) + "\n")
    assert sorted(found) == path.read_text().splitlines()


@pytest.mark.parametrize("role", ["config", "vhost", "logger"])
def test_opens_its_own_directory_and_nothing_else(request, nursery, role):
    compare(request, role, walked(nursery, role))


def test_walk_gets_further_when_walls_are_gone(nursery):
    inside = walked(nursery, "vhost")
    outside = walked(nursery, "vhost", {"landlock"})
    assert inside < outside
    assert {"read /etc/passwd", "list /", "write /dev/null", "create root/new"} <= outside
    assert "read another root/secret" not in outside, "its user is a wall of its own"
    assert "read another root/secret" in walked(nursery, "vhost", {"landlock"}, uid=OTHER)


def test_captured_vhost_opens_its_own_site_and_nothing_else(request, society, place):
    one = society("vhost alice", "walk", path=place.other / "secret")
    one.launch("walk")
    site, other = one.site_directory("alice"), one.site_directory("bob")
    names = named([(site, "root"), (site / "own", "root/own"), (site / "vhost.lua", "root/vhost.lua"), (other, "another root"),
                   (other / "own", "another root/own"), (site.parent, "beside the root")])
    found = reached([line for line in one.stderr.splitlines() if ": reached " in line], names)
    compare(request, "site", found)
