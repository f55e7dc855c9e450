-- expect: oversize
local f = function() end
while true do
  local inner = f
  f = function() return inner end
end
