-- SPDX-License-Identifier: Apache-2.0
-- nearest.lua: the known name that somebody probably meant.

local floor, min = math.floor, math.min

local WORD_MAX = 64 -- longer words are not names, and the distance costs length squared

local nearest = {}

--- How many single edits (insert, delete, replace, swap of neighbours) lie between two words.
---@param a string
---@param b string
---@return integer
function nearest.distance(a, b)
  local before, last, row = {}, {}, {}
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    row[0] = i
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        cost = min(cost, before[j - 2] + 1)
      end
      row[j] = cost
    end
    before, last, row = last, row, before
  end
  return last[#b]
end

--- The name closest to word, or nil where none is close enough to be a slip of the finger.
--- Case does not count. Between equally close names the alphabetically first wins.
---@param word string
---@param names string[]
---@return string|nil
function nearest.find(word, names)
  if #word == 0 or #word > WORD_MAX then return nil end
  local best, best_distance
  for _, name in ipairs(names) do
    local distance = nearest.distance(word:lower(), name:lower())
    local closer = best == nil or distance < best_distance or (distance == best_distance and name < best)
    if distance <= floor(min(#word, #name) / 3) + (#name > 2 and 1 or 0) and distance < #name and closer then
      best, best_distance = name, distance
    end
  end
  return best
end

return nearest
