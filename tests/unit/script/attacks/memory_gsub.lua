-- expect: oversize
local s = ("a"):rep(10000)
return s:gsub("a", s)
