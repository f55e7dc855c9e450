# SPDX-License-Identifier: Apache-2.0
"""routing.lua through the whole server: every action, how far answers are reused, reloads, mistakes."""
import collections
import http.client
import re
import signal
import socket
import time

import pytest

from server import PATIENCE, ROOT, Reply, read_all, wait_until

NAME = 'any "/*" (function(req, res) res:text(site.name) end)\n'


class Site:
    """A server with a routing policy that a test may change."""

    def __init__(self, server, names=("main", "next", "blog")):
        self.server = server
        for name in names:
            server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": NAME})
        server.statements.append('routing "routing.lua"')
        self.epoch = 1

    def policy(self, text):
        (self.server.directory / "routing.lua").write_text(text)
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

    def get(self, url, headers=None, source="127.0.0.1"):
        host, _, path = url.partition("/")
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE, source_address=(source, 0))
        try:
            connection.request("GET", "/" + path, headers={"Host": host, **(headers or {})})
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def names(self, cases):
        """Each (url, who answers), twice: as asked of the router, then as remembered."""
        for _ in range(2):
            for url, name in cases:
                reply = self.get(url)
                assert (reply.text if reply.status == 200 else reply.status) == name, url

    def errors(self):
        """The server's own error log."""
        return "".join(path.read_text() for path in self.server.logs.rglob("error*"))

    def asked(self, url, headers=None):
        """Whether the router was asked: while it stands still, only what is remembered is answered."""
        router = self.server.process("router")
        router.kill(signal.SIGSTOP)
        try:
            with self.server.connect() as connection:
                host, _, path = url.partition("/")
                lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
                connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n{lines}Connection: close\r\n\r\n".encode())
                connection.settimeout(0.4)
                return not read_all(connection)
        except TimeoutError:
            return True
        finally:
            router.kill(signal.SIGCONT)


@pytest.fixture(name="site")
def fixture_site(server):
    return Site(server)


# Data ------------------------------------------------------------------------------------------------


def test_hosts_and_prefixes(site):
    site.start("""
        route "shop.test" { to = "main" }
        route "shop.test/blog" { to = "blog" }
        route "shop.test/blog/admin/new" { to = "next" }
        route "*.wild.test" { to = "next" }
        route ".suffix.test" { to = "blog" }
        route "main.test/blog" { to = "blog" }
        route "*/status" { answer = 200, text = "fine" }
    """)
    site.names([
        ("shop.test/", "main"), ("shop.test/blogger", "main"), ("shop.test/blog", "blog"), ("shop.test/blog/x", "blog"),
        ("shop.test/blog/admin", "blog"), ("shop.test/blog/admin/new/y", "next"), ("shop.test//blog/../blog/x", "blog"),
        ("shop.test/b%6cog", "blog"), ("a.wild.test/", "next"), ("wild.test/", 404), ("suffix.test/", "blog"),
        ("a.b.suffix.test/x", "blog"), ("main.test/", "main"), ("main.test/blog", "blog"), ("next.test/y", "next"),
        ("nobody.test/", 404), ("SHOP.test./blog", "blog"),
    ])
    assert b"fine" in site.get("nobody.test/status/x").body
    assert not site.asked("shop.test/blog/x/other") and not site.asked("a.wild.test/")
    assert site.asked("shop.test/blog/unheard-of/x")


def test_redirects_keep_the_path_and_the_host(site):
    site.start("""
        route "old.test" { redirect = "https://new.test/", status = 301, keep_path = true }
        route "old.test/moved" { redirect = "/elsewhere", status = 308, keep_path = true }
        route "old.test/plain" { redirect = "https://new.test/there?x=y" }
    """)
    for _ in range(2):
        for url, status, location in [
                ("old.test/", 301, "https://new.test/"), ("old.test/a/b?c=d%20e", 301, "https://new.test/a/b?c=d%20e"),
                ("old.test//evil.test/x", 301, "https://new.test/evil.test/x"),
                ("old.test/a%0d%0aSet-Cookie:x", 400, None), ("old.test/%22%3cx%3e%25", 301, "https://new.test/%22%3Cx%3E%25"),
                ("old.test/moved", 308, "/elsewhere"), ("old.test/moved//evil.test", 308, "/elsewhere/evil.test"),
                ("old.test/plain/x?y", 302, "https://new.test/there?x=y"),
                ("old.test/m%C3%BCll?%22%3c", 301, "https://new.test/m%C3%BCll?%22%3c")]:
            reply = site.get(url)
            assert (reply.status, reply.headers["location"]) == (status, location), url
    long = "old.test/" + "%7f".replace("7f", "E9") * 2600 + "?" + "q" * 200
    assert site.get(long).status in (301, 400, 414)


