# SPDX-License-Identifier: Apache-2.0
"""starts.py – how long a vhost process takes from exec to READY.

READY is the first message that a role sends to master, and it sends it when its cage is closed and
its scripts are loaded. So two kernel tracepoints tell the time, to the microsecond and without slowing
the process: sched_process_exec of luttpd-vhost, and the entry of its first sendmsg on descriptor 3, the
control channel. perf records both while vhost processes are killed, one by one, each for the first
time, which master answers with an immediate restart.
"""
import os
import re
import signal
import subprocess
import time

import proc

EVENTS = ("sched:sched_process_exec", "syscalls:sys_enter_sendmsg")
LINE = re.compile(r"^\s*.+?\s+(\d+)\s+\[\d+\]\s+([\d.]+):\s+(\S+?): (.*)$")
CONTROL = "fd: 0x00000003"
SETTLE_SECONDS = 0.15


def vhost_pids(server):
    return [pid for pid in server.processes() if proc.role(pid) == "vhost"]


def record(server, count, output):
    """Kills some vhost processes under perf's eyes. Returns perf's text."""
    words = ["perf", "record", "-q", "-a", "-o", output]
    for event in EVENTS:
        words += ["-e", event]
    perf = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    time.sleep(1)
    for pid in vhost_pids(server)[:count]:
        os.kill(pid, signal.SIGKILL)
        time.sleep(SETTLE_SECONDS)
    perf.send_signal(signal.SIGINT)
    error = perf.communicate(timeout=20)[1].decode(errors="replace")
    text = subprocess.run(["perf", "script", "-i", output], capture_output=True, text=True, timeout=60, check=False)
    if text.returncode != 0:
        raise RuntimeError(f"perf cannot trace here: {error}{text.stderr}")
    return text.stdout


def milliseconds(text, pids):
    """The times from exec to READY of these processes that perf's text tells."""
    began, found = {}, []
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        pid, when, event, rest = int(match[1]), match[2], match[3], match[4]
        if pid in pids and event.endswith("sched_process_exec"):
            began[pid] = float(when)
        elif pid in began and event.endswith("sys_enter_sendmsg") and rest.startswith(CONTROL):
            found.append((float(when) - began.pop(pid)) * 1000)
    return found


def measure(server, count):
    """Milliseconds from exec to READY, sorted, of so many restarted vhost processes."""
    text = record(server, count, server.directory / "perf.data")
    found = sorted(milliseconds(text, set(vhost_pids(server))))
    if len(found) < count:
        raise RuntimeError(f"{len(found)} of {count} restarts were seen")
    return found
