-- SPDX-License-Identifier: Apache-2.0
-- size.lua: amounts of memory as people write them, "128MB", in bytes. A KB is 1024 bytes, as
-- everywhere where memory is meant; "KiB" says the same.

local lpeg = require "lpeg"
local nearest = require "shared.nearest"

local UNITS = {
  B = 1, KB = 2 ^ 10, MB = 2 ^ 20, GB = 2 ^ 30, KiB = 2 ^ 10, MiB = 2 ^ 20, GiB = 2 ^ 30,
}
local NAMES = { "B", "KB", "MB", "GB", "KiB", "MiB", "GiB" }
local LETTERS = { k = "KB", K = "KB", m = "MB", M = "MB", g = "GB", G = "GB", b = "B" }
local SCALE = { "GB", "MB", "KB", "B" }
local DIGITS_MAX = 15

local digit = lpeg.R "09"
local number = lpeg.C(digit ^ 1 * (lpeg.P "." * digit ^ 1) ^ -1)
local grammar = number * lpeg.C(lpeg.P(1) ^ 0) * -1

local size = {}

local function unit_error(amount, unit)
  if unit == "" then
    return ('"%s" has no unit: write "%sMB" or "%sKB"'):format(amount, amount, amount)
  end
  local word = unit:match "^%s*(.*)$"
  local known = LETTERS[word] or nearest.find(word, NAMES)
  local hint = known and (': did you mean "%s%s"?'):format(amount, known) or ": use B, KB, MB or GB"
  return ('"%s" is not a unit of size%s'):format(unit, hint)
end

--- Reads a size.
---@param text string
---@return integer|nil bytes
---@return string|nil message
function size.parse(text)
  local amount, unit = grammar:match(text)
  if not amount then return nil, 'not a size: write a number and a unit, such as "128MB"' end
  if not UNITS[unit] then return nil, unit_error(amount, unit) end
  local bytes = tonumber(amount) * UNITS[unit]
  if #amount > DIGITS_MAX or bytes > 2 ^ 53 then return nil, "more than luttpd can count" end
  if bytes % 1 ~= 0 then return nil, "finer than a byte" end
  return bytes
end

--- Writes a size in the largest unit that divides it.
---@param bytes integer
---@return string
function size.format(bytes)
  for _, unit in ipairs(SCALE) do
    if bytes >= UNITS[unit] and bytes % UNITS[unit] == 0 then
      return ("%d%s"):format(bytes / UNITS[unit], unit)
    end
  end
  return "0B"
end

return size
