-- expect: failed
error(setmetatable({}, { __tostring = function() return {} end, __name = 7, __metatable = {} }))
