-- expect: any
local function again()
  assert(load(again))
end
assert(not pcall(again))
