# SPDX-License-Identifier: Apache-2.0
"""The real config process: plans, faults, automatic users, and scripts that mean no good."""
import os
import time

import pytest

import codec
from config_master import CONFIG_UID, ConfigMaster
from server import ROOT

GOOD = """
listen "127.0.0.1:8080"
listen { "[::1]:8081", processes = 2 }
listen "unix:/run/luttpd.sock"
logs { dir = "logs", format = "both" }
defaults { limits = { cpu = "50ms" } }

vhost "alice" {
  hosts = { "alice.example", "*.alice.example" },
  user = "alice", root = "/srv/www/alice", hardened = true,
  limits = { memory = "64MB", wall = "5s", processes = 9 },
}
vhost "rest" { default = true, user = "auto", root = "sites/rest" }
"""


@pytest.fixture
def master(tmp_path):
    return ConfigMaster(tmp_path)


def vhost(user, name="a", more=""):
    return f'listen "127.0.0.1:80"\nvhost "{name}" {{ hosts = {{ "{name}.example" }}, root = "/srv", ' \
           f'user = {user}, {more} }}'


# Plans ------------------------------------------------------------------------------------------


def test_hands_over_the_plan_it_was_told(master):
    outcome = master.evaluate(GOOD)
    assert outcome.lines() == [] and outcome.notes == []
    assert outcome.ready and outcome.status == 0
    assert outcome.plan[0] == ("PLAN_SERVER", {
        "logs": str(master.directory / "logs").encode(), "format": "both", "listens": 3, "vhosts": 2,
        "fingerprint": outcome.plan[0][1]["fingerprint"]})
    assert [name for name, _ in outcome.plan] == ["PLAN_SERVER"] + ["PLAN_LISTEN"] * 3 + ["PLAN_VHOST"] * 2
    plain = {"processes": 1, "defer_accept": False, "fast_open": False}
    assert outcome.of("PLAN_LISTEN") == [
        {**plain, "family": "inet", "address": bytes([127, 0, 0, 1]), "port": 8080},
        {**plain, "family": "inet6", "address": bytes(15) + b"\1", "port": 8081, "processes": 2},
        {**plain, "family": "unix", "address": b"/run/luttpd.sock", "port": 0}]
    alice, rest = outcome.of("PLAN_VHOST")
    assert alice == {
        "vhost": alice["vhost"], "name": b"alice", "uid": 1000, "gid": 1000, "automatic": False,
        "shared_user": False, "root": b"/srv/www/alice", "memory_bytes": 64 << 20, "cpu_ms": 50, "wall_ms": 5000,
        "processes": 9, "hardened": True}
    assert rest == {
        "vhost": alice["vhost"] + 1, "name": b"rest", "uid": 1900000000, "gid": 1900000000, "automatic": True,
        "shared_user": False, "root": str(master.directory / "sites/rest").encode(), "memory_bytes": 128 << 20,
        "cpu_ms": 50, "wall_ms": 10000, "processes": 4, "hardened": False}
    assert outcome.routes == [
        ("ROUTE_VHOST", {"vhost": alice["vhost"], "name": b"alice"}),
        ("ROUTE_HOST", {"kind": "exact", "host": b"alice.example", "vhost": alice["vhost"]}),
        ("ROUTE_HOST", {"kind": "wildcard", "host": b"alice.example", "vhost": alice["vhost"]}),
        ("ROUTE_VHOST", {"vhost": rest["vhost"], "name": b"rest"}),
        ("ROUTE_HOST", {"kind": "default", "host": b"", "vhost": rest["vhost"]})]


def test_never_gives_a_vhost_number_twice(master):
    numbers = [values["vhost"] for _ in range(3) for values in master.evaluate(GOOD).of("PLAN_VHOST")]
    assert 0 not in numbers
    assert numbers == sorted(set(numbers))


