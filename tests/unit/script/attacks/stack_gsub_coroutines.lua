-- expect: any
-- Each coroutine brings a Lua stack of its own, so LuaJIT's own limit never counts them together.
local function deep(level)
  local n = 0
  local function again()
    n = n + 1
    if n < 1200 then
      return (("y"):gsub("y", again))
    end
    assert(coroutine.resume(coroutine.create(deep), level + 1))
  end
  return (("y"):gsub("y", again))
end
local ok = pcall(deep, 1)
assert(not ok)
