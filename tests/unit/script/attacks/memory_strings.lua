-- expect: oversize
local t, filler = {}, ("f"):rep(2000)
for i = 1, 1e9 do
  t[i] = filler .. i
end
