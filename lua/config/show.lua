-- SPDX-License-Identifier: Apache-2.0
-- show.lua: values and key paths as messages show them: short, on one line, nothing unprintable.

local SHOWN_MAX = 60

local show = {}

local function printable(text)
  if #text > SHOWN_MAX then text = text:sub(1, SHOWN_MAX) .. "..." end
  return (text:gsub("[%c\127]", function(c) return ("\\%03d"):format(c:byte()) end))
end

--- A value with its type: `the string "yes"`, `the number 7`, `a table`.
---@return string
function show.value(value)
  local kind = type(value)
  if kind == "string" then return ('the string "%s"'):format(printable(value)) end
  if kind == "number" then return ("the number %s"):format(tostring(value)) end
  if kind == "boolean" then return tostring(value) end
  if kind == "nil" then return "nothing" end
  return "a " .. kind
end

--- A name in quotes.
---@param text string
---@return string
function show.name(text)
  return ('"%s"'):format(printable(text))
end

local function part(key)
  if type(key) == "number" then return ("[%d]"):format(key) end
  if key:match "^[%a_][%w_]*$" then return "." .. printable(key) end
  return ('["%s"]'):format(printable(key))
end

--- A key path: `vhost.alice.limits.memory`, `vhost["a.b"].hosts[2]`.
---@param statement string
---@param name string|nil the name that the statement takes
---@param path table keys: strings and positions
---@return string
function show.path(statement, name, path)
  local parts = { statement, name and part(name) or "" }
  for _, key in ipairs(path) do
    parts[#parts + 1] = part(key)
  end
  return table.concat(parts)
end

return show
