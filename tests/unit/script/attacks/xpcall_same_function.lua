-- expect: overtime
local function spin() while true do end end
xpcall(spin, spin)
spin()
