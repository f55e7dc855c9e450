# SPDX-License-Identifier: Apache-2.0
"""syscalls.py – system calls per request of each kind of process, under load.

Counted twice. strace -c finds every call, but slows each call so much that processes sleep less and
gather more than they do in truth, so wake-ups come out too low. perf then counts the calls that
strace found, by their tracepoints, at full speed: that is the budget.
"""
import re
import signal
import subprocess
import time

import client
import proc
from report import table
from server import SERVER_CPU

ATTACH_SECONDS = 0.4
STRACE_LINE = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.M)
SHOWN_MIN = 0.005  # calls per request
TRACEPOINT_NAMES = {"fstat": "newfstat", "sendfile": "sendfile64"}  # where the kernel says it otherwise


def pids_by_role(server):
    roles = {}
    for pid in server.processes():
        roles.setdefault(proc.role(pid), []).append(pid)
    return roles


def watch(commands, seconds, server, load):
    """Runs one command for each role while wrk loads the server. Returns how many requests were made."""
    watchers = [subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                for words in commands]
    try:
        time.sleep(ATTACH_SECONDS)
        for watcher in watchers:
            if watcher.poll() is not None:
                raise RuntimeError(f"{watcher.args[0]}: {watcher.stderr.read().decode(errors='replace')}")
        return client.run(load, server, seconds)["requests"]
    finally:
        for watcher in watchers:
            watcher.send_signal(signal.SIGINT)
        for watcher in watchers:
            watcher.communicate(timeout=20)


def by_strace(server, load, roles, seconds):
    """{role: {call: times per request}}"""
    files = {role: server.directory / f"strace.{role}" for role in roles}
    commands = [["taskset", "-c", str(SERVER_CPU), "strace", "-f", "-c", "-qq", "-o", files[role],
                 *[word for pid in pids for word in ("-p", str(pid))]] for role, pids in roles.items()]
    requests = watch(commands, seconds, server, load)
    return {role: {name: int(times) / requests for times, name in STRACE_LINE.findall(files[role].read_text())
                   if name != "total"} for role in roles}


def perf_command(pids, names, output):
    words = ["perf", "stat", "-x", ",", "-o", output, "-p", ",".join(map(str, pids))]
    for name in names:
        words += ["-e", f"syscalls:sys_enter_{TRACEPOINT_NAMES.get(name, name)}"]
    return words


def by_perf(server, load, roles, found, seconds):
    """As by_strace, of the calls that strace found."""
    files = {role: server.directory / f"perf.{role}" for role in roles if found[role]}
    requests = watch([perf_command(roles[role], found[role], files[role]) for role in files], seconds, server, load)
    counts = {role: {} for role in roles}
    for role, path in files.items():
        lines = [line.split(",") for line in path.read_text().splitlines() if ",syscalls:" in line]
        for name, line in zip(found[role], lines, strict=True):
            counts[role][name] = int(line[0]) / requests
    return counts


def count(server, load, seconds):
    """{role: {call: (by perf, by strace)}} per request."""
    roles = pids_by_role(server)
    traced = by_strace(server, load, roles, seconds)
    counted = by_perf(server, load, roles, traced, seconds)
    return {role: {name: (counted[role][name], times) for name, times in traced[role].items()} for role in roles}


def calls_text(calls, column):
    shown = sorted(((pair[column], name) for name, pair in calls.items() if pair[column] >= SHOWN_MIN), reverse=True)
    return ", ".join(f"{name} {times:.2f}" for times, name in shown)


def budget_table(counts):
    """counts: {scenario: result of count}"""
    rows = []
    for scenario, roles in counts.items():
        for role in sorted(roles):
            total = [sum(pair[column] for pair in roles[role].values()) for column in (0, 1)]
            if max(total) >= SHOWN_MIN:
                rows.append([f"{scenario} {role}", f"{total[0]:.2f}", f"{total[1]:.2f}", calls_text(roles[role], 0)])
        pairs = [pair for calls in roles.values() for pair in calls.values()]
        rows.append([f"{scenario} all", *[f"{sum(pair[column] for pair in pairs):.2f}" for column in (0, 1)], ""])
    return table(["scenario, process", "calls per request", "under strace", "at full speed"], rows)
