-- expect: any
local function again() return coroutine.wrap(again)() end
assert(not pcall(again))
