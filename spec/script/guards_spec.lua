-- SPDX-License-Identifier: Apache-2.0
-- The guards over plain LuaJIT functions and checks that only keep count.
local WAIT = {}

local function guarded(marks)
  marks = marks or {}
  local calls = {}
  local function count(name)
    return function(...)
      calls[name] = { n = select("#", ...), ... }
    end
  end
  local allowed = {
    base = { error = error, type = type, xpcall = xpcall },
    string = { rep = string.rep, format = string.format },
    table = { concat = table.concat, sort = table.sort },
    coroutine = {},
  }
  for name, f in pairs(coroutine) do
    allowed.coroutine[name] = f
  end
  local check = {
    room = count "room",
    rep_size = count "rep_size",
    format_size = count "format_size",
    concat_size = count "concat_size",
    handler = function(f)
      return function(e) return "guarded " .. f(e) end
    end,
    is_handler = function(co) return marks[co] end,
  }
  assert(loadfile "lua/script/guards.lua")(allowed, check, WAIT)
  return allowed, calls
end

describe("guards", function()
  it("hand xpcall a handler that is guarded, and its arguments", function()
    local g = guarded()
    assert.same({ true, 3 }, { g.base.xpcall(function(a, b) return a + b end, print, 1, 2) })
    assert.same({ false, "guarded E" }, { g.base.xpcall(error, function(e) return e:upper() end, "e") })
  end)

  it("ask for the size before they build", function()
    local g, calls = guarded()
    assert.equal("x-x", g.string.rep("x", 2, "-"))
    assert.same({ n = 3, "x", 2, "-" }, calls.rep_size)
    assert.equal("1 a", g.string.format("%d %s", 1, "a"))
    assert.same({ n = 3, "%d %s", 1, "a" }, calls.format_size)
    assert.equal("b,c", g.table.concat({ "a", "b", "c" }, ",", 2))
    assert.same({ "a", "b", "c" }, calls.concat_size[1])
  end)

  it("sort as table.sort does, long lists by a comparison in Lua", function()
    local g = guarded()
    for _, n in ipairs { 0, 1, 10, 256, 257, 2000 } do
      local list, same = {}, {}
      for i = 1, n do
        list[i] = i * 7919 % 1009
        same[i] = list[i]
      end
      g.table.sort(list)
      table.sort(same)
      assert.same(same, list)
      g.table.sort(list, function(a, b) return a > b end)
      assert.is_true(n < 2 or list[1] >= list[n])
    end
  end)

  it("pass resume, yield and wrap through, counts of values included", function()
    local g = guarded()
    local co = g.coroutine.create(function(...)
      assert.equal(2, select("#", ...))
      assert.equal(0, select("#", g.coroutine.yield(nil, nil)))
    end)
    assert.equal(3, select("#", g.coroutine.resume(co, nil, nil)))
    assert.equal(1, select("#", g.coroutine.resume(co)))
    assert.same({ false, "cannot resume dead coroutine" }, { g.coroutine.resume(co) })
    local each = g.coroutine.wrap(function() g.coroutine.yield(1) error({ code = 5 }) end)
    assert.equal(1, each())
    local ok, e = pcall(each)
    assert.is_false(ok)
    assert.equal(5, e.code)
  end)

  it("pass a wait outwards through every coroutine and its answer back", function()
    local g = guarded()
    local host = coroutine.create(function()
      local inner = g.coroutine.wrap(function()
        local co = g.coroutine.create(function() return coroutine.yield(WAIT, "question") end)
        return select(2, g.coroutine.resume(co))
      end)
      return inner()
    end)
    assert.same({ true, WAIT, "question" }, { coroutine.resume(host) })
    assert.same({ true, "answer" }, { coroutine.resume(host, "answer") })
  end)

  it("hide the handler's coroutine, and only that", function()
    local marks = {}
    local g = guarded(marks)
    local hidden = coroutine.create(function() return g.coroutine.running() end)
    marks[hidden] = true
    assert.same({ true }, { coroutine.resume(hidden) })
    local own = coroutine.create(function() return g.coroutine.running() end)
    assert.same({ true, own }, { coroutine.resume(own) })
  end)
end)
