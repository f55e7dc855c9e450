-- expect: overtime
while true do
  print(("p"):rep(10000), setmetatable({}, { __tostring = function() return "t" end }))
end
