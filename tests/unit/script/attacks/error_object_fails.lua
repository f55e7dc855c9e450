-- expect: failed
error(setmetatable({}, { __tostring = function() error("no text for you") end }))