def test_plans_ten_thousand_vhosts_within_two_seconds(master):
    text = 'listen "127.0.0.1:80"\n' + "".join(
        f'vhost "site{i}" {{\n  hosts = {{ "site{i}.example", "*.site{i}.example" }},\n  user = "auto",\n'
        f'  root = "/srv/www/site{i}",\n  limits = {{ memory = "64MB", cpu = "50ms" }},\n}}\n' for i in range(10000))
    outcome = master.evaluate(text)
    assert outcome.lines() == [] and outcome.status == 0
    assert len(outcome.of("PLAN_VHOST")) == 10000 and len(outcome.of("ROUTE_HOST")) == 20000
    assert len({values["uid"] for values in outcome.of("PLAN_VHOST")}) == 10000
    assert outcome.seconds < (20 if "asan" in os.environ.get("LUTTPD_BUILD", "") else 2)


def test_runs_every_vhost_as_the_caller_in_single_user_mode(master):
    outcome = master.evaluate(GOOD, single_user=True, uid=4242, gid=4243)
    assert outcome.lines() == []
    assert {(v["uid"], v["gid"], v["automatic"]) for v in outcome.of("PLAN_VHOST")} == {(4242, 4243, False)}
    assert master.users.read_bytes() == b""


def test_prints_to_the_servers_log(master):
    outcome = master.evaluate('print("made", 2)\n' + GOOD)
    assert outcome.notes == ["server.lua: made\t2"] and outcome.plan


# Policies ---------------------------------------------------------------------------------------

LIMITS = {
    "head_bytes": 16384, "target_bytes": 8192, "fields": 128, "trailer_bytes": 4096, "extension_bytes": 4096,
    "body_bytes": 1 << 30, "head_ms": 10000, "idle_ms": 60000, "body_rate": 500, "send_rate": 500,
    "requests": 10000, "connections": 0, "address_connections": 512}

POLICED = """
listen "127.0.0.1:8080"
listen { "127.0.0.1:8081", parsing = "policy/api.lua", limits = { body = 0, head = "8KB" },
  proxies = { "10.0.0.0/8", "::1", "unix" }, proxy_protocol = { "192.0.2.7" }, defer_accept = true, fast_open = true }
listen { "127.0.0.1:8082", parsing = "policy/api.lua" }
parsing "common.lua"
routing "routing.lua"
vhost "shop" { hosts = { "shop.example" }, user = "auto", root = "shop" }
vhost "next" { hosts = { "next.example" }, user = "auto", root = "next" }
"""
POLICIES = {
    "common.lua": 'limits { body = "2MB" }\nmethods { "GET", "HEAD" }\n',
    "policy/api.lua": """
limits { body = "10MB", idle_time = "5s" }
paths { utf8 = "require", encoded_slash = "keep" }
field "Authorization" { required = 401, max = "4KB", once = true }
field "x-debug" { remove = true }
reject { status = 403, field = { ["User-Agent"] = { contains = { "BadBot", "evil" } } },
  unless = { path = { prefix = "/Open/" } } }
reject { status = 400, path = lpeg.P "/x" * -1, query = { equals = "a" } }
on_head(function(head) end)
""",
    "routing.lua": """
route "shop.example" { split = { shop = 95, next = 5 } }
route ".all.example" { field = "x-tenant", values = { a = "next" }, to = "shop" }
route "*" { vhosts = { "next" }, fields = { "accept-language" }, decide = function() return "next" end }
""",
}


def condition(**values):
    return {"alternative": False, "name": b"", "negated": False, "fold": False, "pattern": b"", "grammar": 0, **values}


@pytest.fixture(name="policed")
def fixture_policed(master):
    for name, text in POLICIES.items():
        master.write(text, name)
    return master


def test_hands_over_luttpds_own_policies_where_none_is_named(master):
    outcome = master.evaluate(GOOD)
    routing = (ROOT / "lua" / "policy" / "routing.lua").read_bytes()
    assert outcome.policies == [
        *(("POLICY_LISTEN", {"listen": i, "policy": 1, **LIMITS}) for i in range(3)),
        ("POLICY_PARSING", {"policy": 1, "refuse_bad_utf8": False, "keep_encoded_slash": False, "scripted": False}),
        ("POLICY_TEXT", {"policy": 0, "file": b"policy/routing.lua", "part": routing})]


