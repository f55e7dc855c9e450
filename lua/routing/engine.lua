-- SPDX-License-Identifier: Apache-2.0
-- engine.lua: runs in router. The policy's text was judged by config; here it runs once more, for its
-- functions, in globals of its own.
--
--   finish = engine.begin(environment, line)     environment gets the statement route
--   (run the policy in environment)
--   rules, reason = finish(file)                 rules, or why there are none

local check = require "config.check"
local rules = require "routing.rules"
local safe_lpeg = require "shared.safe_lpeg"
local schema = require "routing.schema"
local show = require "config.show"

local engine = {}

local function install(environment, line)
  local list = {}
  environment.lpeg = safe_lpeg()
  function environment.route(name)
    if type(name) ~= "string" then error("route: expected a pattern in quotes", 2) end
    local statement = { kind = "route", name = name, line = line() }
    return function(value)
      statement.value = value
      list[#list + 1] = statement
    end
  end
  return list
end

--- Prepares the run of a policy.
---@param environment table the script's globals
---@param line function gives the line of the policy that is running
---@return function finish
function engine.begin(environment, line)
  local statements = install(environment, line)
  return function(file)
    local first
    local function report(statement, path, reason)
      first = first or ("%s:%d: %s: %s"):format(file, statement.line, show.path("route", statement.name, path), reason)
    end
    local list = {}
    for i, statement in ipairs(statements) do
      statement.file = file
      local fields = check.statement(schema.statements.route.rule, statement.value, function(path, reason)
        report(statement, path, reason)
      end)
      list[i] = { statement = statement, fields = fields }
    end
    local made = rules.make(list, report)
    if first then return nil, first end
    return made
  end
end

return engine
