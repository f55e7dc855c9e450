-- SPDX-License-Identifier: Apache-2.0
-- duration.lua: lengths of time as people write them, "100ms" or "1.5s", in milliseconds.

local lpeg = require "lpeg"
local nearest = require "shared.nearest"

local UNITS = { ms = 1, s = 1000, m = 60 * 1000, h = 60 * 60 * 1000, d = 24 * 60 * 60 * 1000 }
local NAMES = { "ms", "s", "m", "h", "d" }
local DIGITS_MAX = 15 -- more would not be exact in a double

local digit = lpeg.R "09"
local number = lpeg.C(digit ^ 1 * (lpeg.P "." * digit ^ 1) ^ -1)
local grammar = number * lpeg.C(lpeg.P(1) ^ 0) * -1

local duration = {}

local function unit_error(amount, unit)
  if unit == "" then
    return ('"%s" has no unit: write "%sms" or "%ss"'):format(amount, amount, amount)
  end
  local known = nearest.find(unit:match "^%s*(.*)$", NAMES)
  local hint = known and (': did you mean "%s%s"?'):format(amount, known) or ": use ms, s, m, h or d"
  return ('"%s" is not a unit of time%s'):format(unit, hint)
end

--- Reads a duration.
---@param text string
---@return integer|nil milliseconds
---@return string|nil message
function duration.parse(text)
  local amount, unit = grammar:match(text)
  if not amount then return nil, 'not a duration: write a number and a unit, such as "100ms" or "10s"' end
  if not UNITS[unit] then return nil, unit_error(amount, unit) end
  local milliseconds = tonumber(amount) * UNITS[unit]
  if #amount > DIGITS_MAX or milliseconds > 2 ^ 53 then return nil, "longer than luttpd can count" end
  if milliseconds % 1 ~= 0 then return nil, "finer than a millisecond" end
  return milliseconds
end

--- Writes a duration in the largest unit that divides it.
---@param milliseconds integer
---@return string
function duration.format(milliseconds)
  for i = #NAMES, 1, -1 do
    local size = UNITS[NAMES[i]]
    if milliseconds >= size and milliseconds % size == 0 then
      return ("%d%s"):format(milliseconds / size, NAMES[i])
    end
  end
  return "0ms"
end

return duration
