# SPDX-License-Identifier: Apache-2.0
"""A server under strace, and which rules of its filter each role's system calls take once its cage is
closed. The rules are read from what the build compiles, so that there is no second list to forget."""
import collections
import contextlib
import fcntl
import mmap
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import termios

from server import Process, Server, die_with_parent, wait_until

KNOWN = (fcntl, mmap, os, socket, termios)
NEWER = {"AT_EMPTY_PATH": 0x1000, "MFD_NOEXEC_SEAL": 0x8, "F_ADD_SEALS": 1033, "F_GET_SEALS": 1034}
OWN_PID = "CAGE_OWN_PID_MARK"
RULE = re.compile(r'\{FILTER_(\w+), "(\w+)", (\w+)(?:\(\w+\))?, \d, \{(.*)\}\},')
TEST = re.compile(r"\{(\d), SCMP_CMP_MASKED_EQ, \(uint32_t\)\(([^)]*)\), \(uint32_t\)\(([^)]*)\)\}")
WORD = 0xFFFFFFFF


def number(text):
    """The value of "A|B", "0xff" or the mark for the own pid."""
    def one(name):
        if name[0].isdigit():
            return int(name, 0)
        return NEWER[name] if name in NEWER else next(getattr(m, name) for m in KNOWN if hasattr(m, name))

    return OWN_PID if text == OWN_PID else sum(map(one, text.split("|")))


class Rule:
    def __init__(self, call, tests):
        self.call = call
        self.tests = [(int(argument), number(mask), number(value)) for argument, mask, value in tests]
        words = [value if number(mask) == WORD else f"{'no ' if value == '0' else ''}{mask}" for _, mask, value in tests]
        self.name = f"{call}({', '.join(words)})" if words else call

    def takes(self, call, arguments, pid):
        """Whether the kernel would find this rule first: as the filter compares, 32 bits of each argument."""
        return call == self.call and all(
            int(arguments[argument], 0) & mask == (pid if value == OWN_PID else value)
            for argument, mask, value in self.tests)


def compiled_rules(build):
    """{filter: [Rule]} without master's, which lists what is refused."""
    text = (build / "gen" / "cage" / "filter_rules.h").read_text().partition("#else")[0]
    rules = collections.defaultdict(list)
    for filter_name, call, _, tests in RULE.findall(text):
        if filter_name != "MASTER":
            rules[filter_name.lower()].append(Rule(call, TEST.findall(tests)))
    assert sum(map(len, rules.values())) == text.count("{FILTER_") - text.count("{FILTER_MASTER,")
    return dict(rules)


class Traced(Server):
    """A server whose every process strace follows from its first call to its last. Where a rule looks at
    arguments, they are written as numbers."""

    def __init__(self, build, rules):
        super().__init__(build)
        self.traces = pathlib.Path(tempfile.mkdtemp(prefix="luttpd-traces-"))
        self.numeric = sorted({rule.call for several in rules.values() for rule in several if rule.tests})

    def spawn(self):
        words = ["strace", "-ff", "-qq", "-s", "64", "-e", "signal=none", "-e", "raw=" + ",".join(self.numeric),
                 "-o", self.traces / "of", self.build / "bin" / "luttpd", "run",
                 "-c", self.configuration, "-s", self.state]
        with open(self.directory / "stderr", "ab") as stderr:
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                                          cwd=self.directory, preexec_fn=die_with_parent)
        self.master = wait_until(self.traced, "strace starts master")
        return self

    def traced(self):
        """Master's pid, once it is one: strace starts children of its own as well."""
        children = pathlib.Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        for pid in children.read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if Process(pid).role == "master":
                    return int(pid)
        return None

    @property
    def pid(self):
        return self.master

    def stop(self):
        os.kill(self.master, signal.SIGTERM)
        status = self.wait()
        self.child.stdout.close()
        return status

    def remove(self):
        if self.child is not None and self.child.poll() is None:
            os.kill(self.master, signal.SIGKILL)
            self.wait()
        super().remove()
        for trace in self.traces.iterdir():
            trace.unlink()
        self.traces.rmdir()


Task = collections.namedtuple("Task", "process thread lines")


def tasks(traces):
    """Every thread, with the pid of its process: (0 where it never became a role)."""
    lines = {int(path.suffix[1:]): path.read_text(errors="replace").splitlines() for path in traces.iterdir()}
    threads = {}
    for pid, own in lines.items():
        for line in own:
            match = re.search(r"CLONE_THREAD.* = (\d+)$", line)
            if match:
                threads[int(match.group(1))] = pid
    return [Task(threads.get(tid, tid), tid in threads, own) for tid, own in lines.items()], lines


def title(lines):
    """("vhost", "alice") of a role's process, by what it was started as."""
    for line in lines:
        match = re.match(r'execveat\(.*\["luttpd: (\w+)(?: (.*?))?"\]', line)
        if match:
            return match.groups()
    return None, None


def calls_behind_the_cage(task):
    """(call, arguments) after the filter; all of a thread's, because nobody knows when it came."""
    closed = task.thread
    for line in task.lines:
        match = re.match(r"(\w+)\((.*?)(?:\) += (.*))?$", line)
        if not match:
            continue
        call, arguments, result = match.groups()
        if closed:
            yield call, [part.strip() for part in arguments.split(",")]
        elif call == "seccomp" and result == "0":
            closed = True


class Seen:
    """used: {filter: Counter of rule names}. unlisted: calls without a rule. killed: who died of SIGSYS.
    uncaged: roles that never closed their cage."""

    def __init__(self):
        self.used = collections.defaultdict(collections.Counter)
        self.unlisted, self.killed, self.uncaged = set(), set(), set()


def look(traces, rules, hardened=()):
    """What happened. hardened: labels of vhosts with the stricter filter."""
    seen = Seen()
    every, lines = tasks(traces)
    for task in every:
        role, label = title(lines[task.process])
        if role is None:
            continue
        name = "vhost_hardened" if role == "vhost" and label in hardened else role
        calls = list(calls_behind_the_cage(task))
        if not calls:
            seen.uncaged.add((role, label))
        if any("killed by SIGSYS" in line for line in task.lines[-1:]):
            seen.killed.add((name, calls[-1][0]))
        for call, arguments in calls:
            rule = next((r for r in rules[name] if r.takes(call, arguments, task.process)), None)
            if rule is None:
                seen.unlisted.add((name, call, " ".join(arguments)))
            else:
                seen.used[name][rule.name] += 1
    return seen


def unused(rules, seen):
    """{(filter, rule)} that nothing took."""
    return {(name, rule.name) for name, several in rules.items() for rule in several if rule.name not in seen.used[name]}
