-- expect: overtime
local t = {}
for i = 1, 50000 do
  t["k" .. i] = i
end
while true do
  local k = next(t)
  if k == nil then
    t.x = 1
  else
    t[k] = nil
  end
end
