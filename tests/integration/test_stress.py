# SPDX-License-Identifier: Apache-2.0
"""Rude clients of every kind while processes are killed: the listener lives, keeps nothing, and whoever
is not concerned notices nothing.

A few seconds in the suite; LUTTPD_STRESS_SECONDS=600 (make soak) for longer. LUTTPD_STRESS_SEED repeats
the choices of a run, though not its timing.
"""
import contextlib
import os
import random
import re
import socket
import struct
import threading
import time

import pytest

from server import SANITIZED, wait_until
from stage import cpu_s, fd_count

SECONDS = float(os.environ.get("LUTTPD_STRESS_SECONDS", "8"))
SEED = int(os.environ.get("LUTTPD_STRESS_SEED", random.SystemRandom().randrange(2**32)))
RUDE_CLIENTS, STEADY_CLIENTS = 12, 3
BIG = os.urandom(1 << 20) * 3
SMALL = b"s" * 1000
VHOST = """
files "/files" { dir = "public" }
get "/text" (function(req, res) res:text(("t"):rep(2000)) end)
get "/stream" (function(req, res) for i = 1, 40 do res:write(("x"):rep(5000)) end end)
get "/busy" (function(req, res) local n = 0 for i = 1, 1e6 do n = n + i % 3 end res:text(tostring(n)) end)
get "/error" (function(req, res) error "on purpose" end)
get "/late" (function(req, res) res:write(("x"):rep(20000)) error "on purpose" end)
get "/headers" (function(req, res) for i = 1, 60 do res:header("x-" .. i, ("v"):rep(200)) end res:text "h" end)
post "/echo" (function(req, res) for chunk in req:body() do res:write(chunk) end end)
post "/count" (function(req, res)
  local n = 0
  for chunk in req:body() do n = n + #chunk end
  res:text(tostring(n))
end)
post "/ignore" (function(req, res) res:text "did not read it" end)
redirect { from = "/old/*", to = "/text", status = 301 }
"""
PATHS = [b"/text", b"/stream", b"/busy", b"/error", b"/late", b"/headers", b"/files/small.txt", b"/files/big.bin",
         b"/files/none", b"/old/x", b"/", b"/%2e%2e/x", b"/files/" + b"n" * 3000]
METHODS = [b"GET"] * 8 + [b"HEAD"] * 3 + [b"DELETE", b"OPTIONS", b"POST", b"BREW"]
HOSTS = [b"mortal.test"] * 6 + [b"steady.test", b"x.mortal.test", b"nobody.test", b"[::1]:80", b"bad host"]


def get(dice):
    fields = b"".join(b"X-%d: %s\r\n" % (i, b"f" * dice.randrange(600)) for i in range(dice.choice([0, 0, 0, 3, 20])))
    if dice.random() < 0.1:
        fields += b"Connection: close\r\n"
    version = dice.choice([b"1.1", b"1.1", b"1.1", b"1.0"])
    return b"%s %s HTTP/%s\r\nHost: %s\r\n%s\r\n" % (
        dice.choice(METHODS), dice.choice(PATHS), version, dice.choice(HOSTS), fields)


def chunked(dice, data):
    parts = []
    while data:
        n = dice.randrange(1, 9000)
        parts.append(b"%x%s\r\n%s\r\n" % (len(data[:n]), dice.choice([b"", b";x=y"]), data[:n]))
        data = data[n:]
    return b"".join(parts) + b"0\r\n" + dice.choice([b"", b"T: x\r\n"]) + b"\r\n"


def post(dice):
    data = bytes(dice.choice([0, 1, 100, 20000, 200000]))
    expect = dice.choice([b"", b"", b"Expect: 100-continue\r\n"])
    head = b"POST %s HTTP/1.1\r\nHost: mortal.test\r\n%s" % (dice.choice([b"/echo", b"/count", b"/ignore", b"/text"]), expect)
    if dice.random() < 0.5:
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(dice, data)
    return head + b"Content-Length: %d\r\n\r\n" % len(data) + data


def garbage(dice):
    return dice.choice([b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
                        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n" * 50, b"A" * 30000, bytes(100), post(dice)[:-7],
                        b"POST /echo HTTP/1.1\r\nHost: mortal.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeXX"])


def request(dice):
    return dice.choices([get, post, garbage], [6, 3, 1])[0](dice)


