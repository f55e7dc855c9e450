-- SPDX-License-Identifier: Apache-2.0
-- policies.lua: which policies server.lua names, and what their scripts say. Each distinct file is one
-- script, evaluated once, in globals of its own; where server.lua names none, luttpd's own is.
--
-- A script: kind "parsing" or "routing"; file, its name in messages; builtin, it is luttpd's own;
-- text, once it was read; session and mistakes, once it was opened; collected, once it was closed.

local collect = require "config.collect"
local Mistakes = require "config.mistakes"
local safe_lpeg = require "shared.safe_lpeg"
local schema = require "config.schema"
local show = require "config.show"
local Source = require "config.source"
local statements = require "config.statements"

local SCHEMAS = { parsing = require "parsing.schema", routing = require "routing.schema" }
local RULES = { parsing = require "parsing.rules", routing = require "routing.rules" }
local BUILTIN = { parsing = "policy/parsing.lua", routing = "policy/routing.lua" }

local Policies = {}
Policies.__index = Policies

-- The script for a file; nil for luttpd's own.
local function want(self, kind, file, statement, path)
  local id = kind .. " " .. (file or "")
  local script = self.by_id[id]
  if script then return script end
  script = { kind = kind, file = file or BUILTIN[kind], builtin = not file, statement = statement, path = path }
  self.by_id[id] = script
  self.list[#self.list + 1] = script
  if kind == "parsing" then
    self.parsings[#self.parsings + 1] = script
    script.number = #self.parsings
    if script.number == schema.policies_max + 1 then
      self.server:add_at(statement, path, ("more than %d parsing policies"):format(schema.policies_max))
    end
  end
  return script
end

-- The file that a statement such as routing "routing.lua" names; false where that is mistaken.
local function named_file(collected, kind)
  local once = collected.once[kind]
  if not once then return nil end
  return type(once.fields) == "string" and once.fields, once.statement
end

--- Finds out which scripts there are.
---@param collected table of server.lua, see collect.lua
---@param server table server.lua's mistakes
---@return table policies list: the scripts in order; parsings: those with a number; routing
function Policies.new(collected, server)
  local self = setmetatable({ list = {}, by_id = {}, parsings = {}, server = server }, Policies)
  local common, stated = named_file(collected, "parsing")
  if common then want(self, "parsing", common, stated, {}) end
  for _, listen in ipairs(collected.many.listen) do
    local own = listen.fields.parsing
    listen.parsing = want(self, "parsing", own or common or nil, listen.statement, { own and "parsing" })
  end
  local file, statement = named_file(collected, "routing")
  self.routing = want(self, "routing", file or nil, statement, {})
  return self
end

--- Says that a script could not be read.
function Policies:unreadable(script, reason)
  self.server:add_at(script.statement, script.path, ("%s cannot be read: %s"):format(show.name(script.file), reason))
end

--- Puts the policy's statements into its globals.
---@param script table
---@param text string what the file holds
---@param environment table
---@param line function gives the line of a file that is running
function Policies:open(script, text, environment, line) -- luacheck: no self
  script.text = text
  script.mistakes = Mistakes.new(script.file, Source.new(text))
  environment.lpeg = safe_lpeg()
  script.session = statements.install(environment, SCHEMAS[script.kind], script.mistakes, function()
    return line(script.file)
  end)
end

--- Judges what the script said.
---@param script table
---@param failure string|nil why it did not reach its end
function Policies:close(script, failure) -- luacheck: no self
  if failure then script.mistakes:add_failure(failure) end
  script.collected = collect.statements(script.session, failure ~= nil)
  if script.mistakes.count > 0 then return end
  local collected = script.kind == "routing" and script.collected.many.route or script.collected
  script.rules = RULES[script.kind].make(collected, function(statement, path, reason, missing)
    script.mistakes:add_at(statement, path, reason, missing)
  end)
end

--- All mistakes of all scripts, by script.
---@param list table[] to which they are added
function Policies:add_mistakes(list)
  for _, script in ipairs(self.list) do
    for _, mistake in ipairs(script.mistakes and script.mistakes:sorted() or {}) do list[#list + 1] = mistake end
  end
end

return Policies
