-- expect: overtime
local mt = {}
mt.__add = function(a) return a + a end
mt.__eq = function(a, b) return a ~= b end
mt.__lt = function(a, b) return b < a end
mt.__concat = function(a, b) return b .. a end
local a, b = setmetatable({}, mt), setmetatable({}, mt)
while true do
  pcall(function() return a + b end)
  pcall(function() return a == b end)
  pcall(function() return a < b end)
  pcall(function() return a .. b end)
end
