-- expect: overtime
local function fails(e) error(e) end
while true do
  xpcall(fails, fails, {})
end
