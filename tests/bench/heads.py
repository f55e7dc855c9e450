# SPDX-License-Identifier: Apache-2.0
"""heads.py – what reading a request head costs: the codec alone, and whole servers that answer it with a
redirect, so that there is little else to do.
"""
import http.client
import pathlib
import re
import statistics
import subprocess
import time

import h11
import measure
import peers
from client import Load
from report import goal_row, roles_table, servers_table, table
from server import PATIENCE_SECONDS, Stage

HEADS = pathlib.Path(__file__).parent / "heads"
PIPELINED = 16
REDIRECT = 'route "www.example.org" { redirect = "http://www.example.org/moved", status = 301 }\n'
H11_ROUNDS, H11_TIMES = 5, 400


class HeadLoad(Load):
    """A head of heads/, so many of them in one go."""

    def __init__(self, name, count):
        super().__init__("/", connections=16)
        self.words = [str(HEADS / name), str(count)]
        self.script = "heads.lua"


def wait_for_redirect(server):
    """Until the server answers as it will under load."""
    end = time.monotonic() + PATIENCE_SECONDS
    status = None
    while time.monotonic() < end:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
            connection.request("GET", "/articles/x", headers={"Host": "www.example.org"})
            status = connection.getresponse().status
            connection.close()
        except OSError as error:
            status = error
        if status == 301:
            return
        time.sleep(0.05)
    server.fail(f"answers {status} where a redirect is due")


def pipelined(settings):
    """A browser's head, many at a time. Returns goals, text and data."""
    with Stage() as stage:
        servers = [stage.start(server) for server in (
            peers.luttpd(stage, limits="requests = 0", routing=REDIRECT), peers.nginx(stage), peers.h2o(stage),
            peers.h2o(stage, log=False))]
        for server in servers:
            wait_for_redirect(server)
        runs = measure.rounds(servers, HeadLoad("browser.head", PIPELINED), settings)
        stage.stop()
    ratio = statistics.median(measure.ratios(runs["luttpd"], runs["nginx"], "cpu_per_request"))
    text = (servers_table(servers, runs, "cpu_per_request", 1e6, "µs/request") + "\n\n"
            + roles_table(runs["luttpd"], "requests", 1e6, "µs/request"))
    return [goal_row("CPU of a head answered by a redirect over nginx", ratio, 1.0, None)], text, runs


def codec_times():
    """[(head, bytes, ns)] of parsing and reading."""
    subprocess.run(["cmake", "--build", peers.BUILD, "--target", "bench_h1_parse"], check=True, capture_output=True)
    heads = sorted(HEADS.glob("*.head"))
    done = subprocess.run([peers.BUILD / "bench" / "bench_h1_parse", *heads], check=True, capture_output=True, text=True)
    found = re.findall(r"^(\S+) +parse and read +(\d+) bytes +([0-9.]+) ns", done.stdout, re.M)
    return [(name, int(size), float(ns)) for name, size, ns in found]


def h11_time(name):
    """Nanoseconds that h11 takes for the same head."""
    head, best = (HEADS / name).read_bytes(), float("inf")
    for _ in range(H11_ROUNDS):
        began = time.perf_counter()
        for _ in range(H11_TIMES):
            connection = h11.Connection(h11.SERVER)
            connection.receive_data(head)
            if not isinstance(connection.next_event(), h11.Request):
                raise RuntimeError(f"h11 sees no request in {name}")
        best = min(best, (time.perf_counter() - began) / H11_TIMES)
    return best * 1e9


def codec(_settings):
    """The codec alone. Returns goals, text and data."""
    times = codec_times()
    browser = next(ns for name, _, ns in times if name == "browser.head")
    rows = [[name, size, f"{ns:.0f}", f"{size / ns:.2f}", f"{h11_time(name):.0f}"] for name, size, ns in times]
    text = table(["head", "bytes", "ns", "GB/s", "ns of h11"], rows)
    return [goal_row("ns for a browser's head", browser, 500, None)], text, times
