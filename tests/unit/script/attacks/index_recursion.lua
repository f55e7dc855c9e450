-- expect: overtime
local deep = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
while true do
  pcall(function() return deep[1] end)
end
