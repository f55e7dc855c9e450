-- SPDX-License-Identifier: Apache-2.0
-- What server.lua says about policies, limits and trust, and how the policies' own mistakes are told.

package.path = "spec/config/?.lua;" .. package.path
local harness = require "harness"
local limits = require "config.limits"

local GOOD = 'listen "0.0.0.0:80"\nvhost "a" { hosts = { "a.example" }, user = "alice", root = "/srv/a" }\n'

local function case(text, ...)
  local want = { ... }
  it(text:gsub("%s+", " "):sub(1, 100), function()
    assert.same(want, harness.mistakes(GOOD .. text))
  end)
end

-- Each case: fields of a listen, on line 4.
local function listen(fields, ...)
  case(('listen { "0.0.0.0:81",\n  %s }'):format(fields), ...)
end

-- Each case: the text of a policy, and what is said about it.
local function policy(kind, text, ...)
  local want = { ... }
  it(kind .. " " .. text:gsub("%s+", " "):sub(1, 100), function()
    assert.same(want, harness.mistakes(GOOD .. kind .. ' "own.lua"', { files = { ["own.lua"] = text } }))
  end)
end

local function read(path)
  local handle = assert(io.open(path))
  local text = handle:read "*a"
  handle:close()
  return text
end

describe("limits of a listen", function()
  listen("limits = { head = 8 }", 'server.lua:4: listen.limits.head: "8" has no unit: write "8MB" or "8KB"')
  listen('limits = { head = "64KB" }', 'server.lua:4: listen.limits.head: "64KB" is out of range: 256B to 65535B')
  listen('limits = { target = "9KB" }', 'server.lua:4: listen.limits.target: "9KB" is out of range: 16B to 8192B')
  listen("limits = { head_time = 10 }", 'server.lua:4: listen.limits.head_time: "10" has no unit: write "10ms" or "10s"')
  listen('limits = { head_time = "1ms" }', 'server.lua:4: listen.limits.head_time: "1ms" is out of range: 100ms to 24h')
  listen("limits = { fields = 0 }", "server.lua:4: listen.limits.fields: 0 is out of range: 1 to 128")
  listen("limits = { fields = 129 }", "server.lua:4: listen.limits.fields: 129 is out of range: 1 to 128")
  listen('limits = { head = 0 }', 'server.lua:4: listen.limits.head: "0" has no unit: write "0MB" or "0KB"')
  listen("limits = { requests = -1 }", "server.lua:4: listen.limits.requests: -1 is out of range: 0 to 2147483647")
  listen("limits = { bdy = 0 }", 'server.lua:4: listen.limits.bdy: unknown name "bdy": did you mean "body"?')
  listen('limits = { body_rate = "fast" }',
    'server.lua:4: listen.limits.body_rate: not a size: write a number and a unit, such as "128MB"')
  listen('head = "8KB"', 'server.lua:4: listen.head: unknown name "head" here: write limits = { head = ... }')
  listen("limits = 7", "server.lua:4: listen.limits: expected a table { ... }, got the number 7")
  listen("limits = { body = 0, head_time = 0, idle_time = 0, body_rate = 0, send_rate = 0, requests = 0, "
    .. "connections = 0, address_connections = 0 }")
end)

describe("trust of a listen", function()
  listen('proxies = "10.0.0.0/8"', 'server.lua:4: listen.proxies: expected a list, got the string "10.0.0.0/8": '
    .. 'write { "10.0.0.0/8" }')
  listen('proxies = { "10.0.0.1/8" }', 'server.lua:4: listen.proxies[1]: "10.0.0.1/8": an address has bits behind the '
    .. "first 8: write the network's own, or leave /8 away")
  listen('proxy_protocol = { "unix",\n "proxy.example" }', 'server.lua:5: listen.proxy_protocol[2]: "proxy.example": names '
    .. 'are not resolved: write an address or a network, such as "10.0.0.0/8", or "unix"')
  listen("defer_accept = 1", "server.lua:4: listen.defer_accept: expected true or false, got the number 1")
  case('listen { "unix:/run/x.sock",\n fast_open = true, defer_accept = true }',
    "server.lua:4: listen.defer_accept: is for TCP, not for a unix socket",
    "server.lua:4: listen.fast_open: is for TCP, not for a unix socket")
end)

describe("naming policies", function()
  case("parsing(7)", "server.lua:3: parsing: expected a path, got the number 7")
  case('parsing "/etc/x.lua"',
    'server.lua:3: parsing: "/etc/x.lua": a file beside server.lua is named alone, such as "parsing.lua"')
  case('routing "../x.lua"',
    'server.lua:3: routing: "../x.lua": a file beside server.lua is named alone, such as "parsing.lua"')
  case('routing "x.lua"', 'server.lua:3: routing: "x.lua" cannot be read: No such file or directory')
  case('parsing "x.lua"\nparsing "y.lua"', 'server.lua:3: parsing: "x.lua" cannot be read: No such file or directory',
    "server.lua:4: parsing: given twice: first on line 3")
  listen('parsing = "x.lua"', 'server.lua:4: listen.parsing: "x.lua" cannot be read: No such file or directory')
  listen("parsing = {}", "server.lua:4: listen.parsing: expected a path, got a table")

  it("is possible for so many", function()
    local text, files = {}, {}
    for i = 1, 17 do
      text[i] = ('listen { "0.0.0.0:%d", parsing = "%d.lua" }\n'):format(i, i)
      files[i .. ".lua"] = ""
    end
    text[18] = GOOD:gsub("^[^\n]*\n", "")
    assert.same({ "server.lua:17: listen.parsing: more than 16 parsing policies" },
      harness.mistakes(table.concat(text), { files = files }))
  end)
end)