def test_hands_over_the_limits_and_networks_of_each_listen(policed):
    outcome = policed.evaluate(POLICED)
    assert outcome.lines() == [] and outcome.status == 0
    assert outcome.policies_of("POLICY_LISTEN") == [
        {"listen": 0, "policy": 1, **LIMITS, "body_bytes": 2 << 20},
        {"listen": 1, "policy": 2, **LIMITS, "body_bytes": 0, "head_bytes": 8192, "idle_ms": 5000},
        {"listen": 2, "policy": 2, **LIMITS, "body_bytes": 10 << 20, "idle_ms": 5000}]
    assert outcome.policies_of("POLICY_NETWORK") == [
        {"listen": 1, "trust": "proxy_protocol", "family": "inet", "address": bytes([192, 0, 2, 7]), "bits": 32},
        {"listen": 1, "trust": "forwarded", "family": "inet", "address": bytes([10, 0, 0, 0]), "bits": 8},
        {"listen": 1, "trust": "forwarded", "family": "inet6", "address": bytes(15) + b"\1", "bits": 128},
        {"listen": 1, "trust": "forwarded", "family": "unix", "address": b"", "bits": 0}]
    assert [(v["defer_accept"], v["fast_open"]) for v in outcome.of("PLAN_LISTEN")] == [
        (False, False), (True, True), (False, False)]


def test_hands_over_what_the_parsing_policies_say(policed):
    outcome = policed.evaluate(POLICED)
    assert [(name, values) for name, values in outcome.policies if name.startswith("POLICY_") and
            name not in ("POLICY_LISTEN", "POLICY_NETWORK", "POLICY_TEXT")] == [
        ("POLICY_PARSING", {"policy": 1, "refuse_bad_utf8": False, "keep_encoded_slash": False, "scripted": False}),
        ("POLICY_METHOD", {"policy": 1, "method": b"GET"}),
        ("POLICY_METHOD", {"policy": 1, "method": b"HEAD"}),
        ("POLICY_PARSING", {"policy": 2, "refuse_bad_utf8": True, "keep_encoded_slash": True, "scripted": True}),
        ("POLICY_FIELD", {"policy": 2, "name": b"authorization", "required": 401, "repeated": 400, "too_long": 431,
                          "max_bytes": 4096, "remove": False}),
        ("POLICY_FIELD", {"policy": 2, "name": b"x-debug", "required": 0, "repeated": 0, "too_long": 0,
                          "max_bytes": 0, "remove": True}),
        ("POLICY_RULE", {"policy": 2, "status": 403}),
        ("POLICY_CONDITION", condition(subject="field", name=b"user-agent", match="contains", fold=True, pattern=b"badbot")),
        ("POLICY_CONDITION", condition(alternative=True, subject="field", name=b"user-agent", match="contains", fold=True,
                                       pattern=b"evil")),
        ("POLICY_CONDITION", condition(subject="path", match="prefix", negated=True, pattern=b"/Open/")),
        ("POLICY_RULE", {"policy": 2, "status": 400}),
        ("POLICY_CONDITION", condition(subject="path", match="grammar", grammar=1)),
        ("POLICY_CONDITION", condition(subject="query", match="equals", pattern=b"a"))]
    assert [(v["policy"], v["file"].decode(), v["part"].decode()) for v in outcome.policies_of("POLICY_TEXT")] == [
        (2, "policy/api.lua", POLICIES["policy/api.lua"]), (0, "routing.lua", POLICIES["routing.lua"])]


