-- expect: overtime
local self = setmetatable({}, {})
getmetatable(self).__tostring = function() return tostring(self) .. "." end
while true do
  pcall(tostring, self)
end
