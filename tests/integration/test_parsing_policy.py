# SPDX-License-Identifier: Apache-2.0
"""parsing.lua through the whole server: data, grammars, the hook and its budgets, tags, reloads."""
import json
import os
import re
import signal
import socket
import threading
import time

import pytest

from server import PATIENCE, SANITIZED, wait_until

ECHO = """any "/*" (function(req, res)
  local x = req.headers
  res:text(("%s|%s|%s"):format(x["luttpd-bot"] or "none", x["x-debug"] or "none", x["x-kept"] or "none"))
end)
"""


class Site:
    """A server whose one listener has a parsing policy that a test may change."""

    def __init__(self, server):
        self.server, self.epoch = server, 1
        server.add_site("main", hosts=["main.test", "other.test"], default=True, files={"vhost.lua": ECHO})
        server.statements.append('parsing "parsing.lua"')

    def policy(self, text):
        (self.server.directory / "parsing.lua").write_text(text)
        return self

    def start(self, text):
        self.policy(text).server.start()
        return self

    def hang_up(self, text):
        self.policy(text).server.child.send_signal(signal.SIGHUP)

    def reload(self, text):
        self.hang_up(text)
        self.epoch += 1
        wait_until(lambda: f"policies reloaded, epoch {self.epoch}" in self.server.stderr, "the reload")

    def status(self, path, method="GET", host="main.test", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.request(method, path, host, headers=names).status

    def text(self, path="/", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self.server.get(path, "main.test", headers=names)
        assert reply.status == 200
        return reply.text

    def errors(self):
        return "".join(path.read_text() for path in self.server.logs.glob("_server/error.log"))


@pytest.fixture(name="site")
def fixture_site(server):
    return Site(server)


# Data ------------------------------------------------------------------------------------------------


def test_without_a_policy_of_ones_own_everything_but_trace_goes(server):
    server.add_site("main", default=True, files={"vhost.lua": ECHO})
    server.start()
    assert server.get("/").status == 200
    assert server.request("BREW", "/").status == 200
    refused = server.request("TRACE", "/")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")


def test_methods(site):
    site.start('methods { "GET", "PURGE" }')
    assert [site.status("/", method) for method in ("GET", "PURGE", "HEAD", "POST", "BREW")] == [200, 200, 405, 405, 501]
    assert site.server.request("DELETE", "/", "main.test").headers["allow"] == "GET, PURGE"


def test_fields(site):
    site.start("""
        field "authorization" { required = 401 }
        field "x-debug" { remove = true }
        field "X-Long" { max = "4B" }
        field "x-id" { once = true }
    """)
    assert site.status("/") == 401
    assert site.status("/", authorization="") == 401
    assert site.text(authorization="a", x_debug="1", x_kept="2") == "none|none|2"
    assert site.status("/", authorization="a", x_long="1234") == 200
    assert site.status("/", authorization="a", X_LONG="12345") == 431
    lines = b"GET / HTTP/1.1\r\nHost: main.test\r\nAuthorization: a\r\nConnection: close\r\nX-Id: 1\r\n"
    assert site.server.raw(lines + b"\r\n").startswith(b"HTTP/1.1 200 ")
    assert site.server.raw(lines + b"x-iD: 1\r\n\r\n").startswith(b"HTTP/1.1 400 ")


RULES = """
reject { status = 403, field = { ["User-Agent"] = { contains = { "badbot", "Evil Crawler" } } } }
reject { status = 401, path = { prefix = "/api/" }, field = { authorization = "absent" } }
reject { status = 404, path = { suffix = { ".php", ".asp" }, contains = "wp-" } }
reject { status = 410, path = { equals = "/gone" }, unless = { field = { ["x-old"] = "present" }, query = { equals = "really" } } }
reject { status = 405, method = { equals = "PUT" }, host = { suffix = "OTHER.test" } }
reject { status = 418, query = { prefix = "Tea=" } }
reject { status = 400, path = lpeg.P "/g" * lpeg.R "09" ^ 1 * -1 }
reject { status = 406, field = { accept = lpeg.P "x/" }, path = { prefix = "/a" } }
"""

REJECTED = [
    (200, "/", {}), (403, "/", {"User_Agent": "a BADBOT/1"}), (403, "/", {"User_Agent": "evil crawler"}),
    (200, "/", {"User_Agent": "bad bot"}), (401, "/api/x", {}), (401, "/%61pi/x", {}), (401, "/x/..//api/./x", {}),
    (401, "/api/x", {"authorization": ""}), (200, "/api/x", {"authorization": "t"}), (200, "/api", {}),
    (404, "/a/wp-x.php", {}), (404, "/wp-.asp?q", {}), (200, "/a.php", {}), (200, "/wp-x.PHP", {}),
    (410, "/gone", {}), (410, "/gone?not", {}), (200, "/gone?really", {}), (200, "/gone", {"x_old": "1"}), (200, "/gone/x", {}),
    (405, "/", {"method": "PUT", "host": "Other.Test"}), (200, "/", {"method": "PUT"}), (200, "/", {"host": "other.test"}),
    (418, "/?Tea=1", {}), (200, "/?tea=1", {}), (200, "/Tea=1", {}),
    (400, "/g12", {}), (200, "/g12x", {}), (200, "/g", {}), (406, "/a", {"accept": "x/y"}), (200, "/b", {"accept": "x/y"}),
]


def test_rules(site):
    site.start(RULES)
    wrong = [(status, path, more) for status, path, more in REJECTED if site.status(path, **more) != status]
    assert wrong == []


def test_limits_and_paths(site):
    site.server.listens.append('listen { "127.0.0.1:0", limits = { body = "8B" } }')
    site.start('limits { head = "512B", body = "4B", fields = 4 } paths { utf8 = "require", encoded_slash = "keep" }')
    assert site.status("/" + "x" * 600) == 431
    assert site.server.request("POST", "/", "main.test", body=b"12345").status == 413
    assert site.server.request("POST", "/", "main.test", body=b"1234").status == 200
    assert site.status("/%ff") == 400
    assert site.status("/a%2Fb") == 200
    own_port = int(site.server.addresses[1].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", own_port), timeout=PATIENCE) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: main.test\r\nContent-Length: 8\r\nConnection: close\r\n\r\n12345678")
        assert connection.recv(99).startswith(b"HTTP/1.1 200 ")  # what listen says goes first


# The hook --------------------------------------------------------------------------------------------


def test_hook_accepts_answers_and_tags(site):
    site.start("""
        on_head(function(head)
          if head.path == "/no" then return 403, "Not for <crawlers>." end
          if head.path == "/login" then return 303, "https://id.example/?from=" .. head.host end
          if head.path == "/facts" then
            return 400, table.concat({ head.method, head.query, head.address, head.scheme, head.headers["X-Kept"] }, " ")
          end
          head:tag("bot", head.headers["user-agent"] and "no" or "maybe")
        end)
    """)
    assert site.text() == "maybe|none|none"
    assert site.text(user_agent="x") == "no|none|none"
    refused = site.server.get("/no", "main.test", headers={"Accept": "application/json"})
    assert refused.status == 403 and json.loads(refused.text)["detail"] == "Not for <crawlers>."
    page = site.server.get("/no", "main.test", headers={"Accept": "text/html"})
    assert "<crawlers>" not in page.text and "crawlers" in page.text
    redirect = site.server.get("/login", "main.test")
    assert (redirect.status, redirect.headers["location"]) == (303, "https://id.example/?from=main.test")
    facts = site.server.get("/facts?q=1", "main.test", headers={"Accept": "application/json", "X-Kept": "k"})
    assert '"GET q=1 127.0.0.1 http k"' in facts.text


def test_tags_cannot_be_forged(site):
    site.start("""
        on_head(function(head)
          if head.headers["luttpd-bot"] then return 500 end
          if head.path == "/tagged" then head:tag("bot", "ours") end
        end)
    """)
    assert site.text(luttpd_bot="forged") == "none|none|none"
    assert site.text("/tagged", luttpd_bot="forged") == "ours|none|none"
    raw = b"GET /tagged HTTP/1.1\r\nHost: main.test\r\nLUTTPD-Bot: a\r\nluttpd-bot: b\r\nConnection: close\r\n\r\n"
    assert b"ours|none|none" in site.server.raw(raw)


def test_request_whose_fields_leave_no_room_for_a_tag_is_refused(site):
    site.start('on_head(function(head) head:tag("bot", "x") end)')
    full = "".join(f"x-{i}: 1\r\n" for i in range(127)).encode()
    assert site.server.raw(b"GET / HTTP/1.1\r\nHost: main.test\r\n" + full + b"\r\n").startswith(b"HTTP/1.1 431 ")
    assert site.text() == "x|none|none"


def test_error_in_the_hook_is_a_logged_500(site):
    site.start('on_head(function(head) if head.path == "/boom" then error("so it is") end end)')
    broken = site.server.get("/boom", "main.test", headers={"Accept": "application/json"})
    assert broken.status == 500 and "so it is" not in broken.text
    (request,) = re.findall(r'"request":"([0-9a-f]{16})"', broken.text)
    wait_until(lambda: f"request {request}: parsing policy: parsing.lua:1: so it is" in site.errors(), "the error log")
    wait_until(lambda: f"request {request}: parsing policy: parsing.lua:1: so it is" in site.server.stderr, "master's line")
    assert site.status("/") == 200


def test_hook_that_prints_is_heard(site):
    site.start('on_head(function(head) print("saw " .. head.path) end)')
    assert site.status("/here") == 200
    wait_until(lambda: "saw /here" in site.errors(), "what it printed")


def cpu_seconds(process):
    user, system = (process.proc / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def ask_until(stop, site, took):
    """How long each request on one kept connection took, in seconds."""
    with site.server.connect() as connection:
        while not stop.is_set():
            before = time.monotonic()
            connection.sendall(b"GET /calm HTTP/1.1\r\nHost: main.test\r\n\r\n")
            assert exact(connection, b"none|none|none").startswith(b"HTTP/1.1 200 ")
            took.append(time.monotonic() - before)


def exact(connection, end):
    """What comes until it ends with these bytes."""
    data = b""
    while not data.endswith(end):
        data += connection.recv(4096) or pytest.fail("the connection was closed")
    return data


def test_endless_hook_costs_others_a_moment(site):
    site.start('on_head(function(head) if head.path == "/loop" then while true do end end end)')
    listener = site.server.process("listener")
    stop, took = threading.Event(), []
    calm = threading.Thread(target=ask_until, args=(stop, site, took))
    calm.start()
    before = cpu_seconds(listener)
    for _ in range(10):
        assert site.status("/loop") == 500
    spent = cpu_seconds(listener) - before
    stop.set()
    calm.join()
    assert site.server.process("listener").pid == listener.pid
    assert len(took) >= 5 and max(took) < 2  # however busy the machine is; 10 ms of CPU each
    assert SANITIZED or spent < 10 * 0.05


def test_memory_bomb_in_the_hook_is_its_request_s_500(site):
    site.start("""
        on_head(function(head)
          if head.path == "/bomb" then local s = head.path while true do s = s .. s end end
        end)
    """)
    listener = site.server.process("listener")
    for _ in range(20):
        assert site.status("/bomb") == 500
        assert site.status("/") == 200
    assert site.server.process("listener").pid == listener.pid
    resident = int(listener.status()["VmRSS"].split()[0])
    assert SANITIZED or resident < 64 * 1024


def test_grammar_that_never_ends_ends_the_listener(site):
    site.start("""
        local V, P = lpeg.V, lpeg.P
        local slow = P { P "/slow" * V "S", S = V "A" * P "x" * V "S" + V "A" * P "y" + V "A",
          A = P "a" * V "A" * P "b" + P "a" * V "A" * P "c" + P "a" * V "A" * P "d" + P "" }
        reject { status = 400, path = slow }
    """)
    listener = site.server.process("listener")
    assert site.status("/") == 200
    with site.server.connect() as connection:
        connection.sendall(f"GET /slow{'a' * 40} HTTP/1.1\r\nHost: main.test\r\n\r\n".encode())
        assert connection.recv(99) == b""
    site.server.wait_for_successor(listener)
    wait_until(lambda: "ended by its deadline" in site.server.stderr, "master's reason")
    wait_until(lambda: site.status("/") == 200, "the next listener")


# Reloads ---------------------------------------------------------------------------------------------


def test_request_that_has_begun_keeps_its_policy(site):
    site.start("")
    with site.server.connect() as half, site.server.connect() as idle:
        half.sendall(b"GET /" + b"x" * 600 + b" HTTP/1.1\r\nHo")
        time.sleep(0.1)
        site.reload('limits { head = "512B" } reject { status = 403, path = { prefix = "/x" } }')
        assert site.status("/x") == 403
        half.sendall(b"st: main.test\r\n\r\n")
        assert exact(half, b"none|none|none").startswith(b"HTTP/1.1 200 ")
        half.sendall(b"GET /x HTTP/1.1\r\nHost: main.test\r\n\r\n")
        assert half.recv(99).startswith(b"HTTP/1.1 403 ")
        idle.sendall(b"GET /" + b"y" * 600 + b" HTTP/1.1\r\nHost: main.test\r\n\r\n")
        assert idle.recv(99).startswith(b"HTTP/1.1 431 ")


def test_reloads_swap_hooks(site):
    site.start("on_head(function(head) return 401 end)")
    assert site.status("/") == 401
    for status in (402, 403, 404):
        site.reload(f"local n = {status} on_head(function(head) return n end)")
        assert site.status("/") == status
    site.reload("")
    assert site.status("/") == 200


def test_script_that_a_listener_cannot_run_changes_nothing(site):
    """Config has two seconds, a listener a fifth of one."""
    site.start("on_head(function(head) return 401 end)")
    site.hang_up("local n = 0 for i = 1, 6e7 do n = n + i % 7 end on_head(function(head) return 402 end)")
    wait_until(lambda: "more than 200 ms of CPU time" in site.server.stderr, "the reason")
    assert site.status("/") == 401


def test_mistakes_are_named_with_their_line(site):
    site.policy('methods { "GET" }\nreject { status = 403, paht = { prefix = "/a" } }').server.write_configuration()
    done = site.server.command("check", "-c", site.server.configuration)
    assert done.returncode == 3
    assert 'parsing.lua:2: reject.paht: unknown name "paht": did you mean "path"?' in done.stdout + done.stderr