def test_maintenance_with_exceptions(site):
    site.start("""
        route "shop.test" { to = "main" }
        route "shop.test/till" { answer = 503, text = "Back at <noon>.", retry = "1h", except = { addresses = { "127.0.0.2" } } }
        route "shop.test/till/open" { answer = 410 }
    """)
    for _ in range(2):
        reply = site.get("shop.test/till/x")
        assert (reply.status, reply.headers["retry-after"]) == (503, "3600")
        assert b"Back at &lt;noon&gt;." in reply.body
        assert site.get("shop.test/till/x", source="127.0.0.2").text == "main"
        assert site.get("shop.test/till/open", source="127.0.0.2").status == 410
        assert site.get("shop.test/x").text == "main"


def test_cookie_and_field_select(site):
    site.start("""
        route "shop.test" { cookie = "canary", values = { on = "next" }, to = "main" }
        route "shop.test/api" { field = "x-tenant", values = { blog = "blog", ["next"] = "next" }, to = "main" }
    """)
    for _ in range(2):
        for url, headers, name in [  # cookies that are too large for a question are narrowed down to the one that counts
                ("shop.test/", {"Cookie": "big=" + "x" * 3000 + "; canary=on"}, "next"),
                ("shop.test/", {"Cookie": "big=" + "x" * 3000 + "; canary=" + "x" * 65}, "main"),
                ("shop.test/", {"Cookie": "big=" + "x" * 3000}, "main"),
                ("shop.test/", {}, "main"), ("shop.test/", {"Cookie": "canary=on"}, "next"),
                ("shop.test/", {"Cookie": "a=b; canary=on; c=d"}, "next"), ("shop.test/", {"Cookie": "canary=off"}, "main"),
                ("shop.test/", {"Cookie": "canary="}, "main"), ("shop.test/", {"Cookie": "xcanary=on"}, "main"),
                ("shop.test/", {"Cookie": "canary=off; canary=on"}, "main"),
                ("shop.test/", {"Cookie": "canary=" + "x" * 100}, "main"),
                ("shop.test/", {"Cookie": "canary=on; big=x"}, "next"),
                ("shop.test/api", {"X-Tenant": "blog"}, "blog"), ("shop.test/api/x", {"X-Tenant": "next"}, "next"),
                ("shop.test/api/x", {"X-Tenant": "other", "Cookie": "canary=on"}, "main")]:
            assert site.get(url, headers).text == name, (url, headers)
    assert not site.asked("shop.test/", {"Cookie": "canary=on; new=1"})
    assert site.asked("shop.test/", {"Cookie": "canary=never"})


def test_split_is_even_and_sticks_over_listener_processes(site):
    site.server.listens = ['listen { "127.0.0.1:0", processes = 2 }']
    site.start("""
        route "shop.test" { split = { main = 75, next = 25 } }
        route "each.test" { split = { main = 1, next = 1 }, by = "request" }
    """)
    first = {f"127.0.{n // 250}.{n % 250 + 1}": None for n in range(400)}
    for source in first:
        first[source] = site.get("shop.test/", source=source).text
    share = collections.Counter(first.values())["next"] / len(first)
    assert 0.15 < share < 0.35, share
    for source, name in list(first.items())[::4]:
        for _ in range(4):  # the kernel gives them to either process
            assert site.get("shop.test/x", source=source).text == name
    each = collections.Counter(site.get("each.test/").text for _ in range(200))
    assert min(each.values()) > 60 and len(each) == 2, each


# Functions ---------------------------------------------------------------------------------------------


