-- expect: overtime
local t = setmetatable({}, { __index = function(_, k) return k .. "x" end })
while true do
  local _ = t.a, t.b, t.c
end
