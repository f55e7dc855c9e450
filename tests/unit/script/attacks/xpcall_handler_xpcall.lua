-- expect: overtime
local function spin() while true do end end
local function handler() xpcall(spin, spin) end
xpcall(spin, handler)
xpcall(spin, handler)
