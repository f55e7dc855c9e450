-- expect: failed resulting string too large
local list = {}
for i = 1, 1000 do
  list[i] = ""
end
return table.concat(list, ("s"):rep(1e6))
