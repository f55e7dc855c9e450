-- SPDX-License-Identifier: Apache-2.0
-- evaluate.lua: from the text of server.lua to a plan or a list of mistakes. Runs in config, trusted;
-- the script itself is run by the caller, within the sandbox's budgets, between begin and finish.
--
--   finish = evaluate.begin(input, environment)   environment gets the statements
--   (run the script in environment)
--   result = finish(failure)                      failure: why the script did not end, or nil
--
-- result: mistakes, a list of { file, line, key, reason }; where it is empty also plan (plan.lua)
-- and appendix, the text to append to the table of automatic users.

local accounts = require "config.accounts"
local Automatic = require "config.automatic"
local Mistakes = require "config.mistakes"
local Plan = require "config.plan"
local schema = require "config.schema"
local Source = require "config.source"
local statements = require "config.statements"
local Users = require "config.users"

local AUTOMATIC_FILE = "automatic-users"

local evaluate = {}

-- "server.lua:12: reason" has its line taken out. What has none keeps its text.
local function add_failure(mistakes, file, failure)
  local prefix = file .. ":"
  if failure:sub(1, #prefix) == prefix then
    local line, reason = failure:match("^(%d+):%s*(.*)$", #prefix + 1)
    if line then return mistakes:add(tonumber(line), "", reason) end
  end
  mistakes:add(0, "", failure)
end

local function load_users(input, mistakes)
  local automatic, line, reason = Automatic.parse(input.automatic)
  if not automatic then
    mistakes:add(line, "automatic_users", "the table of automatic users is damaged: " .. reason, AUTOMATIC_FILE)
    return nil
  end
  return Users.new { accounts = accounts.parse(input.passwd, input.group), automatic = automatic, roles = input.roles }
end

--- Prepares the evaluation.
---@param input table file, text, directory, passwd, group, automatic (texts), roles, single_user, uid,
---  gid, line (function: the line of server.lua that is running)
---@param environment table the script's globals
---@return function finish
function evaluate.begin(input, environment)
  local mistakes = Mistakes.new(input.file, Source.new(input.text))
  local session = statements.install(environment, schema, mistakes, input.line)
  return function(failure)
    input.stopped = failure ~= nil
    if failure then add_failure(mistakes, input.file, failure) end
    local users = load_users(input, mistakes)
    local plan = Plan.make(input, session, users, mistakes)
    if mistakes.count > 0 then return { mistakes = mistakes:sorted() } end
    return { mistakes = {}, plan = plan, appendix = users.automatic:appendix() }
  end
end

return evaluate
