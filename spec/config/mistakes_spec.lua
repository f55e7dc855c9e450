-- SPDX-License-Identifier: Apache-2.0
-- Every kind of mistake in server.lua, with the line, the key path and the words that the admin sees.

package.path = "spec/config/?.lua;" .. package.path
local harness = require "harness"

local GOOD = 'listen "0.0.0.0:80"\nvhost "a" { hosts = { "a.example" }, user = "alice", root = "/srv/a" }\n'

-- Each case: what the admin wrote, behind the two good lines of GOOD, and what is said about it.
local function case(text, ...)
  local want = { ... }
  it(text:gsub("%s+", " "):sub(1, 100), function()
    assert.same(want, harness.mistakes(GOOD .. text))
  end)
end

local function vhost(fields, ...)
  case(('vhost "b" { hosts = { "b.example" }, user = "auto", root = "/srv/b",\n  %s }'):format(fields), ...)
end

describe("server.lua without mistakes", function()
  it("has none", function()
    assert.same({}, harness.mistakes(GOOD))
  end)
end)

describe("names", function()
  case('lisen "0.0.0.0:81"', 'server.lua:3: lisen: unknown name "lisen": did you mean "listen"?')
  case('VHOST "x" {}', 'server.lua:3: VHOST: unknown name "VHOST": did you mean "vhost"?')
  case('include "x.lua"',
    'server.lua:3: include: luttpd knows "include", but this version does not support it yet')
  case("local x = os.time()\nx = io", 'server.lua:3: os: unknown name "os": known are assert, automatic_users, '
    .. "coroutine, defaults, error, ipairs, listen, logs, math, next, pairs, parsing, pcall, routing, select, string, "
    .. "table, tonumber, tostring, type, unpack, vhost",
    'server.lua:4: io: unknown name "io": known are assert, automatic_users, coroutine, defaults, error, ipairs, '
    .. "listen, logs, math, next, pairs, parsing, pcall, routing, select, string, table, tonumber, tostring, type, "
    .. "unpack, vhost")
  case("size = 5", 'server.lua:3: size: "size" is set as a global: write local size = ...')
  case("size = 5\nassert(size == 5)", 'server.lua:3: size: "size" is set as a global: write local size = ...')
end)

describe("unknown names in values", function()
  it("are reported once and hide nothing behind them", function()
    assert.same({
      'server.lua:3: MB: unknown name "MB": known are '
        .. "assert, automatic_users, coroutine, defaults, error, ipairs, listen, logs, math, next, pairs, parsing, "
        .. "pcall, routing, select, string, table, tonumber, tostring, type, unpack, vhost",
      'server.lua:4: vhost.b.roots: unknown name "roots": did you mean "root"?',
    }, harness.mistakes(GOOD .. [[
vhost "b" { hosts = { "b.example" }, user = "auto", limits = { memory = MB(128) * 2 .. "" },
  roots = "/srv/b" }]]))
  end)
end)

describe("listen", function()
  case('listen "0.0.0.0:80"', 'server.lua:3: listen[1]: "0.0.0.0:80" is listened on twice: first on line 1')
  case("listen(8080)",
    'server.lua:3: listen: "8080": an address is missing: write "0.0.0.0:8080" or "[::]:8080"')
  case("listen {}", 'server.lua:3: listen: the address is missing: write listen { "0.0.0.0:80" }')
  case("listen(true)", 'server.lua:3: listen: expected an address such as "0.0.0.0:80", got true')
  case("listen()", 'server.lua:3: listen: the address is missing: write listen { "0.0.0.0:80" }')
  case('listen { "[::]:443",\n  tls = true }',
    'server.lua:4: listen.tls: luttpd knows "tls", but this version does not support it yet')
  case('listen { "[::]:81", proceses = 2 }', 'server.lua:3: listen.proceses: unknown name "proceses": did you mean "processes"?')
  case('listen { "[::]:81", processes = 65 }', "server.lua:3: listen.processes: 65 is out of range: 1 to 64")
  case('listen { "[::]:81", processes = 1.5 }', "server.lua:3: listen.processes: expected a whole number, got the number 1.5")
  case('listen { "[::]:81", "[::]:82" }', 'server.lua:3: listen[2]: the string "[::]:82" has no name before it: write name = value')
  case('listen { "unix:/run/x",\n  processes = 2 }', "server.lua:4: listen.processes: a unix socket is served by one process")
  case('for i = 1, 3 do listen { "127.0.0.1:" .. 9000 + i, processes = 50 } end',
    "server.lua:0: listen: 151 listener processes together: luttpd runs at most 128")
  case("for i = 1, 64 do listen('127.0.0.1:' .. 9000 + i) end", "server.lua:3: listen: luttpd serves at most 64 listen statements")

  it("may ask the kernel for any port, more than once", function()
    assert.same({}, harness.mistakes(GOOD .. 'listen "127.0.0.1:0"\nlisten "127.0.0.1:0"'))
  end)
end)

