-- expect: overtime
local list = {}
for i = 1, 20000 do
  list[i] = i % 7
end
while true do
  pcall(table.sort, list, rawequal)
end
