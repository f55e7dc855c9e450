-- SPDX-License-Identifier: Apache-2.0
-- run.lua: what a parsing policy's script says, when the listener runs it. What is data has come as
-- records, so statements of data do nothing here; on_head gives the hook, and reject its grammars.
-- Config has checked the same text, but it ran in another process, at another time: nothing is taken on
-- trust but what is counted again.

local lpeg = require "lpeg"
local order = require "parsing.order"
local safe_lpeg = require "shared.safe_lpeg"

local run = {}

local function ignore() end

local function named()
  return ignore
end

-- Matching gives true or nil, whatever the grammar captures.
local function keep_grammar(list, value)
  if lpeg.type(value) == "pattern" then
    list[#list + 1] = lpeg.Cc(true) * (value / 0)
  end
end

--- Puts the statements into the script's globals, and closes them: a hook that forgets a `local` fails
--- in its first request, not in a later one that sees what it left.
---@param environment table
---@return table session hook, a function or nil; grammars, a list in the order of parsing/order.lua
function run.install(environment)
  local session = { grammars = {} }
  environment.lpeg, environment.require = safe_lpeg(), nil
  environment.limits, environment.methods, environment.paths = ignore, ignore, ignore
  environment.field = named
  environment.reject = function(statement)
    if type(statement) ~= "table" then return end
    order.each(statement, function(_, _, value) keep_grammar(session.grammars, value) end)
  end
  environment.on_head = function(hook)
    if session.hook then error("on_head is given twice", 2) end
    if type(hook) ~= "function" then error("on_head takes a function", 2) end
    session.hook = hook
  end
  setmetatable(environment, {
    __metatable = false,
    __index = function(_, name) error(("unknown name %q"):format(tostring(name)), 2) end,
    __newindex = function(_, name) error(("%q is set as a global: write local"):format(tostring(name)), 2) end,
  })
  return session
end

run.match = lpeg.match

return run
