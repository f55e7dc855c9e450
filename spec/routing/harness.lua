-- SPDX-License-Identifier: Apache-2.0
-- harness.lua: runs a routing policy as the router does, with Lua's own load instead of the sandbox.

local decide = require "routing.decide"
local engine = require "routing.engine"

local harness = {}

--- Runs the text. Returns rules, or nil and why.
function harness.rules(text)
  local environment = { pairs = pairs, ipairs = ipairs, error = error, string = string }
  local finish = engine.begin(environment, function() return debug.getinfo(3, "l").currentline end)
  assert(load(text, "@routing.lua", "t", environment))()
  return finish "routing.lua"
end

--- A request for host/path; changes: any other of its fields.
function harness.request(host, path, changes)
  local request = {
    method = "GET", host = host, path = path, query = "", scheme = "http",
    family = "inet", address = "\127\0\0\1", shown = "127.0.0.1", fields = {},
  }
  for key, value in pairs(changes or {}) do request[key] = value end
  return request
end

--- What the rules answer.
function harness.ask(rules, host, path, changes)
  return decide.answer(rules, harness.request(host, path, changes))
end

return harness