describe("vhost", function()
  case('vhost "b"', 'server.lua:3: vhost.b: vhost "b" is not followed by a table { ... }')
  case("vhost { }", "server.lua:3: vhost: expected a name in quotes, got a table")
  case('vhost "B" { }', 'server.lua:3: vhost: "B": a name is written in lower case')
  case('vhost "../b" { }', 'server.lua:3: vhost: "../b": a name holds lower-case letters, digits, dots, hyphens and '
    .. "underscores, and begins with a letter or digit")
  case(('vhost "%s" { }'):format(("x"):rep(65)), "server.lua:3: vhost: a name has at most 64 bytes")
  case('vhost "b" "c"', 'server.lua:3: vhost.b: expected a table { ... }, got the string "c"')
  case('vhost "a" { hosts = { "b.example" }, user = "auto", root = "/srv/b" }',
    "server.lua:3: vhost.a: there are two vhosts of this name: first on line 2")
  case('local v = vhost "b"\nlocal t = { hosts = { "b.example" }, user = "auto", root = "/srv/b" }\nv(t)\nv(t)',
    "server.lua:6: vhost.b: given two tables")
  case('vhost "b.c" { }',
    'server.lua:3: vhost["b.c"].root: root is missing: write root = "/srv/www/name"',
    'server.lua:3: vhost["b.c"].user: user is missing: write user = "auto", or the name of an account',
    'server.lua:3: vhost["b.c"].hosts: no host leads here: write hosts = { "name.example" } or default = true')
  vhost("rooot = 1", 'server.lua:4: vhost.b.rooot: unknown name "rooot": did you mean "root"?')
  vhost("banana = 1", 'server.lua:4: vhost.b.banana: unknown name "banana": known are default, hardened, hosts, '
    .. "limits, root, shared_user, user")
  vhost("memory = 1", 'server.lua:4: vhost.b.memory: unknown name "memory" here: write limits = { memory = ... }')
  vhost("grants = {}", 'server.lua:4: vhost.b.grants: luttpd knows "grants", but this version does not support it yet')
  vhost('start = "eager"', 'server.lua:4: vhost.b.start: luttpd knows "start", but this version does not support it yet')
  vhost('"auto"', 'server.lua:4: vhost.b[1]: the string "auto" has no name before it: write name = value')
  vhost("[true] = 1", "server.lua:3: vhost.b: a field's name is a word, not true")
  vhost("[2.5] = 1", "server.lua:3: vhost.b: a field's name is a word, not the number 2.5")
  vhost('hardened = "yes"', 'server.lua:4: vhost.b.hardened: expected true or false, got the string "yes"')
  vhost("shared_user = 1", "server.lua:4: vhost.b.shared_user: expected true or false, got the number 1")

  it("stands at most so often", function()
    local text = [[for i = 1, 16384 do
      vhost("v" .. i) { hosts = { "v" .. i .. ".example" }, user = "auto", root = "/srv/b" } end]]
    assert.same({ "server.lua:4: vhost.v16384: luttpd serves at most 16384 vhost statements" },
      harness.mistakes(GOOD .. text))
  end)
end)

describe("limits", function()
  vhost("limits = 5", "server.lua:4: vhost.b.limits: expected a table { ... }, got the number 5")
  vhost("limits = { memory = 128 }", 'server.lua:4: vhost.b.limits.memory: "128" has no unit: write "128MB" or "128KB"')
  vhost('limits = {\n  memory = "128M" }', 'server.lua:5: vhost.b.limits.memory: "M" is not a unit of size: did you mean "128MB"?')
  vhost('limits = { memory = "1KB" }', 'server.lua:4: vhost.b.limits.memory: "1KB" is out of range: 1MB to 64GB')
  vhost("limits = { cpu = 100 }", 'server.lua:4: vhost.b.limits.cpu: "100" has no unit: write "100ms" or "100s"')
  vhost('limits = { cpu = "2m" }', 'server.lua:4: vhost.b.limits.cpu: "2m" is out of range: 10ms to 60s')
  vhost("limits = { wall = {} }", 'server.lua:4: vhost.b.limits.wall: expected a duration such as "100ms", got a table')
  vhost('limits = { processes = "4" }', 'server.lua:4: vhost.b.limits.processes: expected a whole number, got the string "4"')
  vhost("limits = { walls = 1 }", 'server.lua:4: vhost.b.limits.walls: unknown name "walls": did you mean "wall"?')
  case('defaults { limits = { cpu = "1" } }\ndefaults { }',
    'server.lua:3: defaults.limits.cpu: "1" has no unit: write "1ms" or "1s"',
    "server.lua:4: defaults: given twice: first on line 3")
  case('defaults { user = "auto" }', 'server.lua:3: defaults.user: unknown name "user": known are hardened, limits')
end)

