-- expect: oversize
local queue = {}
while true do
  table.insert(queue, 1 + #queue, { queue })
end
