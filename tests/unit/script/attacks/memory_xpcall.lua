-- expect: oversize
local keep = {}
local function fill()
  while true do
    keep[#keep + 1] = ("k"):rep(1000) .. #keep
  end
end
xpcall(fill, fill)
fill()
