-- expect: oversize
local keep = {}
while true do
  pcall(function()
    while true do
      keep[#keep + 1] = ("k"):rep(1000) .. #keep
    end
  end)
end
