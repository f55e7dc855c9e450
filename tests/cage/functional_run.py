# SPDX-License-Identifier: Apache-2.0
"""Everything that a server does for a living, once: what clients, owners and the admin ask of it, and
what becomes of it when a process dies. For tests that watch the processes meanwhile; answers are checked
so that nobody takes a run in which nothing worked for a complete one."""
import contextlib
import os
import signal
import subprocess
import time

from server import read_all, wait_until

ENOUGH_DESCRIPTORS = 1000
MORE_CLIENTS = 12
MANY = 3 << 20  # bytes: more than the sockets on both sides hold
SITE = """
files "/files" { dir = "public", index = { "index.html" }, cache = "1h" }
redirect { from = "/old/*", to = "/new/*", status = 301 }
errors { [404] = "404.html", [418] = function(req, res) res:text("no coffee") end }
local lib = require "lib.sum"
get "/" (function(req, res) res:text("hello from " .. site.name) end)
get "/json/:name" (function(req, res)
  res:json { name = req.params.name, query = req.query, clock = os.time() }
end)
get "/loop" (function() while true do end end)
get "/sum" (function(req, res) res:text(tostring(lib.sum(3000000))) end)
get "/error" (function() error("on purpose") end)
get "/nothing" (function() end)
get "/tea" (function(req, res) res:error(418) end)
get "/print" (function(req, res) print("said by the site") res:text("said") end)
get "/clock" (function(req, res)
  res:text(os.date("!%Y", 0) .. os.date("*t").year .. os.time { year = 2000, month = 1, day = 1 } .. os.clock())
end)
get "/memory" (function(req, res)
  local t = {}
  for i = 1, 40 do t[i] = ("x"):rep(100000 + i) end
  res:text(#table.concat(t))
end)
get "/stream" (function(req, res) for i = 1, 96 do res:write(("s"):rep(32768)) end end)
post "/count" (function(req, res)
  local bytes = 0
  for chunk in req:body() do bytes = bytes + #chunk end
  res:text(bytes)
end)
post "/form" (function(req, res) res:text(req:form().name) end)
"""
SUM = """
local M = {}
function M.sum(n)
  local total = 0
  for i = 1, n do total = total + bit.band(i, 7) end
  return total
end
return M
"""
FILES = {
    "vhost.lua": SITE, "lib/sum.lua": SUM, "public/index.html": "home", "public/404.html": "not here",
    "public/small.txt": "s" * 900, "public/sub/index.html": "below", "public/medium.bin": b"m" * 60_000,
    "public/large.bin": b"l" * MANY, "public/cold.bin": b"c" * MANY,
}
SITES = {"alice": "", "bob": "hardened = true"}


def add_sites(server):
    for name, extra in SITES.items():
        server.add_site(name, hosts=[f"{name}.test", f"*.{name}.test"], files=FILES, extra=extra, default=name == "alice")
    server.listens.append('listen { "127.0.0.1:0", processes = 2 }')
    server.statements.append("local n = 0 for i = 1, 5000000 do n = n + i end")  # until a tick of the deadline


