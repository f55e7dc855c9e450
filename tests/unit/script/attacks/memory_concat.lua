-- expect: failed resulting string too large
local part, list = ("p"):rep(1e6), {}
for i = 1, 1000 do
  list[i] = part
end
return table.concat(list)
