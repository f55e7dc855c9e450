-- expect: overtime
local list = {}
for i = 1, 1000 do
  list[i] = i
end
while true do
  pcall(table.sort, list, function()
    list[#list + 1] = 1
    list[#list] = nil
    return true
  end)
end
