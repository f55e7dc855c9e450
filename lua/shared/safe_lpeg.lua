-- SPDX-License-Identifier: Apache-2.0
-- safe_lpeg.lua: lpeg for a policy's script, in a VM where luttpd's own Lua uses lpeg too.
--
-- Each environment gets a copy of the table, so that what a script does to it nobody else sees, and the
-- metatable of patterns is hidden, because its __index is the table that luttpd's own code uses.
-- setmaxstack is left out: it is one setting for the whole VM. A repetition counts at most so far, because
-- lpeg writes it out, in one allocation that no budget interrupts.
-- What that is worth: a script cannot disturb luttpd's Lua by accident. It is no wall: a match is C, no
-- deadline interrupts it, and a grammar that tries exponentially many ways keeps its process busy until
-- the watchdog outside looks. Policies are the admin's own; the cage is what security rests on.

local lpeg = require "lpeg"

local NAMES = {
  "B", "C", "Carg", "Cb", "Cc", "Cf", "Cg", "Cmt", "Cp", "Cs", "Ct", "P", "R", "S", "V", "locale", "match", "type",
}

local REPEATS_MAX = 1024

local function check_count(n)
  if type(n) == "number" and not (n >= -REPEATS_MAX and n <= REPEATS_MAX) then
    error(("lpeg: %s is out of range: %d to %d"):format(tostring(n), -REPEATS_MAX, REPEATS_MAX), 3)
  end
end

local function pattern(value)
  check_count(value)
  return lpeg.P(value)
end

local metatable = getmetatable(lpeg.P(true))
if metatable then -- false: hidden already
  local power = metatable.__pow
  metatable.__metatable = false
  metatable.__pow = function(value, n)
    check_count(tonumber(n))
    return power(value, n)
  end
end

--- Makes a copy of lpeg's table.
---@return table
return function()
  local copy = {}
  for _, name in ipairs(NAMES) do copy[name] = lpeg[name] end
  copy.P = pattern
  return copy
end
