-- expect: overtime
local n = 0LL
while true do
  n = n + 1LL
end