describe("hosts", function()
  case('vhost "b" { hosts = "b.example", user = "auto", root = "/srv/b" }',
    'server.lua:3: vhost.b.hosts: expected a list, got the string "b.example": write { "b.example" }')
  case('vhost "b" { hosts = { "b.example",\n"B.example", 7,\n "a.example", "b.example", name = "x" }, user = "auto", root = "/srv/b" }',
    'server.lua:4: vhost.b.hosts[2]: "B.example": a host is written in lower case: "b.example"',
    "server.lua:4: vhost.b.hosts[3]: expected a host name, got the number 7",
    "server.lua:5: vhost.b.hosts.name: a list holds items without names",
    'server.lua:5: vhost.b.hosts[4]: "a.example" already belongs to the vhost "a"',
    'server.lua:5: vhost.b.hosts[5]: "b.example" already belongs to this vhost')
  case('vhost "b" { hosts = { "B.example" }, user = "auto", root = "/srv/b" }',
    'server.lua:3: vhost.b.hosts[1]: "B.example": a host is written in lower case: "b.example"')
  case('vhost "b" { hosts = {}, user = "auto", root = "/srv/b" }',
    'server.lua:3: vhost.b.hosts: no host leads here: write hosts = { "name.example" } or default = true')
  case('vhost "b" { default = true, user = "auto", root = "/srv/b" }\nvhost "c" { user = "auto", root = "/srv/c",\ndefault = true }',
    'server.lua:5: vhost.c.default: the vhost "b" is the default already')

  it("tells a wildcard from the same exact name", function()
    assert.same({}, harness.mistakes(GOOD ..
      'vhost "b" { hosts = { "*.a.example", "x.a.example" }, user = "auto", root = "/srv/b" }'))
  end)
end)

describe("root and logs", function()
  vhost("root = 5", "server.lua:4: vhost.b.root: expected a path, got the number 5")
  vhost('root = ""', "server.lua:4: vhost.b.root: a path is empty")
  vhost('root = "/srv/b\\n"', "server.lua:4: vhost.b.root: a path holds no control characters")
  vhost('root = "/srv/\\0b"', "server.lua:4: vhost.b.root: a path holds no control characters")
  vhost('root = ("x"):rep(4001)', "server.lua:4: vhost.b.root: a path has at most 4000 bytes")
  vhost('root = "//./"', "server.lua:4: vhost.b.root: the root of a vhost is a directory of its own, not the whole machine")
  case('logs { format = "jsn" }', 'server.lua:3: logs.format: "jsn" is not known here: did you mean "json"?')
  case("logs { format = 7 }", 'server.lua:3: logs.format: expected one of "combined", "json", "both", got the number 7')
  case('logs "a"\nlogs "b"', "server.lua:4: logs: given twice: first on line 3")
  case("logs {\ndirr = '/x' }", 'server.lua:4: logs.dirr: unknown name "dirr": did you mean "dir"?')
  case("logs(7)", "server.lua:3: logs: expected a path, got the number 7")
end)

describe("automatic_users", function()
  case("automatic_users { first = 1000 }", "server.lua:3: automatic_users.first: 1000 is out of range: 65536 to 2147483647")
  case("automatic_users { first = 2147483647, count = 2 }", "server.lua:3: automatic_users: the range ends above 2147483647")
  case("automatic_users { fist = 1 }", 'server.lua:3: automatic_users.fist: unknown name "fist": did you mean "first"?')
end)

describe("a configuration that says too little", function()
  it("must listen and have a vhost", function()
    assert.same({
      'server.lua:0: listen: no listen: the server would answer nowhere; write listen "0.0.0.0:80"',
      'server.lua:0: vhost: no vhost: the server would answer nobody; write vhost "name" { ... }',
    }, harness.mistakes "")
  end)
end)

describe("a script that fails", function()
  it("is reported with the line of a syntax error", function()
    assert.matches("^server.lua:3: : '}' expected %(to close '{' at line 1%) near",
      harness.mistakes('vhost "a" {\nroot = 1\n')[1])
  end)

  it("is reported with the line of a runtime error, and what was wrong before it", function()
    assert.same({
      'server.lua:3: lisen: unknown name "lisen": did you mean "listen"?',
      'server.lua:4: listen: "81": an address is missing: write "0.0.0.0:81" or "[::]:81"',
      "server.lua:5: : attempt to index local 'x' (a nil value)",
    }, harness.mistakes(GOOD .. 'lisen "x"\nlisten "81"\nlocal x, y = nil, vhost "open"; x.y = 1\nlisen "y"'))
  end)

  it("may raise anything", function()
    assert.same({ "server.lua:0: : text alone" }, harness.mistakes 'error("text alone", 0)')
    assert.matches("^server.lua:0: : table: ", harness.mistakes("error {}")[1])
  end)
end)

describe("many mistakes", function()
  it("are cut at a hundred, and the rest counted", function()
    local lines = harness.mistakes(GOOD .. ("nonsense()\n"):rep(150))
    assert.equal(101, #lines)
    assert.matches("^server.lua:102: nonsense", lines[100])
    assert.equal("server.lua:0: : and 50 more mistakes", lines[101])
  end)
end)
