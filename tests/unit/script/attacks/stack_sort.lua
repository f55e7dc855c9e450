-- expect: any
local function again()
  table.sort({ 1, 2, 3 }, again)
end
assert(not pcall(again))
