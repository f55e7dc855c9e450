-- expect: any
local depth = 0
local function again()
  depth = depth + 1
  return (("y"):gsub("y", again))
end
local ok = pcall(again)
assert(not ok and depth > 100)
