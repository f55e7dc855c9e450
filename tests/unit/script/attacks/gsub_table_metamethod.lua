-- expect: overtime
return ("a"):gsub("a", setmetatable({}, { __index = function() while true do end end }))
