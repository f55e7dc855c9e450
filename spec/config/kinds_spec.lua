-- SPDX-License-Identifier: Apache-2.0
-- The single values of a schema, and what holds several: maps and alternatives.

local check = require "config.check"
local kinds = require "config.kinds"
local lpeg = require "lpeg"

-- Without control characters, which no results file may hold.
local function title(text, rule, value)
  return (text:format(rule.kind, tostring(value)):gsub("%c", "?"))
end

local function takes(rule, value, want)
  it(title("%s takes %s", rule, value), function()
    assert.same({ want, nil }, { kinds[rule.kind](value, rule) })
  end)
end

local function refuses(rule, value, reason)
  it(title("%s refuses %s", rule, value), function()
    assert.same({ nil, reason }, { kinds[rule.kind](value, rule) })
  end)
end

describe("single values", function()
  local size = { kind = "size", min = "1KB", max = "1MB", zero = true }
  takes(size, "2KB", 2048)
  takes(size, 0, 0)
  takes(size, "0B", 0)
  refuses(size, 5, '"5" has no unit: write "5MB" or "5KB"')
  refuses(size, "1B", '"1B" is out of range: 1KB to 1MB')
  refuses({ kind = "size", min = "1KB", max = "1MB" }, "0B", '"0B" is out of range: 1KB to 1MB')
  local rate = { kind = "rate", min = "1B", max = "1GB" }
  takes(rate, "500B", 500)
  takes(rate, "2KB/s", 2048)
  refuses(rate, true, 'expected a rate in bytes per second such as "500B", got true')
  local text = { kind = "text", min = 1, max = 5 }
  takes(text, "hello", "hello")
  refuses(text, "", "a text is empty")
  refuses(text, "hello!", "a text of at most 5 bytes")
  refuses(text, "a\nb", "a text holds no control characters")
  refuses(text, 7, "expected a text, got the number 7")
  local token = { kind = "token", max = 8, fold = true, what = "the name of a field" }
  takes(token, "X-Id", "x-id")
  takes({ kind = "token", max = 8 }, "GET", "GET")
  refuses(token, "x y", '"x y" is not the name of a field: letters, digits, hyphens and underscores')
  refuses(token, "", '"" is not the name of a field: letters, digits, hyphens and underscores')
  refuses(token, "x-too-long", "the name of a field has at most 8 bytes")
  refuses(token, {}, "expected the name of a field, got a table")
  local callable, grammar = { kind = "callable" }, { kind = "grammar" }
  takes(callable, print, print)
  refuses(callable, "print", 'expected a function, got the string "print"')
  refuses(callable, setmetatable({}, { __call = print }), "expected a function, got a table")
  local pattern = lpeg.P "x"
  takes(grammar, pattern, pattern)
  refuses(grammar, "x", 'expected an lpeg pattern, got the string "x"')
  takes({ kind = "network" }, "unix", { family = "unix", address = "", bits = 0 })
  refuses({ kind = "network" }, 10, 'expected a network such as "10.0.0.0/8", got the number 10')
  refuses({ kind = "network" }, "x.example",
    '"x.example": names are not resolved: write an address or a network, such as "10.0.0.0/8", or "unix"')
  takes({ kind = "file" }, "api.lua", "api.lua")
  takes({ kind = "file" }, "policy/api.lua", "policy/api.lua")
  for _, path in ipairs { "/api.lua", "../api.lua", "a/../b", "./api.lua", "a//b", "a/" } do
    refuses({ kind = "file" }, path, ('"%s": a file beside server.lua is named alone, such as "parsing.lua"'):format(path))
  end
  refuses({ kind = "file" }, "a\0b", "a path holds no control characters")
  refuses({ kind = "file" }, ("a"):rep(256), "the name of a file has at most 255 bytes")
  takes({ kind = "parsed", parse = function(value) return tonumber(value) end }, "7", 7)
end)

local function judge(rule, value)
  local mistakes = {}
  local result = check.statement(rule, value, function(path, reason)
    mistakes[#mistakes + 1] = table.concat(path, ".") .. ": " .. reason
  end)
  return result, mistakes
end

describe("a map", function()
  local rule = {
    kind = "table",
    fields = {
      m = { kind = "map", max = 3, key = { kind = "token", max = 9, fold = true },
        of = { kind = "integer", min = 1, max = 9 } },
    },
  }

  it("holds what it was given, by name", function()
    local result, mistakes = judge(rule, { m = { B = 2, a = 1 } })
    assert.same({}, mistakes)
    assert.same({ a = 1, b = 2 }, result.m)
  end)

  it("says what is wrong with its names and values", function()
    assert.same({ "m.1: expected a name, got the number 1", 'm.x y: "x y" is not a name: letters, digits, hyphens '
      .. "and underscores", "m.z: 10 is out of range: 1 to 9" }, select(2, judge(rule, { m = { 5, ["x y"] = 1, z = 10 } })))
    assert.same({ 'm.b: "b" is given twice' }, select(2, judge(rule, { m = { B = 1, b = 1 } })))
    assert.same({ "m: a table of at most 3 names" }, select(2, judge(rule, { m = { a = 1, b = 1, c = 1, d = 1 } })))
    assert.same({ "m: expected a table { name = ... }, got the number 1" }, select(2, judge(rule, { m = 1 })))
  end)
end)

describe("alternatives", function()
  local one = { kind = "text", max = 3 }
  local rule = {
    kind = "table",
    fields = {
      v = { kind = "any", of = {
        { kind = "choice", values = { "absent" } }, one, { kind = "list", of = one, max = 2, as = "several" },
        { kind = "table", fields = { a = one } }, { kind = "grammar" },
      } },
    },
  }

  it("are tried in order", function()
    local pattern = lpeg.P "x"
    assert.same({ kind = "choice", value = "absent" }, judge(rule, { v = "absent" }).v)
    assert.same({ kind = "text", value = "abc" }, judge(rule, { v = "abc" }).v)
    assert.same({ kind = "several", value = { { value = "a", at = 1 } } }, judge(rule, { v = { "a" } }).v)
    assert.same({ kind = "table", value = { a = "b" } }, judge(rule, { v = { a = "b" } }).v)
    assert.equal(pattern, judge(rule, { v = pattern }).v.value)
  end)

  it("say what the last that could fit has to say", function()
    assert.same({ "v: a text of at most 3 bytes" }, select(2, judge(rule, { v = "abcd" })))
    assert.same({ "v.2: a text of at most 3 bytes" }, select(2, judge(rule, { v = { "a", "abcd" } })))
    assert.same({ 'v.b: unknown name "b": known are a' }, select(2, judge(rule, { v = { b = "x" } })))
    assert.same({ 'v: expected "absent" or a text or a list or a table { ... } or an lpeg pattern, got the number 7' },
      select(2, judge(rule, { v = 7 })))
  end)
end)