describe("a policy's script", function()
  policy("parsing", "x = 1", 'own.lua:1: x: "x" is set as a global: write local x = ...')
  policy("parsing", "\nlimit {}", 'own.lua:2: limit: unknown name "limit": did you mean "limits"?')
  policy("parsing", 'vhost "a" {}', 'own.lua:1: vhost: unknown name "vhost": known are assert, coroutine, error, field, '
    .. "ipairs, limits, lpeg, math, methods, next, on_head, pairs, paths, pcall, reject, select, string, table, tonumber, "
    .. "tostring, type, unpack")
  policy("parsing", 'field "x"', 'own.lua:1: field.x: field "x" is not followed by a table { ... }')
  policy("parsing", "limits {}\nlimits {}", "own.lua:2: limits: given twice: first on line 1")
  policy("parsing", "on_head(5)", "own.lua:1: on_head: expected a function, got the number 5")
  policy("parsing", "\n  )", "own.lua:2: : unexpected symbol near ')'")
  policy("parsing", "\nerror 'no'", "own.lua:2: : no")
  policy("parsing", "getmetatable = nil", 'own.lua:1: getmetatable: "getmetatable" is set as a global: '
    .. "write local getmetatable = ...")
  policy("parsing", "lpeg.match = nil\nreject { status = 400, path = lpeg.P 'x' }")
  policy("routing", 'route "a.example" { to = "b" }', 'own.lua:1: route["a.example"].to: no vhost "b" in server.lua')
  policy("routing", 'route "a.example" { to = "a" }')
  policy("routing", 'route "a.example" {\n split = {\n a = 1,\n aa = 2 } }',
    'own.lua:4: route["a.example"].split.aa: no vhost "aa" in server.lua')
  policy("routing", 'listen "0.0.0.0:80"', 'own.lua:1: listen: unknown name "listen": known are assert, coroutine, error, '
    .. "ipairs, lpeg, math, next, pairs, pcall, route, select, string, table, tonumber, tostring, type, unpack")

  it("is evaluated once, however often it is named", function()
    local plan = harness.plan('listen { "0.0.0.0:81", parsing = "own.lua" }\nlisten { "0.0.0.0:82", parsing = "own.lua" }\n'
      .. GOOD .. 'parsing "common.lua"', { files = { ["own.lua"] = "", ["common.lua"] = 'limits { body = "2MB" }' } })
    assert.equal(2, #plan.parsings)
    assert.same({ 2, 2, 1 }, { plan.listens[1].policy, plan.listens[2].policy, plan.listens[3].policy })
    assert.equal(2 * 2 ^ 20, plan.listens[3].limits.body_bytes)
    assert.equal(2 ^ 30, plan.listens[1].limits.body_bytes)
  end)

  it("is told with its own file, behind server.lua", function()
    assert.same({
      'server.lua:3: listn: unknown name "listn": did you mean "listen"?',
      'own.lua:1: route["*"].to: no vhost "b" in server.lua',
    }, harness.mistakes(GOOD .. 'listn "x" routing "own.lua"', { files = { ["own.lua"] = 'route "*" { to = "b" }' } }))
  end)

  it("cannot name more than can be recorded", function()
    local text = 'for i = 1, 1100 do\nlocal vhosts = {}\nfor j = 1, 64 do vhosts[j] = "v" .. j end\n'
      .. 'route("h" .. i .. ".example") { vhosts = vhosts, decide = function() end } end'
    local vhosts = 'for i = 1, 64 do vhost("v" .. i) { hosts = { "v" .. i .. ".example" }, user = "auto", root = "/srv" } end'
    assert.same({ "own.lua:0: route: the routes name 70400 pairs of a host and a vhost: at most 65536 are possible" },
      harness.mistakes(GOOD .. vhosts .. ' routing "own.lua"',
        { files = { ["own.lua"] = text } }))
  end)
end)

describe("luttpd's own parsing policy", function()
  local plan = harness.plan(GOOD)

  it("is built in, and states every default", function()
    local rules = plan.parsings[1].rules
    assert.is_true(plan.parsings[1].builtin)
    for name in pairs(limits.rule.fields) do assert.is_not_nil(rules.limits[name], name) end
    assert.same(limits.merge(nil, nil), limits.merge(nil, rules.limits))
    assert.same({ false, false, false }, { rules.refuse_bad_utf8, rules.keep_encoded_slash, rules.scripted })
    assert.same({ {}, {}, {} }, { rules.methods, rules.fields, rules.rules })
  end)

  it("has the limits that the parser itself begins with", function()
    local initial = read("runtime/listener/h1_head.c"):match "h1_default_limits = (%b{})"
    local header = read("runtime/listener/h1.h")
    local seen = 0
    for name, value in initial:gmatch "%.([%w_]+) = ([%w_]+)" do
      local number = tonumber(value) or tonumber(header:match("#define " .. value .. " (%d+)"))
      if name ~= "method_bytes" then -- which no policy can change
        assert.equal(number, plan.listens[1].limits[name], name)
        seen = seen + 1
      end
    end
    assert.equal(5, seen)
  end)

  it("allows no more than the parser can take", function()
    local header = read("runtime/listener/h1.h")
    local fields = limits.rule.fields
    assert.equal(header:match "H1_HEAD_MAX_BYTES (%d+)" .. "B", fields.head.max)
    assert.equal(header:match "H1_TARGET_MAX_BYTES (%d+)" .. "B", fields.target.max)
    assert.equal(tonumber(header:match "H1_FIELDS_MAX (%d+)"), fields.fields.max)
  end)
end)