def test_function_decides_and_says_how_far(site):
    site.start("""
        route "f.test" { vhosts = { "main", "next" }, fields = { "accept-language" }, decide = function(request)
          if request.path == "/nobody" then return nil end
          if request.path == "/login" then return { redirect = "/in", status = 303 }, { reuse = "path" } end
          if request.query == "down" then return { answer = 503, text = request.address, retry = "2s" } end
          if request.cookies.who == "n" then return "next" end
          if request.headers["accept-language"] == "de" then return "next" end
          return "main"
        end }
        local count = 0
        route "count.test" { decide = function() count = count + 1 return { answer = 200, text = "n" .. count } end }
        route "held.test" { decide = function() count = count + 1 return { answer = 200, text = "n" .. count }, { reuse = "host", time = "1s" } end }
    """)
    for _ in range(2):
        assert site.get("f.test/").text == "main"
        assert site.get("f.test/nobody").status == 404
        assert site.get("f.test/login").headers["location"] == "/in"
        reply = site.get("f.test/?down")
        assert (reply.status, reply.headers["retry-after"]) == (503, "2") and b"127.0.0.1" in reply.body
        assert site.get("f.test/", {"Cookie": "who=n"}).text == "next"
        assert site.get("f.test/", {"Accept-Language": "de"}).text == "next"
    assert not site.asked("f.test/login") and site.asked("f.test/")
    def number(url):
        return re.search(rb"<p>n(\d+)</p>", site.get(url).body)[1]

    assert len({number("count.test/") for _ in range(3)}) == 3
    held = {number(f"held.test/{n}") for n in range(3)}
    assert len(held) == 1
    time.sleep(1.1)
    assert number("held.test/") not in held


@pytest.mark.parametrize("body, reason", [
    ("error 'no'", "routing.lua:1: no"), ("return request.nothing.more", "routing.lua:1: attempt to index"),
    ("while true do end", "routing.lua:1:"), ("return 'blog'", 'routing.lua:1: the function of route "bad.test" returned "blog"'),
    ("local t = {} for i = 1, 1e9 do t[i] = i .. 'x' end", "routing.lua:1:"),
    ("return { redirect = '/a\\r\\nb' }", "no spaces"), ("local s = ('x'):rep(1e9) return s", "routing.lua:1:"),
    ("return { answer = 200, text = ('x'):rep(600) }", "more than 512 bytes"),
    ("pcall(function() while true do end end) return 'main'", "routing.lua:1:")])
def test_failing_function_costs_its_request_only(site, body, reason):
    site.start('route "bad.test" { vhosts = { "main" }, decide = function(request) %s end }\n' % body)
    router = site.server.process("router")
    reply = site.get("bad.test/")
    assert reply.status == 500 and b"routing" not in reply.body
    assert site.get("main.test/").text == "main"
    assert site.get("bad.test/again").status == 500
    wait_until(lambda: reason in site.errors(), "the reason in the log")
    assert "bad.test" in site.errors()
    assert site.server.process("router").pid == router.pid


def test_grammar_without_end_costs_the_router_and_nobody_else(site):
    """C code that no deadline interrupts: the process ends, and its successor answers the others."""
    site.start("""
        local P, V = lpeg.P, lpeg.V
        local slow = P { "S", S = P "a" * V "S" * V "S" + P "a" * V "S" + P "a" } * -1
        route "bad.test" { decide = function(request) slow:match(("a"):rep(40) .. "b") return nil end }
    """)
    router = site.server.process("router")
    with site.server.connect() as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: bad.test\r\n\r\n")
        site.server.wait_for_successor(router)
    assert site.get("main.test/").text == "main"


def test_looping_function_does_not_starve_the_others(site):
    """Sixty requests of it at once: another host is routed before they are through."""
    site.start('route "bad.test" { decide = function() while true do end end }\n')
    waiting = [site.server.connect() for _ in range(60)]
    for connection in waiting:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: bad.test\r\n\r\n")
    assert site.get("main.test/").text == "main"
    for connection in waiting:
        connection.settimeout(20)
        assert connection.recv(64).startswith(b"HTTP/1.1 500 ")
        connection.close()