def chill(path):
    """Out of the page cache, so that reading it waits for a disk."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def ask_plainly(server, host):
    def status(method, path, **more):
        return server.request(method, path, host=host, **more).status

    assert server.get("/", host=host).text == f"hello from {host.split('.')[0]}"
    assert server.get("/json/ann?a=b", host="deep." + host).status == 200
    assert server.get("/files/small.txt", host=host).body == b"s" * 900
    assert server.get("/files/sub/", host=host).text == "below"
    assert [status("HEAD", path) for path in ("/files/medium.bin", "/")] == [200, 200]
    assert [status("GET", path) for path in ("/files/sub", "/old/x")] == [301] * 2
    assert [status("GET", path) for path in ("/files/none", "/none", "/tea")] == [404, 404, 418]
    assert [status("GET", path) for path in ("/files/medium.bin", "/sum", "/memory", "/print", "/clock")] == [200] * 5
    assert [status("GET", path) for path in ("/error", "/nothing", "/loop")] == [500] * 3
    assert status("DELETE", "/") == 405
    assert server.request("POST", "/count", host=host, body=b"x" * 300_000).text == "300000"
    assert server.request("POST", "/form", host=host, body="name=Ann",
                          headers={"Content-Type": "application/x-www-form-urlencoded"}).text == "Ann"


def ask_for_much(server, host):
    for name, letter in (("large", b"l"), ("cold", b"c")):
        chill(server.site_directory(host.split(".")[0]) / "public" / f"{name}.bin")
        assert server.get(f"/files/{name}.bin", host=host).body == letter * MANY
    assert server.get("/stream", host=host).body == b"s" * MANY


def ask_awkwardly(server, host):
    """Bytes that no library sends so: chunks, pipelines, expectations, old versions, nonsense, and clients
    that read late, stop in the middle or have gone."""
    head = f"Host: {host}\r\n".encode()
    chunks = b"5\r\nhello\r\n" * 2000 + b"0\r\n\r\n"
    chunked = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks
    reply = server.raw(b"POST /count HTTP/1.1\r\n" + head + chunked)
    assert reply.endswith(b"10000")
    reply = server.raw((b"GET / HTTP/1.1\r\n" + head + b"\r\n") * 3)
    assert reply.count(b"200 OK") == 3
    assert server.raw(b"GET /files/small.txt HTTP/1.0\r\n" + head + b"\r\n").endswith(b"s" * 900)
    with server.connect() as client:
        client.sendall(b"POST /count HTTP/1.1\r\n" + head + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"four")
        assert b"200 OK" in client.recv(1000)
    assert b" 400 " in server.raw(b"nonsense\r\n\r\n")
    assert b" 431 " in server.raw(b"GET / HTTP/1.1\r\n" + head + b"X: " + b"y" * 40_000 + b"\r\n\r\n")
    for path in (b"/stream", b"/files/large.bin"):
        with server.connect() as late:
            late.sendall(b"GET " + path + b" HTTP/1.1\r\nConnection: close\r\n" + head + b"\r\n")
            time.sleep(0.1)
            assert len(read_all(late)) > MANY
        with server.connect() as leaves:
            leaves.sendall(b"GET " + path + b" HTTP/1.1\r\n" + head + b"\r\n")
            leaves.recv(1000)


def reopen_logs(server):
    """As logrotate does; then a log that somebody has cut short and opened up."""
    log = server.logs / "alice" / "access.log"
    wait_until(lambda: log.exists() and log.stat().st_size, "the access log")
    log.rename(log.with_suffix(".old"))
    os.kill(server.pid, signal.SIGUSR1)
    server.get("/", host="alice.test")
    wait_until(lambda: log.exists() and log.stat().st_size, "a new access log")
    log.chmod(0o600)
    log.write_text("a torn li")
    os.kill(server.pid, signal.SIGUSR1)
    server.get("/", host="alice.test")
    wait_until(lambda: log.read_bytes().startswith(b"a torn li\n"), "the torn line is ended")


def limit_descriptors(process, most):
    """The soft limit of a running process: only its own user may set it."""
    uid = str(process.uids()[0])
    subprocess.run(["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "prlimit", "--pid", str(process.pid),
                    f"--nofile={most}:"], check=True)


def exhaust_descriptors(server):
    """A listener without a free number sends a client away or lets it wait, and serves when it has one again."""
    listener = server.process("listener", "0")
    used = set(listener.descriptors())
    limit_descriptors(listener, min(set(range(len(used) + 1)) - used))
    with contextlib.ExitStack() as clients:  # the first ones find the numbers of connections that have just closed
        for _ in range(MORE_CLIENTS):
            clients.enter_context(server.connect())
        time.sleep(0.3)
    limit_descriptors(listener, ENOUGH_DESCRIPTORS)
    wait_until(lambda: answers(server), "there is room again")


def pause(server):
    """SIGSTOP and SIGCONT of everybody: what was interrupted goes on."""
    for process in server.processes()[1:]:
        process.kill(signal.SIGSTOP)
        process.kill(signal.SIGCONT)
    wait_until(lambda: answers(server), "everybody goes on")


def bury(server):
    """kill -9 of each kind of process, and life afterwards."""
    for role, label in (("vhost", "alice"), ("router", None), ("logger", None), ("listener", None)):
        victim = server.process(role, label)
        victim.kill()
        server.wait_for_successor(victim)
        wait_until(lambda: answers(server), f"{role} is back")


def answers(server):
    try:
        return server.get("/", host="alice.test").status == 200 and server.get("/", host="bob.test").status == 200
    except OSError:
        return False


def run(server):
    """All of it; the server serves already, and is stopped at the end."""
    for host in ("alice.test", "bob.test"):
        ask_plainly(server, host)
        ask_for_much(server, host)
        ask_awkwardly(server, host)
    reopen_logs(server)
    pause(server)
    exhaust_descriptors(server)
    bury(server)
    with server.connect() as kept:
        kept.sendall(b"GET / HTTP/1.1\r\nHost: bob.test\r\n\r\n")
        assert kept.recv(1000).startswith(b"HTTP/1.1 200 ")
        assert server.stop() == 0
        assert kept.recv(1000) == b""
