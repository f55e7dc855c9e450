-- SPDX-License-Identifier: Apache-2.0
-- unknown.lua: the value of a name that the schema does not know. It can be called, indexed and
-- calculated with, so that one mistake does not hide those behind it; the checker passes over it.

local UNKNOWN = {}

local function itself()
  return UNKNOWN
end

setmetatable(UNKNOWN, {
  __name = "unknown",
  __metatable = false,
  __index = function(_, key) if type(key) == "string" then return UNKNOWN end end,
  __newindex = function() end,
  __call = itself, __unm = itself, __concat = itself,
  __add = itself, __sub = itself, __mul = itself, __div = itself, __mod = itself, __pow = itself,
  __lt = function() return false end,
  __le = function() return false end,
  __tostring = function() return "unknown" end,
})

local unknown = { value = UNKNOWN }

--- Says whether a value came from an unknown name.
---@return boolean
function unknown.is(value)
  return rawequal(value, UNKNOWN)
end

return unknown