def test_flood_of_large_questions_from_one_client(site):
    """Heads of 9 KB with every field that the policy wants: bounded questions, everybody answered."""
    fields = ", ".join(f'"f{n}"' for n in range(7))
    site.start('route "f.test" { vhosts = { "main" }, fields = { %s }, decide = function(request) return "main" end }\n' % fields)
    lines = "".join(f"f{n}: {'x' * 280}\r\n" for n in range(7)) * 4 + "cookie: " + "c" * 600 + "\r\n"
    head = f"GET /{'p' * 1000}?{'q' * 2100} HTTP/1.1\r\nHost: f.test\r\n{lines}\r\n".encode()
    assert len(head) > 9000
    connections = [site.server.connect() for _ in range(40)]
    for _ in range(5):
        for connection in connections:
            connection.sendall(head)
        for connection in connections:
            connection.settimeout(20)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    for connection in connections:
        connection.close()
    assert "cut off" not in site.server.stderr


# Reloads -----------------------------------------------------------------------------------------------


def test_reload_takes_effect_on_the_next_request_and_drops_nobody(site):
    site.start('route "shop.test" { to = "main" }\n')
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=PATIENCE) as kept:
        def ask():
            kept.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            return kept.recv(4096)
        assert ask().endswith(b"main")
        site.reload('route "shop.test" { to = "next" }\n')
        assert ask().endswith(b"next") and site.get("shop.test/x").text == "next"
        site.reload('route "shop.test" { answer = 503, text = "Closed." }\n')
        assert ask().startswith(b"HTTP/1.1 503 ")
        site.reload("")
        assert site.get("shop.test/").status == 404 and site.get("main.test/").text == "main"


def test_reload_of_mistakes_changes_nothing(site):
    site.start('route "shop.test" { to = "main" }\n')
    site.hang_up('route "shop.test" { to = "nex" }\n')
    wait_until(lambda: 'did you mean "next"' in site.server.stderr, "the mistake")
    assert site.get("shop.test/").text == "main"
    site.hang_up("while true do end\n")
    wait_until(lambda: site.server.stderr.count("routing.lua:1") >= 2, "the second mistake")
    assert site.get("shop.test/x").text == "main"
    site.reload('route "shop.test" { to = "blog" }\n')
    assert site.get("shop.test/").text == "blog"


def test_router_that_died_comes_back_with_the_newest_policy(site):
    site.start('route "shop.test" { to = "main" }\n')
    assert site.get("shop.test/").text == "main"
    site.reload('route "shop.test" { to = "next" }\nroute "x.test" { to = "blog" }\n')
    router = site.server.process("router")
    router.kill()
    site.server.wait_for_successor(router)
    assert site.get("x.test/").text == "blog" and site.get("shop.test/").text == "next"


@pytest.mark.parametrize("text, reason", [
    ('route "a.test" { to = "mian" }', 'did you mean "main"'), ('route "a.test" { redirct = "/x" }', 'did you mean "redirect"'),
    ('route "a.test" { to = "main" }\nroute "a.test" { to = "next" }', "routing.lua:2: route[\"a.test\"]: given twice: first on line 1"),
    ('rout "a.test" { to = "main" }', 'did you mean "route"'), ("route", "routing.lua:2:")])
def test_mistakes_are_told_with_file_and_line(site, text, reason):
    site.policy(text + "\n")
    site.server.write_configuration()
    done = site.server.command("check", "-c", site.server.configuration, "-s", site.server.state)
    assert done.returncode != 0
    assert "routing.lua:" in done.stdout + done.stderr and reason in done.stdout + done.stderr, done


# docs/ROUTING.md ------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "ROUTING.md").read_text()
EXAMPLES = re.findall(r"^```lua\n(.*?)^```\n```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def said_of(reply):
    if reply.status == 200 and reply.headers["content-type"].startswith("text/plain"):
        return reply.text
    detail = reply.headers["location"]
    if detail is None and reply.status in (200, 503):
        (detail,) = re.findall(r"<p>(.*?)</p>", reply.text)[:1]
    return f"{reply.status} {detail}" if detail else str(reply.status)


def test_page_answers_as_it_says(server):
    assert len(EXAMPLES) == PAGE.count("```lua") == 3
    site = Site(server, ["shop", "shop-next", "blog", "acme"])
    site.start("")
    for policy, lines in EXAMPLES:
        site.reload(policy)
        for line in lines.splitlines():
            url, header, said = re.fullmatch(r"(\S+)(?: {2,}([\w-]+: \S+))? {2,}(\S.*)", line).groups()
            assert said_of(site.get(url, dict([header.split(": ")]) if header else None)) == said, line
