# SPDX-License-Identifier: Apache-2.0
"""client.py – makes the load: wrk with one thread on core 1, a closed loop over kept connections."""
import pathlib
import re
import resource
import subprocess
import time

from server import CLIENT_CPU

SCRIPTS = pathlib.Path(__file__).parent / "wrk"
ERRORS = ("connect", "read", "write", "status", "timeout")


class Load:
    """What is asked for. vhosts: 0, or over how many hosts v1.test... requests spread at random.
    script, words: the script of wrk/ and what it is given."""

    def __init__(self, path, connections=64, vhosts=0):
        self.path, self.connections, self.vhosts = path, connections, vhosts
        self.script = "vhosts.lua" if vhosts else "report.lua"
        self.words = [str(vhosts)] if vhosts else []

    def command(self, server, seconds):
        words = ["taskset", "-c", str(CLIENT_CPU), "wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s",
                 "--timeout", "10s", "-s", str(SCRIPTS / self.script), server.url + self.path]
        return words + (["--", *self.words] if self.words else [])


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(load, server, seconds):
    """Runs wrk once. Returns requests, bytes, req/s, latencies in µs, and wrk's own CPU use."""
    began, cpu = time.monotonic(), cpu_of_children()
    done = subprocess.run(load.command(server, seconds), capture_output=True, text=True, timeout=seconds + 30,
                          check=False)
    wall = time.monotonic() - began
    line = re.search(r"^@@ (.*)$", done.stdout, re.M)
    if not line:
        server.fail(f"wrk said: {done.stdout}{done.stderr}")
    numbers = [float(word) for word in line.group(1).split()]
    failed = {name: int(count) for name, count in zip(ERRORS, numbers[3:8]) if count}
    if failed or not numbers[0]:
        server.fail(f"failed {failed} of {numbers[0]:.0f} requests for {load.path}")
    return {"requests": int(numbers[0]), "bytes": int(numbers[2]), "per_second": numbers[0] / numbers[1] * 1e6,
            "p50": numbers[8], "p99": numbers[9], "wall": wall, "client_cpu": cpu_of_children() - cpu}
