-- expect: any
local function again() return (xpcall(again, again)) end
again()
local function handler(e) error(e) end
local function nest() xpcall(nest, handler) error("up") end
pcall(nest)
