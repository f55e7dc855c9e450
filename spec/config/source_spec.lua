-- SPDX-License-Identifier: Apache-2.0
local Source = require "config.source"

local function line_of(text, line, name, ...)
  return Source.new(text):line_of(line, name, { ... })
end

describe("source.line_of", function()
  it("is the call's line where there is no path", function()
    assert.equal(7, line_of("x", 7, nil))
  end)

  it("finds fields, quoted keys, items and what they hold", function()
    local text = [=[
vhost "a" {
  user = "x", ["root"]
    = 1,
  limits = {
    cpu = 5,
    [ 'wall' ] = 6;
  },
  hosts = { "a",
    "b", name = 1,
    "c" },
  [7] = 1,
}]=]
    assert.equal(2, line_of(text, 1, "a", "user"))
    assert.equal(2, line_of(text, 1, "a", "root"))
    assert.equal(4, line_of(text, 1, "a", "limits"))
    assert.equal(5, line_of(text, 1, "a", "limits", "cpu"))
    assert.equal(6, line_of(text, 1, "a", "limits", "wall"))
    assert.equal(4, line_of(text, 1, "a", "limits", "nothing"))
    assert.equal(8, line_of(text, 1, "a", "hosts", 1))
    assert.equal(9, line_of(text, 1, "a", "hosts", 2))
    assert.equal(10, line_of(text, 1, "a", "hosts", 3))
    assert.equal(11, line_of(text, 1, "a", 7))
    assert.equal(1, line_of(text, 1, "a", "nothing"))
  end)

  it("is not led astray by strings, comments and functions", function()
    local text = [==[
vhost "a" { -- } root = 1
  one = "} root = 2 \" ,", two = '{', --[[ root =
  ]] three = [=[ root = 3, ]] } ]=],
  four = function(x) if x then return { root = 4 }, 5 else for i = 1, 2 do local root = 6 end end end,
  five = function() repeat local root = 7 until x, y == 1 end,
  six = (a == { root = 8 }), seven = t[1],
  root = 1e-5,
}]==]
    assert.equal(7, line_of(text, 1, "a", "root"))
    assert.equal(6, line_of(text, 1, "a", "seven"))
    assert.equal(3, line_of(text, 1, "a", "three"))
  end)

  it("takes the last of a key that stands twice, as Lua does", function()
    assert.equal(3, line_of('vhost "a" {\nroot = 1,\nroot = 2 }', 1, "a", "root"))
  end)

  it("tells two statements on one line apart by their names", function()
    local text = 'vhost "a" { root = 1 } vhost "b" {\nroot = 2 }'
    assert.equal(1, line_of(text, 1, "a", "root"))
    assert.equal(2, line_of(text, 1, "b", "root"))
  end)

  it("falls back on the call's line where there is no constructor", function()
    assert.equal(1, line_of('vhost "a" (t)\nvhost "b" {\nroot = 1 }', 1, "a", "root"))
    assert.equal(9, line_of('vhost "a" {', 9, "a", "root"))
    assert.equal(0, line_of('vhost "a" {', 0, "a", "root"))
  end)

  it("ends where the text ends in the middle", function()
    for _, text in ipairs { 'vhost "a" {', 'vhost "a" { root', 'vhost "a" { [', 'vhost "a" { x = {', 'vhost "a" { x = [[' } do
      assert.equal(1, line_of(text, 1, "a", "root", "deeper"))
    end
  end)
end)
