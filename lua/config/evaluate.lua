-- SPDX-License-Identifier: Apache-2.0
-- evaluate.lua: from the texts of server.lua and its policies to a plan or a list of mistakes. Runs in
-- config, trusted; the scripts themselves are run by the caller, within the sandbox's budgets:
--
--   evaluation = evaluate.begin(input, environment)      environment gets the statements of server.lua
--   (run server.lua in environment)                      failure: why it did not end, or nil
--   scripts = evaluation.scripts(failure)                each { kind, file, builtin }, see policies.lua
--   for each script, evaluation.unreadable(i, reason), or
--     evaluation.open(i, text, environment)              another environment
--     (run it there)
--     evaluation.close(i, failure)
--   result = evaluation.finish()
--
-- result: mistakes, a list of { file, line, key, reason }; where it is empty also plan (plan.lua)
-- and appendix, the text to append to the table of automatic users.

local accounts = require "config.accounts"
local Automatic = require "config.automatic"
local collect = require "config.collect"
local Mistakes = require "config.mistakes"
local Plan = require "config.plan"
local Policies = require "config.policies"
local schema = require "config.schema"
local Source = require "config.source"
local statements = require "config.statements"
local Users = require "config.users"

local AUTOMATIC_FILE = "automatic-users"

local evaluate = {}

local function load_users(input, mistakes)
  local automatic, line, reason = Automatic.parse(input.automatic)
  if not automatic then
    mistakes:add(line, "automatic_users", "the table of automatic users is damaged: " .. reason, AUTOMATIC_FILE)
    return nil
  end
  return Users.new { accounts = accounts.parse(input.passwd, input.group), automatic = automatic, roles = input.roles }
end

local Evaluation = {}

function Evaluation:scripts(failure)
  self.input.stopped = failure ~= nil
  if failure then self.mistakes:add_failure(failure) end
  self.collected = collect.statements(self.session, self.input.stopped)
  self.policies = Policies.new(self.collected, self.mistakes)
  return self.policies.list
end

function Evaluation:unreadable(i, reason)
  self.policies:unreadable(self.policies.list[i], reason)
end

function Evaluation:open(i, text, environment)
  self.policies:open(self.policies.list[i], text, environment, self.input.line)
end

function Evaluation:close(i, failure)
  self.policies:close(self.policies.list[i], failure)
end

function Evaluation:finish()
  local users = load_users(self.input, self.mistakes)
  local plan = Plan.make(self.input, self.collected, self.policies, users, self.mistakes)
  local mistakes = self.mistakes:sorted()
  self.policies:add_mistakes(mistakes)
  if #mistakes > 0 then return { mistakes = mistakes } end
  return { mistakes = {}, plan = plan, appendix = users.automatic:appendix() }
end

--- Prepares the evaluation.
---@param input table file, text, directory, passwd, group, automatic (texts), roles, single_user, uid,
---  gid, line (function of a file's name: the line of it that is running)
---@param environment table the globals of server.lua
---@return table evaluation the functions above
function evaluate.begin(input, environment)
  local self = { input = input, mistakes = Mistakes.new(input.file, Source.new(input.text)) }
  self.session = statements.install(environment, schema, self.mistakes, function() return input.line(input.file) end)
  local evaluation = {}
  for name, step in pairs(Evaluation) do
    evaluation[name] = function(...) return step(self, ...) end
  end
  return evaluation
end

return evaluate
