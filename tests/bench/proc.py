# SPDX-License-Identifier: Apache-2.0
"""proc.py – what /proc says about a server: its processes, their CPU time, their memory.

A process counts by its threads' schedstat: nanoseconds on a CPU, interrupts that hit it included.
The 10 ms ticks of /proc/PID/stat would lose most of a hundred processes that each work a little;
they only say how that time divides between user and kernel.
"""
import os
import pathlib
import re

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
GONE = (FileNotFoundError, ProcessLookupError)


class Gone(Exception):
    """A process of a server ended while it was measured."""


def read(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except GONE as error:
        raise Gone(f"process {pid} has ended") from error


def stat_fields(pid):
    """/proc/PID/stat from its third field on."""
    return read(pid, "stat").rpartition(")")[2].split()


def stamp(pid):
    """Tells two processes with one pid apart; None where there is none, or only its corpse."""
    try:
        fields = stat_fields(pid)
    except Gone:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def tree(root):
    """The pids of root and all its descendants."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for thread in os.listdir(f"/proc/{pid}/task"):
            todo += map(int, read(pid, f"task/{thread}/children").split())
    return found


def role(pid):
    """"listener" for a process that calls itself "luttpd: listener"; else the program's name."""
    title = re.match(r"luttpd: (\w+)", read(pid, "cmdline"))
    return title.group(1) if title else read(pid, "comm").strip()


def on_cpu_seconds(pid):
    """Includes threads that live; none of the servers here ends threads under load."""
    threads = os.listdir(f"/proc/{pid}/task")
    return sum(int(read(pid, f"task/{thread}/schedstat").split()[0]) for thread in threads) / 1e9


def cpu_of_tree(root):
    """{pid: (seconds on a CPU, user ticks, system ticks)}"""
    return {pid: (on_cpu_seconds(pid), *map(int, stat_fields(pid)[11:13])) for pid in tree(root)}


def cpu_between(before, after):
    """{role: [seconds, user ticks, system ticks]} of what one tree used between two looks at it."""
    if before.keys() != after.keys():
        raise Gone(f"processes came or went: {sorted(before.keys() ^ after.keys())}")
    used = {}
    for pid, now in after.items():
        row = used.setdefault(role(pid), [0.0, 0, 0])
        for i, value in enumerate(now):
            row[i] += value - before[pid][i]
    return used


def pss_bytes(pid):
    """Proportional set size: shared pages are divided among those who share them."""
    return int(re.search(r"^Pss:\s+(\d+) kB", read(pid, "smaps_rollup"), re.M).group(1)) * 1024


def machine_busy_seconds():
    """CPU time of the whole machine so far, what the hypervisor stole included."""
    fields = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _, _, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND
