# SPDX-License-Identifier: Apache-2.0
"""What the escape tests share: the programs, a place with two owners, and targets to aim at.

The programs are those of $LUTTPD_BUILD, or of build/release. They run in a pid namespace of their own,
under users that nobody else has: where a wall is missing, the hole leads nowhere."""
import ctypes
import functools
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("LUTTPD_BUILD", HERE.parent.parent / "build" / "release")).resolve()
ESCAPE = BUILD / "escape"
ROLES = ["config", "router", "listener", "vhost", "logger"]
FILTERS = ["config", "router", "listener", "vhost", "vhost_hardened", "logger"]
OWNER, OTHER = 1899990001, 1899990002  # two owners of vhosts

# The walls of runtime/cage/omit.h.
WALLS = {
    "network": 1 << 0, "limits": 1 << 1, "capabilities": 1 << 3, "descriptors": 1 << 4, "environment": 1 << 5,
    "dumpable": 1 << 6, "root": 1 << 7, "landlock": 1 << 8, "seccomp": 1 << 9, "parent": 1 << 10,
    "master": 1 << 11, "new_privileges": 1 << 12, "executable": 1 << 13,
    "refusals": 1 << 14,
}


class Place:
    """A directory with one root for each owner, and everything that an attack may aim at."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="luttpd-escape-"))
        self.path.chmod(0o755)
        self.own = self._root("owner", OWNER, "own")
        self.other = self._root("other", OTHER, "secret")
        self.other.chmod(0o750)
        (self.own / "escape").symlink_to(self.other / "secret")
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.name = f"luttpd-escape-{os.getpid()}"
        self.abstract = self._listen("\0" + self.name)
        self.unix = self._listen(str(self.path / "socket"))
        (self.path / "socket").chmod(0o777)

    def _root(self, name, uid, file):
        root = self.path / name
        root.mkdir()
        (root / file).write_text("canary\n")
        (root / file).chmod(0o640)
        for path in (root, root / file):
            os.chown(path, uid, uid)
        return root

    @staticmethod
    def _listen(address):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen()
        return listener

    def restore(self):
        """Takes back what an attack may have changed in the owner's own root."""
        for entry in self.own.iterdir():
            if entry.name not in ("own", "escape"):
                entry.unlink()
        if not (self.own / "own").exists():
            (self.own / "own").write_text("canary\n")
        (self.own / "own").chmod(0o640)
        os.chown(self.own / "own", OWNER, OWNER)

    def close(self):
        for listener in (self.tcp, self.abstract, self.unix):
            listener.close()
        shutil.rmtree(self.path)


def private(*command, **options):
    """Runs a program as pid 1 of its own pid namespace; everything in it dies with it."""
    unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    options.setdefault("timeout", 60)
    return subprocess.run(unshare + [str(part) for part in command], capture_output=True, text=True, **options)


class Outcome:
    """told: what the attack returned, "-" where it did not. end: "exit 0", "signal SYS". victim: "alive"."""

    def __init__(self, line):
        self.told, self.end, self.victim = line.split("\t")[1:]

    def __repr__(self):
        return f"told {self.told}, {self.end}, victim {self.victim}"

    @property
    def result(self):
        return "killed" if self.end.startswith("signal SYS") else self.told if self.told != "-" else self.end


class Nursery:
    """Starts evil roles. The outcome of each attack is remembered: many tests look at the same one."""

    def __init__(self, at):
        self.place = at
        self.seen = {}

    def environment(self, omit):
        mask = 0
        for wall in omit:
            mask |= WALLS[wall]
        at = self.place
        return {
            "PATH": "/usr/bin:/bin",
            "LUTTPD_TEST": f"test:omit={mask};path={at.other / 'secret'};unix={at.path / 'socket'};"
                           f"abstract={at.name};port={at.port}",
        }

    def run(self, role, attacks, omit=(), uid=OWNER, victim=OTHER, options=(), binary=None):
        """Mounts the attacks that were not mounted that way yet. Returns all outcomes by name."""
        key = (role, tuple(sorted(omit)), uid, victim, tuple(options))
        seen = self.seen.setdefault(key, {})
        missing = [a for a in attacks if a not in seen]
        if missing:
            self.place.restore()
            done = private(ESCAPE / "nursery", "-r", role, "-b", binary or ESCAPE / f"evil-{role}", "-u", uid, "-g", uid,
                           "-v", victim, "-d", self.place.own, *options, *missing, env=self.environment(omit),
                           cwd=self.place.path)
            assert done.returncode == 0, done.stderr
            for line in done.stdout.splitlines():
                if "\t" in line:
                    seen[line.split("\t")[0]] = Outcome(line)
            assert all(a in seen for a in missing), done.stdout + done.stderr
        return seen


def landlock_level():
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, ctypes.c_size_t(0), 1)


@functools.lru_cache
def sweep(program, filter_name, what):
    done = private(ESCAPE / program, filter_name, OWNER, what)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
