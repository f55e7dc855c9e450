-- expect: overtime
local sum = 0
for i = 1, 1e9 do
  for j = 1, 1e3 do
    sum = sum + i * j % 7
  end
end
return sum
