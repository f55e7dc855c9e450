-- SPDX-License-Identifier: Apache-2.0
-- routes.lua: what of a routing policy the router and the listeners must know beside its script: which
-- vhosts may answer for which hosts, and which fields its functions look at.

local check = require "config.check"

local MAY_MAX = 65536 -- ROUTE_ALSO records

local routes = {}

local function names_of(vhosts)
  local known, names = {}, {}
  for _, vhost in ipairs(vhosts) do
    local name = vhost.statement.name
    if not known[name] then names[#names + 1] = name end
    known[name] = true
  end
  table.sort(names)
  return known, names
end

-- A vhost that a route names in several places is reported in each of them, but once.
local function check_vhosts(script, vhosts)
  local known, names = names_of(vhosts)
  local reported = {}
  for _, may in ipairs(script.rules.may_answer) do
    local id = table.concat({ may.statement.line, may.vhost, unpack(may.path) }, " ")
    if not known[may.vhost] and not reported[id] then
      reported[id] = true
      script.mistakes:add_at(may.statement, may.path, check.unknown_vhost(may.vhost, names))
    end
  end
end

--- What the policy's records say.
---@param script table see policies.lua
---@param vhosts table[] the statements of server.lua
---@return table routing script, may_answer: each { kind, host, vhost }; fields: names
function routes.of(script, vhosts)
  local rules = script.rules
  if not rules then return { script = script, may_answer = {}, fields = {} } end
  check_vhosts(script, vhosts)
  if #rules.may_answer > MAY_MAX then
    script.mistakes:add(0, "route", ("the routes name %d pairs of a host and a vhost: at most %d are possible"):format(
      #rules.may_answer, MAY_MAX))
  end
  return { script = script, may_answer = rules.may_answer, fields = rules.fields }
end

return routes
