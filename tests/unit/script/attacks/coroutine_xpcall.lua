-- expect: overtime
local function spin() while true do end end
coroutine.wrap(function() xpcall(spin, spin) spin() end)()
