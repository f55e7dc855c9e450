-- expect: oversize
local keep = {}
while true do
  keep[#keep + 1] = assert(load("return '" .. ("l"):rep(5000) .. #keep .. "'"))
end