def test_hands_over_what_the_routing_policy_may_answer(policed):
    outcome = policed.evaluate(POLICED)
    also = {(v["kind"], v["host"].decode(), v["vhost"].decode()) for v in outcome.policies_of("ROUTE_ALSO")}
    assert also == {("exact", "shop.example", "shop"), ("exact", "shop.example", "next"),
                    ("default", "", "next")} | {(kind, "all.example", vhost) for kind in ("exact", "wildcard")
                                                for vhost in ("shop", "next")}
    assert sorted(v["name"] for v in outcome.policies_of("ROUTE_FIELD")) == [b"accept-language", b"cookie", b"x-tenant"]


def test_hands_over_a_long_script_in_pieces(policed):
    text = 'route "*" { to = "shop" }\n' + "-- long\n" * 20000
    policed.write(text, "routing.lua")
    parts = [v["part"] for v in policed.evaluate(POLICED).policies_of("POLICY_TEXT") if v["policy"] == 0]
    assert len(parts) == 10 and b"".join(parts).decode() == text


def test_fingerprint_is_that_of_plan_and_routes_alone(policed):
    def fingerprint(text):
        outcome = policed.evaluate(text)
        assert outcome.lines() == []
        return outcome.plan[0][1]["fingerprint"]

    first = fingerprint(POLICED)
    policed.write(POLICIES["routing.lua"] + 'route "b.example" { to = "next" }', "routing.lua")
    assert fingerprint(POLICED) == first
    assert fingerprint(POLICED.replace("body = 0", 'body = "1MB"')) == first
    changes = [("fast_open = true", "fast_open = false"), (":8082", ":8083"), ('"next.example"', '"other.example"'),
               ('root = "next"', 'root = "elsewhere"'), ('vhost "shop"', 'logs "x" vhost "shop"'),
               ('user = "auto", root = "shop"', 'user = "bob", root = "shop"')]
    assert len({first, *(fingerprint(POLICED.replace(old, new)) for old, new in changes)}) == len(changes) + 1


def test_reports_mistakes_of_policies_with_their_own_files(policed):
    policed.write('limits { boddy = 5 }\nfield "x" {\n  max = 7,\n}\nreject { status = 200 }\n', "common.lua")
    policed.write("\nlocal x = nil\nx.y = 1", "policy/api.lua")
    policed.write('route "shop.example" {\n to = "shopp" }\nroute "*" { split = { next = 1,\n old = 1 } }', "routing.lua")
    outcome = policed.evaluate(POLICED + 'logs { format = "xml" }')
    line = POLICED.count("\n") + 1
    assert outcome.lines() == [
        f'server.lua:{line}: logs.format: "xml" is not known here: it is one of "combined", "json", "both"',
        'common.lua:1: limits.boddy: unknown name "boddy": did you mean "body"?',
        'common.lua:3: field.x.max: "7" has no unit: write "7MB" or "7KB"',
        "common.lua:5: reject.status: 200 is out of range: 400 to 599",
        "policy/api.lua:3: : attempt to index local 'x' (a nil value)",
        'routing.lua:2: route["shop.example"].to: no vhost "shopp": did you mean "shop"?',
        'routing.lua:4: route["*"].split.old: no vhost "old" in server.lua']
    assert outcome.plan is None


def test_says_that_policies_are_larger_than_their_readers_take(master):
    text = 'local texts = {}\nfor i = 1, 1000 do texts[i] = ("x"):rep(1020) .. i end\n' \
           "for _ = 1, 16 do reject { status = 400, path = { equals = texts } } end"
    listens = ""
    for number in range(1, 6):
        master.write(text, f"{number}.lua")
        listens += f'listen {{ "127.0.0.1:{number}", parsing = "{number}.lua" }}\n'
    outcome = master.evaluate(listens + 'vhost "a" { default = true, user = "auto", root = "a" }')
    assert outcome.lines() == ["server.lua:0: : the policies take 79 MB as records: 64 MB are possible"]
    assert outcome.status == 0 and outcome.plan is None


