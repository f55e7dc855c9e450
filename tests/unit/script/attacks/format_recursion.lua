-- expect: overtime
local self = setmetatable({}, {})
getmetatable(self).__tostring = function() return string.format("<%s>", self) end
while true do
  pcall(tostring, self)
end
