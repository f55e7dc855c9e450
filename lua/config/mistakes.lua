-- SPDX-License-Identifier: Apache-2.0
-- mistakes.lua: everything that is wrong with a configuration, with file, line, key path and reason.

local show = require "config.show"

local SHOWN_MAX = 100 -- more would bury the first; the rest is counted

local Mistakes = {}
Mistakes.__index = Mistakes

--- Starts an empty list.
---@param file string the configuration's name
---@param source table see source.lua
function Mistakes.new(file, source)
  return setmetatable({ file = file, source = source, list = {}, count = 0 }, Mistakes)
end

--- Adds a mistake that is no statement's: a syntax error, say.
function Mistakes:add(line, key, reason, file)
  self.count = self.count + 1
  if self.count > SHOWN_MAX then return end
  self.list[#self.list + 1] =
    { file = file or self.file, line = line, key = key, reason = reason, order = self.count }
end

--- Adds a mistake in a statement. missing: the name of a field that is not there, for the key path.
---@param statement table see statements.lua
---@param path table keys inside the statement's table
---@param reason string
---@param missing string|nil
function Mistakes:add_at(statement, path, reason, missing)
  if self.count >= SHOWN_MAX then return self:add(0, "", reason) end
  local line = self.source:line_of(statement.line, statement.name, path)
  local full = { unpack(path) }
  full[#full + 1] = missing
  self:add(line, show.path(statement.kind, statement.name, full), reason)
end

--- Adds the failure of the script itself. "server.lua:12: reason" has its line taken out; what has none
--- keeps its text.
---@param failure string
function Mistakes:add_failure(failure)
  local prefix = self.file .. ":"
  if failure:sub(1, #prefix) == prefix then
    local line, reason = failure:match("^(%d+):%s*(.*)$", #prefix + 1)
    if line then return self:add(tonumber(line), "", reason) end
  end
  self:add(0, "", failure)
end

--- All of them in the order of lines; those without a line last.
---@return table[] each { file, line, key, reason }
function Mistakes:sorted()
  table.sort(self.list, function(a, b)
    local first = a.line == 0 and math.huge or a.line
    local second = b.line == 0 and math.huge or b.line
    if first ~= second then return first < second end
    return a.order < b.order
  end)
  if self.count > SHOWN_MAX then
    local reason = ("and %d more mistakes"):format(self.count - SHOWN_MAX)
    self.list[#self.list + 1] = { file = self.file, line = 0, key = "", reason = reason }
    self.count = SHOWN_MAX
  end
  return self.list
end

return Mistakes