UNREADABLE = {
    "missing": (lambda path: path.unlink(), "No such file or directory"),
    "a link out": (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), "it is a link that leads out of its directory"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path), path.chmod(0o666)), "it is not a regular file"),
    "a directory": (lambda path: (path.unlink(), path.mkdir()), "Is a directory"),
    "not ours": (lambda path: path.chmod(0o600), "Permission denied"),
    "too large": (lambda path: path.write_bytes(b"-" * (1 << 20) + b"-"), "it is larger than 1 MB"),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_says_why_a_policy_cannot_be_read(policed, how):
    spoil, reason = UNREADABLE[how]
    spoil(policed.directory / "policy" / "api.lua")
    outcome = policed.evaluate(POLICED)
    assert outcome.lines() == [f'server.lua:3: listen.parsing: "policy/api.lua" cannot be read: {reason}']
    assert outcome.plan is None and outcome.status == 0


# Each is stopped, or fails, and is reported in its own file. None may crash or hang the process.
HOSTILE_POLICIES = {
    "hoarder": ("local t = {}\nwhile true do t[#t + 1] = ('x'):rep(1000000) .. #t end", 2, "memory"),
    "global": ("x = 1", 1, "write local x"),
    "no modules": ("require 'config.schema'", 1, 'unknown name "require"'),
    "vhosts": ("vhost 'x' {}", 1, 'unknown name "vhost"'),
    "hidden metatable": ("getmetatable(lpeg.P(1)).__index.match = nil", 1, "boolean"),
    "broken lpeg": ("lpeg.match, lpeg.P, lpeg.R = nil\nfield 'a b' {}", 2, "not the name of a field"),
    "grammar without end": ("reject { status = 400, path = lpeg.P '' ^ 0 }", 1, "loop"),
    "yield": ("coroutine.yield()", None, "yield"),
    "hostile table": ("reject(setmetatable({}, { __index = error, __newindex = error, __pairs = error }))", 1, "missing"),
    "fields of every kind": ("reject { status = 400, field = { [{}] = 1, [print] = 2, [3] = 4, [true] = 5 } }", 1, "field"),
    "itself": ("local t = { status = 400 }\nt.unless = t\nreject(t)", 3, "unless"),
    "bytecode": ("\x1bLJ\x02\x0a", None, ""),
}


@pytest.mark.parametrize("name", HOSTILE_POLICIES)
def test_survives_a_policy(policed, name):
    text, line, words = HOSTILE_POLICIES[name]
    policed.write(text, "common.lua")
    outcome = policed.evaluate(POLICED)
    assert outcome.status == 0 and outcome.plan is None and outcome.faults
    assert {fault["file"] for fault in outcome.faults} == {b"common.lua"}, outcome.lines()
    assert any(words in reason for reason in outcome.lines()), outcome.lines()
    if line is not None:
        assert line in {fault["line"] for fault in outcome.faults}, outcome.lines()


def test_runs_no_more_policies_once_one_took_all_the_time(policed):
    policed.write("\nwhile true do end", "common.lua")
    outcome = policed.evaluate(POLICED)
    late = "cannot be read: the policies before it used up their CPU time"
    assert outcome.lines() == [
        f'server.lua:3: listen.parsing: "policy/api.lua" {late}', f'server.lua:7: routing: "routing.lua" {late}',
        "common.lua:2: : stopped: more than 2000 ms of CPU time"]
    assert outcome.status == 0 and outcome.seconds < 4


# Faults -----------------------------------------------------------------------------------------


def test_reports_every_mistake_with_line_and_key(master):
    outcome = master.evaluate(GOOD + '''lisen "127.0.0.1:81"
vhost "bob" {
  hosts = { "alice.example" },
  user = "root",
  rot = "/srv",
  limits = {
    memory = 128,
  },
}
''')
    first = GOOD.count("\n") + 1
    assert outcome.lines() == [
        f'server.lua:{first}: lisen: unknown name "lisen": did you mean "listen"?',
        f'server.lua:{first + 2}: vhost.bob.hosts[1]: "alice.example" already belongs to the vhost "alice"',
        f"server.lua:{first + 3}: vhost.bob.user: UID 0 is root: a vhost never runs as root",
        f'server.lua:{first + 4}: vhost.bob.rot: unknown name "rot": did you mean "root"?',
        f'server.lua:{first + 6}: vhost.bob.limits.memory: "128" has no unit: write "128MB" or "128KB"']
    assert outcome.plan is None and outcome.status == 0
    assert master.users.read_bytes() == b""


