-- SPDX-License-Identifier: Apache-2.0
-- collect.lua: a script's statements, each compared with its rule, sorted by what they are.

local check = require "config.check"

local collect = {}

local function add_once(self, statement, fields)
  local first = self.once[statement.kind]
  if first then
    self.mistakes:add_at(statement, {}, ("given twice: first on line %d"):format(first.statement.line))
    return
  end
  self.once[statement.kind] = { statement = statement, fields = fields or {} }
end

local function count(self, statement, known)
  local so_far = (self.seen[statement.kind] or 0) + 1
  self.seen[statement.kind] = so_far
  if known.many and so_far == known.many + 1 then
    self.mistakes:add_at(statement, {}, ("luttpd serves at most %d %s statements"):format(known.many, statement.kind))
  end
end

local function add(self, statement, known)
  count(self, statement, known)
  local fields = check.statement(known.rule, statement.value, function(path, reason, missing)
    self.mistakes:add_at(statement, path, reason, missing)
  end)
  if not known.many then return add_once(self, statement, fields) end
  if fields ~= nil then table.insert(self.many[statement.kind], { statement = statement, fields = fields }) end
end

--- Judges the statements one by one.
---@param session table see statements.lua
---@param stopped boolean the script did not reach its end, so that what is missing is no mistake
---@return table collected many: kind to list of { statement, fields }; once: kind to { statement, fields },
---  fields empty where they are mistaken; seen: kind to how often it stands, mistaken ones too
function collect.statements(session, stopped)
  local self = { mistakes = session.mistakes, once = {}, many = {}, seen = {} }
  for kind, known in pairs(session.schema.statements) do
    if known.many then self.many[kind] = {} end
  end
  for _, statement in ipairs(session.list) do
    add(self, statement, session.schema.statements[statement.kind])
  end
  for statement in pairs(stopped and {} or session.open) do
    self.mistakes:add_at(statement, {}, ('%s "%s" is not followed by a table { ... }'):format(
      statement.kind, statement.name))
    count(self, statement, {})
  end
  return self
end

return collect
