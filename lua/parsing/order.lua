-- SPDX-License-Identifier: Apache-2.0
-- order.lua: in which order the conditions of a reject statement are looked at. Grammars have no names:
-- config counts them in this order, and so does the listener, which runs the same script again.
-- Reads what a script wrote, or what the checker made of it; both may hold anything.

local SUBJECTS = { "method", "host", "path", "query" }

local order = {}

-- Names of fields as the rules know them, sorted.
local function field_names(fields)
  local names, keys = {}, {}
  for key in next, fields do
    if type(key) == "string" then
      local name = key:lower()
      if keys[name] == nil then names[#names + 1] = name end
      keys[name] = key
    end
  end
  table.sort(names)
  return names, keys
end

local function visit_all(conditions, negated, visit)
  for _, subject in ipairs(SUBJECTS) do
    local value = rawget(conditions, subject)
    if value ~= nil then visit(subject, "", value, negated) end
  end
  local fields = rawget(conditions, "field")
  if type(fields) ~= "table" then return end
  local names, keys = field_names(fields)
  for _, name in ipairs(names) do visit("field", name, rawget(fields, keys[name]), negated) end
end

--- Visits the conditions of one reject statement.
---@param statement table its own conditions, and those of its unless
---@param visit function(subject, name, value, negated) name: of a field, in lower case, else empty
function order.each(statement, visit)
  visit_all(statement, false, visit)
  local unless = rawget(statement, "unless")
  if type(unless) == "table" then visit_all(unless, true, visit) end
end

return order