def test_refuses_the_users_of_luttpd_itself(master):
    for user in ('"_luttpd-config"', "1950", str(CONFIG_UID), '"www-data"'):
        outcome = master.evaluate(vhost(user))
        assert len(outcome.faults) == 1 and outcome.faults[0]["key"] == b"vhost.a.user", user


# Each is stopped, or fails, and is reported on this line. None may crash or hang the process.
HOSTILE = {
    "endless": ("\n\nwhile true do end", 3, "stopped: more than 2000 ms of CPU time"),
    "endless in pcall": ("\nwhile true do pcall(function() while true do end end) end", 2, "stopped"),
    "endless in a coroutine": ("coroutine.wrap(function() while true do end end)()", 1, "stopped"),
    "endless handler": ("xpcall(function() while true do end end, function() while true do end end)", 1, "stopped"),
    "endless concatenation": ("local s = 'x'\nwhile true do s = s .. s end", 2, "memory"),
    "hoarder": ("local t = {}\nwhile true do t[#t + 1] = ('x'):rep(1000000) .. #t end", 2, "memory"),
    "recursion": ("local function f() return 1 + f() end\nf()", 1, "stack overflow"),
    "nested callbacks": ("local function f() return ('x'):gsub('x', f) end\nf()", None, "stack overflow"),
    "pattern bomb": ("local s = ('a'):rep(30000)\nlocal _ = s:find(('a*'):rep(20) .. 'b')", 2, ""),
    "error without text": ("error()", 0, "nil value"),
    "error with a table": ("error(setmetatable({}, { __tostring = function() error 'x' end }))", 0, "table value"),
    "yield": ("coroutine.yield()", None, "yield"),
    "syntax": ("vhost 'x' {\n  = }", 2, "unexpected symbol"),
    "bytecode": (b"\x1bLJ\x02\x0a\x00", None, ""),
    "not text": (b"\xff\xfe\x00\x01", None, ""),
    "no modules": ("require 'config.schema'", 1, "unknown name \"require\""),
    "no files": ("io.open('/etc/passwd')", 1, "unknown name \"io\""),
    "foreign literal": ("vhost(1LL) {}", 1, "got a cdata"),
    "hostile table": ("vhost 'x' (setmetatable({}, { __index = error, __newindex = error, __call = error }))", 1, "missing"),
    "poisoned strings": ("getmetatable('').__index = nil", None, ""),
    "key of every kind": ("vhost 'x' { [vhost] = 1, [{}] = 2, [1/3] = 3, [-1] = 4, [true] = 5 }", 1, "a word"),
    "itself": ("local t = {}\nt.limits = t\nvhost 'x' (t)", 3, "limits"),
    "statements in coroutines": ("coroutine.wrap(function()\nvhost 'x' { banana = 1 } end)()", 2, "banana"),
    "name with NUL": ("_G['a\\0b'] = 1", 1, "global"),
    "long name": ("_G[('x'):rep(10000)] = 1", 1, "global"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_survives(master, name):
    text, line, words = HOSTILE[name]
    outcome = master.evaluate(text)
    assert outcome.status == 0 and outcome.plan is None and outcome.faults, name
    assert any(words in reason for reason in outcome.lines()), outcome.lines()
    if line is not None:
        assert any(words in text and fault["line"] == line for fault, text in zip(outcome.faults, outcome.lines())), \
            outcome.lines()


def test_waits_for_a_master_that_reads_slowly(master):
    outcome = master.evaluate("nonsense()\n" * 150, queue_bytes=4096, before=lambda: time.sleep(0.5))
    assert len(outcome.faults) == 101
    assert outcome.faults[100]["reason"] == b"and 52 more mistakes"  # neither listen nor vhost
    assert outcome.status == 0


# The file ---------------------------------------------------------------------------------------


def refused(master, reason):
    outcome = master.evaluate()
    assert outcome.lines() == [f"server.lua:0: : cannot be read: {reason}"]
    assert outcome.status == 0


def test_says_why_a_file_cannot_be_read(master):
    path = master.directory / "server.lua"
    refused(master, "No such file or directory")
    path.mkdir()
    refused(master, "Is a directory")
    path.rmdir()
    path.symlink_to("/etc/hostname")
    refused(master, "it is a link that leads out of its directory")
    path.unlink()
    os.mkfifo(path)
    path.chmod(0o666)
    refused(master, "it is not a regular file")
    path.unlink()
    path.write_text(GOOD)
    path.chmod(0o600)
    refused(master, "Permission denied")
    path.write_bytes(b"-" * (8 << 20) + b"-")
    path.chmod(0o644)
    refused(master, "it is larger than 8 MB")


def test_follows_a_link_inside_its_directory(master):
    master.write(GOOD)
    (master.directory / "server.lua").rename(master.directory / "real.lua")
    (master.directory / "server.lua").symlink_to("real.lua")
    assert master.evaluate().plan


@pytest.mark.parametrize("start", [{"directory": "etc"}, {"file": "../etc/server.lua"}, {"file": ""}, {"file": ".."}])
def test_refuses_a_start_that_makes_no_sense(master, start):
    outcome = master.evaluate(GOOD, **start)
    assert outcome.status == 70 and not outcome.ready
    assert outcome.notes == ["start message: Invalid argument"]


def test_ends_when_master_is_gone_before_the_start(master):
    with master.started() as (control, wait):
        control.close()
        assert wait() == 0


def test_ends_when_the_first_message_is_another(master):
    with master.started() as (control, wait):
        codec.send(control, "STOP", drain_ms=5)
        name, values, _ = codec.receive(control)
        assert name == "NOTE" and values["level"] == "error"
        assert wait() == 70


# Automatic users --------------------------------------------------------------------------------


def uid(outcome, name):
    assert outcome.lines() == []
    return {values["name"].decode(): values["uid"] for values in outcome.of("PLAN_VHOST")}[name]


def test_remembers_automatic_users(master):
    assert uid(master.evaluate(vhost('"auto"', "one")), "one") == 1900000000
    assert master.users.read_text() == "luttpd automatic users 1\n1900000000 one\n"
    assert uid(master.evaluate(vhost('"auto"', "two")), "two") == 1900000001
    assert uid(master.evaluate(vhost('"auto"', "one")), "one") == 1900000000
    assert master.users.read_text() == "luttpd automatic users 1\n1900000000 one\n1900000001 two\n"


def test_allots_nothing_while_checking(master):
    outcome = master.evaluate(vhost('"auto"', "one"), users_mode=os.O_RDONLY, check_only=True)
    assert uid(outcome, "one") == 1900000000
    assert master.users.read_bytes() == b""


def test_gives_no_plan_where_a_user_cannot_be_remembered(master):
    outcome = master.evaluate(vhost('"auto"', "one"), users_mode=os.O_RDONLY)
    assert outcome.plan is None and outcome.status == 0
    assert outcome.lines() == [
        "server.lua:0: automatic_users: the table of automatic users cannot be written: Bad file descriptor"]


@pytest.mark.parametrize("content", [b"luttpd automatic users 1\n1900000000 on", b"\0" * 4096, b"rubbish\n",
                                     b"luttpd automatic users 1\n1900000000 a\n1900000000 b\n"])
def test_never_resets_a_damaged_table(master, content):
    master.users.write_bytes(content)
    outcome = master.evaluate(vhost('"auto"', "one"))
    assert outcome.plan is None and outcome.status == 0
    assert [fault["file"] for fault in outcome.faults] == [b"automatic-users"]
    assert b"is damaged" in outcome.faults[0]["reason"]
    assert master.users.read_bytes() == content
