-- expect: any
local self = setmetatable({}, {})
getmetatable(self).__tostring = function() return string.format("%s", self) end
assert(not pcall(tostring, self))
