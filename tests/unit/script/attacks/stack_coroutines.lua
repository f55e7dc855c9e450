-- expect: any
local function again()
  local ok, e = coroutine.resume(coroutine.create(again))
  if not ok then
    error(e, 0)
  end
end
assert(not pcall(again))
