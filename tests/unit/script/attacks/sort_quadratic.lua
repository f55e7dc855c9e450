-- expect: overtime
-- A sequence made against a quicksort with median of three: it is sorted by the positions at which
-- such a sort looks, so that each partition takes off two elements only.
local n = 60000
local value, at = {}, {}
for i = 1, n do
  at[i] = i
end
for left = 1, n - 2, 2 do
  local middle = math.floor((left + n) / 2)
  at[left + 1], at[middle] = at[middle], at[left + 1]
end
for i = 1, n do
  value[at[i]] = i
end
while true do
  local copy = {}
  for i = 1, n do
    copy[i] = value[i]
  end
  table.sort(copy)
end
