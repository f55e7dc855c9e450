-- SPDX-License-Identifier: Apache-2.0
-- harness.lua: reads a parsing policy as config does, and runs it again as a listener does, with Lua's own
-- load instead of the sandbox.

local collect = require "config.collect"
local lpeg = require "lpeg"
local Mistakes = require "config.mistakes"
local rules = require "parsing.rules"
local run = require "parsing.run"
local schema = require "parsing.schema"
local Source = require "config.source"
local statements = require "config.statements"

local harness = {}

local function globals()
  return { lpeg = lpeg, string = string, table = table, pairs = pairs, ipairs = ipairs, error = error }
end

local function line_of(chunk)
  for level = 2, 60 do
    local info = debug.getinfo(level, "Sl")
    if not info then return 0 end
    if info.source == chunk then return info.currentline end
  end
  return 0
end

--- What config makes of a policy. Returns the policy and its mistakes as lines "line: key: reason".
function harness.read(text)
  local environment = globals()
  local mistakes = Mistakes.new("parsing.lua", Source.new(text))
  local session = statements.install(environment, schema, mistakes, function() return line_of "@parsing.lua" end)
  assert(load(text, "@parsing.lua", "t", environment))()
  local policy = rules.make(collect.statements(session, false), function(...) mistakes:add_at(...) end)
  local lines = {}
  for i, mistake in ipairs(mistakes:sorted()) do
    lines[i] = ("%d: %s: %s"):format(mistake.line, mistake.key, mistake.reason)
  end
  return policy, lines
end

--- The policy, in which there must be no mistake.
function harness.policy(text)
  local policy, mistakes = harness.read(text)
  assert(#mistakes == 0, table.concat(mistakes, "\n"))
  return policy
end

--- The mistakes, one a line.
function harness.mistakes(text)
  local _, mistakes = harness.read(text)
  return table.concat(mistakes, "\n")
end

--- What a listener collects when it runs the policy: a session of parsing/run.lua.
function harness.run(text)
  local environment = globals()
  local session = run.install(environment)
  assert(load(text, "@parsing.lua", "t", environment))()
  return session
end

return harness
