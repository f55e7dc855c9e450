# SPDX-License-Identifier: Apache-2.0
"""slow.py – ten thousand clients that send or read slowly, and what everybody else notices of them.

slowhttptest attacks on the client's core, when nobody else wants it; an honest client beside it asks at a
steady rate and measures from the moment when it meant to ask, so that waiting counts. Quiet and attacked
spells alternate. Deadlines are the defaults; only the bound on connections of one address is lifted,
because here every client has the same.
"""
import contextlib
import http.client
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import time

import peers
import proc
import syscalls
from report import goal_row, table
from server import CLIENT_CPU, Stage

CONNECTIONS = 10000
RATE = 2500  # new slow connections in a second
PROBE_RATE = 200  # honest requests in a second
ATTACK_SECONDS = 24
QUIET_SECONDS = 8
MODES = {
    "headers": ["-H", "-i", "3", "-x", "24"],
    "body": ["-B", "-i", "3", "-s", "65536", "-x", "24"],
    "read": ["-X", "-w", "128", "-y", "512", "-n", "3", "-z", "64", "-k", "3"],
    "range": ["-R", "-a", "5", "-b", "3000"],
}
PATHS = {"read": "/10m.bin", "body": "/sink", "range": "/10m.bin"}


class Probe:
    """One honest client on a kept connection; keeps latencies in ms, from when each was due."""

    def __init__(self, port):
        self.port, self.connection, self.failed = port, None, 0

    def ask(self):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.request("GET", "/1k.bin")
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200 or len(body) != 1024:
            raise ValueError(response.status)
        if response.will_close:
            self.drop()

    def drop(self):
        self.connection.close()
        self.connection = None

    def run(self, until):
        """Asks until that moment or while until() is true. Returns the latencies."""
        goes_on = until if callable(until) else lambda: time.monotonic() < until
        times, due = [], time.monotonic()
        while goes_on():
            due += 1 / PROBE_RATE
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                self.ask()
            except (OSError, ValueError, http.client.HTTPException):
                self.failed += 1
                if self.connection:
                    self.drop()
            times.append((time.monotonic() - due) * 1000)
        return times


def before_exec():
    os.sched_setaffinity(0, {CLIENT_CPU})
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # the honest client goes first
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


@contextlib.contextmanager
def attack(server, mode, directory):
    """slowhttptest against the server; yields the process. It writes its counters into directory."""
    words = ["slowhttptest", *MODES[mode], "-c", str(CONNECTIONS), "-r", str(RATE), "-l", str(ATTACK_SECONDS), "-p", "10",
             "-u", server.url + PATHS.get(mode, "/1k.bin"), "-g", "-o", str(directory / mode)]
    with open(directory / f"{mode}.out", "wb") as out:
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=before_exec,
                              start_new_session=True) as child:
            try:
                yield child
            finally:
                if child.poll() is None:
                    child.kill()


def most_connected(directory, mode):
    """The most slow connections that were open at once, as slowhttptest counted every second."""
    lines = (directory / f"{mode}.csv").read_text().splitlines()[1:]
    return max((int(line.split(",")[3]) for line in lines if re.match(r"\d", line)), default=0)


def percentile(times, share):
    return sorted(times)[int(len(times) * share)]


def listener_bytes(server):
    return sum(map(proc.pss_bytes, syscalls.pids_by_role(server)["listener"]))


def one_mode(server, mode, directory):
    """(p99 quiet, p99 attacked, most connections, failed, MiB of the listener above quiet)"""
    probe = Probe(server.port)
    probe.run(time.monotonic() + 1)
    quiet = probe.run(time.monotonic() + QUIET_SECONDS)
    before, spent = listener_bytes(server), proc.cpu_of_tree(server.pid)
    with attack(server, mode, directory) as attacker:
        end, slow, most = time.monotonic() + ATTACK_SECONDS + 6, [], before
        while attacker.poll() is None and time.monotonic() < end:
            slow += probe.run(time.monotonic() + 2)
            most = max(most, listener_bytes(server))
    spent = proc.cpu_between(spent, proc.cpu_of_tree(server.pid))
    quiet += probe.run(time.monotonic() + QUIET_SECONDS)
    return {"quiet": percentile(quiet, 0.99), "attacked": percentile(slow, 0.99), "median": statistics.median(slow),
            "connections": most_connected(directory, mode), "failed": probe.failed, "asked": len(quiet) + len(slow),
            "memory": most - before, "cpu": {role: row[0] for role, row in spent.items()}}


def idle_bytes(server):
    """What one idle kept connection costs the listener, whoever counts the kernel's own."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    request = b"GET /1k.bin HTTP/1.1\r\nHost: bench.test\r\n\r\n"
    before, held = listener_bytes(server), []
    try:
        for _ in range(CONNECTIONS):
            held.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            held[-1].sendall(request)
            while len(held[-1].recv(4096)) == 4096:
                pass
        return (listener_bytes(server) - before) / CONNECTIONS
    finally:
        for client in held:
            client.close()


def slow(_settings):
    """Slow clients, and the memory of idle ones."""
    os.sched_setaffinity(0, {CLIENT_CPU})
    with Stage() as stage:
        server = stage.start(peers.luttpd(stage, limits="address_connections = 0"))
        server.wait_for("/1k.bin")
        idle = idle_bytes(server)
        rows = {mode: one_mode(server, mode, pathlib.Path(stage.directory)) for mode in MODES}
    goals = [goal_row("bytes of the listener for an idle kept connection", idle, 1536, None, "{:.0f}")]
    goals += [goal_row(f"{mode}: p99 of the others over quiet", row["attacked"] / row["quiet"], 2.0, None)
              for mode, row in rows.items()]
    goals.append(goal_row("honest requests that failed", sum(row["failed"] for row in rows.values()), 0, None, "{:.0f}"))
    text = table(["slow", "open at once", "p99 quiet ms", "p99 attacked ms", "median ms", "failed of", "listener + MiB", "CPU s"],
                 [[mode, row["connections"], f"{row['quiet']:.2f}", f"{row['attacked']:.2f}", f"{row['median']:.2f}",
                   f"{row['failed']} of {row['asked']}", f"{row['memory'] / 1048576:.1f}",
                   f"{sum(row['cpu'].values()):.1f}"] for mode, row in rows.items()])
    return goals, text, rows
