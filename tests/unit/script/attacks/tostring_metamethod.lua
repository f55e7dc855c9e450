-- expect: overtime
local hang = setmetatable({}, { __tostring = function() while true do end end })
pcall(tostring, hang)
pcall(print, hang)
return string.format("%s", hang)
