-- SPDX-License-Identifier: Apache-2.0
-- statements.lua: the globals with which a script speaks: server.lua or a policy, as its schema says.
-- Calls are only written down here, with their lines; they are judged when the script has ended.
-- A statement: kind ("vhost"), name (of a named one), line, value.

local check = require "config.check"
local kinds = require "config.kinds"
local show = require "config.show"
local unknown = require "config.unknown"

local ANY_NAME = { kind = "text", min = 1, max = 512 } -- what it means, whoever reads it finds out

local statements = {}

local function ignore() end

-- vhost "name" { ... }: two calls. The first is remembered until the second has come.
local function named(kind, rule, session)
  return function(given)
    local line = session.line()
    if unknown.is(given) then return ignore end
    local name, mistake = kinds[rule.kind](given, rule)
    if not name then
      session.mistakes:add(line, kind, mistake)
      return ignore
    end
    local statement = { kind = kind, name = name, line = line }
    session.open[statement] = true
    return function(value)
      if not session.open[statement] then
        session.mistakes:add(session.line(), show.path(kind, name, {}), "given two tables")
        return
      end
      session.open[statement] = nil
      statement.line, statement.value = session.line(), value
      session.list[#session.list + 1] = statement
    end
  end
end

local function plain(kind, session)
  return function(value)
    session.list[#session.list + 1] = { kind = kind, line = session.line(), value = value }
  end
end

local function known_names(environment)
  local names = {}
  for name in next, environment do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- What the schema does not know is a mistake where it is read, and where it is set.
local function guard(environment, session)
  local names = known_names(environment)
  local set = {}
  setmetatable(environment, {
    __metatable = false,
    __index = function(_, name)
      if type(name) ~= "string" then return nil end
      if set[name] ~= nil then return set[name] end
      local reason = check.unknown_name(name, names, session.schema.later)
      session.mistakes:add(session.line(), show.path(name, nil, {}), reason)
      return unknown.value
    end,
    __newindex = function(_, name, value)
      if type(name) == "string" and set[name] == nil then
        local reason = ("%s is set as a global: write local %s = ..."):format(show.name(name), name)
        session.mistakes:add(session.line(), show.path(name, nil, {}), reason)
        set[name] = value == nil and unknown.value or value
      end
    end,
  })
end

--- Puts the statements into the script's globals.
---@param environment table the globals, holding what the sandbox allows
---@param schema table statements, by name: rule; many, how often it may stand (else once); named: it
---  takes a name before its table, true or the rule of the name. later: names to come
---@param mistakes table see mistakes.lua
---@param line function gives the line of the script that is running
---@return table session list: the statements in order; open: named ones without a table
function statements.install(environment, schema, mistakes, line)
  local session = { list = {}, open = {}, schema = schema, mistakes = mistakes, line = line }
  for kind, statement in pairs(schema.statements) do
    local rule = statement.named == true and ANY_NAME or statement.named
    environment[kind] = rule and named(kind, rule, session) or plain(kind, session)
  end
  guard(environment, session)
  return session
end

return statements