class Rude(threading.Thread):
    """Sends what it likes as it likes, reads or not, and leaves without a word."""

    def __init__(self, server, number, end):
        super().__init__(daemon=True)
        self.server, self.dice, self.end, self.visits = server, random.Random(SEED + number), end, 0
        self.start()

    def run(self):
        while time.monotonic() < self.end:
            with contextlib.suppress(OSError):
                self.visit()
            self.visits += 1

    def visit(self):
        dice = self.dice
        with self.server.connect(timeout=dice.choice([0.02, 0.02, 0.1, 1])) as client:
            narrow = dice.random() < 0.3
            if narrow:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            most = 50000 if narrow else 1 << 22  # the kernel passes little at a time, and seldom
            for _ in range(dice.choice([1, 1, 2, 5])):
                self.send(client, b"".join(request(dice) for _ in range(dice.choice([1, 1, 1, 3, 20]))))
                self.read(client, dice.choice([0, 100, 5000, 100000, most]))
            if dice.random() < 0.3:
                client.shutdown(socket.SHUT_WR)
                self.read(client, most)
            if dice.random() < 0.5:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def send(self, client, data):
        if self.dice.random() < 0.3:
            data = data[:self.dice.randrange(len(data))]
        if self.dice.random() < 0.6:
            client.sendall(data)
            return
        while data:
            n = self.dice.choice([1, 7, 100, 1500, 40000])
            client.sendall(data[:n])
            data = data[n:]
            if self.dice.random() < 0.05:
                time.sleep(self.dice.random() * 0.01)

    def read(self, client, most):
        step = self.dice.choice([10, 1000, 100000])
        while most > 0 and time.monotonic() < self.end:
            part = client.recv(min(step, most))
            if not part:
                return
            most -= max(len(part), 500)
            if self.dice.random() < 0.02:
                time.sleep(self.dice.random() * 0.05)


class Steady(threading.Thread):
    """Asks the site that nobody kills; every answer must be the right one."""

    EXPECTED = {"/text": b"t" * 2000, "/stream": b"x" * 200000, "/files/small.txt": SMALL, "/files/big.bin": BIG}

    def __init__(self, server, number, end):
        super().__init__(daemon=True)
        self.server, self.dice, self.end = server, random.Random(SEED - number), end
        self.answers, self.failures = 0, []
        self.start()

    def run(self):
        while time.monotonic() < self.end:
            path = self.dice.choice(list(self.EXPECTED))
            try:
                reply = self.server.get(path, host="steady.test")
                if reply.status != 200 or reply.body != self.EXPECTED[path]:
                    self.failures.append((path, reply.status, len(reply.body)))
            except OSError as error:
                self.failures.append((path, repr(error)))
            self.answers += 1


def kill_now_and_then(server, end):
    dice, kills = random.Random(SEED), 0
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.05, 1))
        role, label = dice.choice([("vhost", "mortal"), ("vhost", "mortal"), ("router", None), ("logger", None)])
        process = server.process(role, label)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
                kills += 1
    return kills


def assert_clean(server):
    """No sanitizer has spoken, nobody but those killed has died, no honest process was accused."""
    report = re.search(r"(AddressSanitizer|LeakSanitizer|UndefinedBehavior|runtime error:|must be).*", server.stderr)
    assert report is None, server.stderr[report.start() - 500:report.start() + 4000]
    assert "broke a rule" not in server.stderr and "broke the rules" not in server.stderr, server.stderr
    deaths = set(re.findall(r"^luttpd: \w+: (\w+(?: \w+)?)\[\d+\]: ended", server.stderr, re.MULTILINE))
    assert deaths <= {"vhost mortal", "router", "logger"}, server.stderr


@pytest.fixture
def crowded(server):
    for name in ("steady", "mortal"):
        server.add_site(name, hosts=[f"{name}.test", f"*.{name}.test"],
                        files={"vhost.lua": VHOST, "public/small.txt": SMALL, "public/big.bin": BIG})
    server.start()
    for name in ("steady", "mortal"):
        assert server.get("/text", host=f"{name}.test").status == 200
    return server


def test_rude_clients_while_processes_die(crowded):
    server, listener = crowded, crowded.process("listener")
    print(f"seed {SEED}")
    time.sleep(0.3)
    before = fd_count(listener)
    end = time.monotonic() + SECONDS
    rude = [Rude(server, number, end) for number in range(RUDE_CLIENTS)]
    steady = [Steady(server, number, end) for number in range(STEADY_CLIENTS)]
    kills = kill_now_and_then(server, end)
    for client in rude + steady:
        client.join(60)
        assert not client.is_alive(), f"{client} waits for ever"
    print(f"{sum(client.visits for client in rude)} visits, {sum(client.answers for client in steady)} answers, {kills} kills")
    assert [failure for client in steady for failure in client.failures] == []
    assert_clean(server)
    assert server.process("listener").pid == listener.pid
    assert sum(client.visits for client in rude) > SECONDS * 2 and kills > 0
    assert all(client.answers > SECONDS / 2 for client in steady)
    wait_until(lambda: server.get("/text", host="mortal.test").status == 200, "the mortal site is back", pause=0.2)
    wait_until(lambda: fd_count(listener) <= before + 1, f"{before} descriptors again, not {listener.descriptors()}")
    busy = cpu_s(listener)
    time.sleep(1)
    assert cpu_s(listener) - busy < (0.3 if SANITIZED else 0.1), "the listener is idle"
    assert server.stop() == 0
    assert_clean(server)
