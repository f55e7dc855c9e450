-- SPDX-License-Identifier: Apache-2.0
-- safe_lpeg.lua: lpeg for a policy's script, in a VM where luttpd's own Lua uses lpeg too.
--
-- Each environment gets a copy of the table, so that what a script does to it nobody else sees, and the
-- metatable of patterns is hidden, because its __index is the table that luttpd's own code uses.
-- setmaxstack is left out: it is one setting for the whole VM.
-- What that is worth: a script cannot disturb luttpd's Lua by accident. It is no wall: a match is C, no
-- deadline interrupts it, and a grammar that tries exponentially many ways keeps its process busy until
-- the watchdog outside looks. Policies are the admin's own; the cage is what security rests on.

local lpeg = require "lpeg"

local NAMES = {
  "B", "C", "Carg", "Cb", "Cc", "Cf", "Cg", "Cmt", "Cp", "Cs", "Ct", "P", "R", "S", "V", "locale", "match", "type",
}

local metatable = getmetatable(lpeg.P(true))
if metatable then metatable.__metatable = false end -- false: hidden already

--- Makes a copy of lpeg's table.
---@return table
return function()
  local copy = {}
  for _, name in ipairs(NAMES) do copy[name] = lpeg[name] end
  return copy
end
