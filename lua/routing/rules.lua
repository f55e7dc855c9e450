-- SPDX-License-Identifier: Apache-2.0
-- rules.lua: from the statements of a routing policy, checked against schema.lua, to what decide.lua
-- asks: a tree of path segments for each host pattern. Runs in config, which wants the mistakes and
-- what the policy may answer, and in router, which wants the trees.

local action = require "routing.action"
local pattern = require "routing.pattern"

local FIELDS_MAX = 8 -- that a question may carry

local rules = {}

-- The trees -----------------------------------------------------------------------------------------

local function tree_of(self, where)
  local trees = self.trees[where.kind]
  if not trees[where.host] then trees[where.host] = { children = {} } end
  return trees[where.host]
end

local function insert(self, route, report)
  local node = tree_of(self, route.pattern)
  for _, segment in ipairs(route.pattern.segments) do
    node.children[segment] = node.children[segment] or { children = {} }
    node = node.children[segment]
  end
  if node.route then
    local first = node.route.statement.line
    return report(route.statement, {}, first and ("given twice: first on line %d"):format(first) or "given twice")
  end
  node.route = route
  self.routes[#self.routes + 1] = route
end

-- What the policy may answer and must know ------------------------------------------------------------

-- As records ROUTE_ALSO know patterns: a suffix is two of them.
local KINDS = {
  exact = { "exact" }, wildcard = { "wildcard" }, suffix = { "exact", "wildcard" }, any = { "default" },
}

local function allow(self, route)
  for _, choice in ipairs(route.may) do
    for _, kind in ipairs(KINDS[route.pattern.kind]) do
      local id = table.concat({ kind, route.pattern.host, choice.vhost }, " ")
      if not self.allowed[id] then
        self.allowed[id] = true
        self.may_answer[#self.may_answer + 1] = {
          kind = kind, host = route.pattern.host, vhost = choice.vhost,
          statement = route.statement, path = choice.path,
        }
      end
    end
  end
end

local function want_fields(self, route, report)
  for _, name in ipairs(route.wants) do
    if not self.wanted[name] then
      self.wanted[name] = true
      self.fields[#self.fields + 1] = name
      if #self.fields == FIELDS_MAX + 1 then
        report(route.statement, {}, ("routes look at %d different fields, cookie among them: %d are possible"):format(
          #self.fields, FIELDS_MAX))
      end
    end
  end
end

--- Puts the statements in order.
---@param list table[] each { statement = { name, line, ... }, fields = what check.statement gave }
---@param report function(statement, path, reason, missing) called once for each mistake
---@return table rules trees: by kind of host pattern, then host, each node { route, children };
---  routes in order; may_answer: each { kind, host, vhost, statement, path }, kinds as in ROUTE_ALSO;
---  fields: names that questions must carry
function rules.make(list, report)
  local self = {
    trees = { exact = {}, wildcard = {}, suffix = {}, any = {} },
    routes = {}, may_answer = {}, allowed = {}, fields = {}, wanted = {},
  }
  for _, item in ipairs(list) do
    local where, reason = pattern.parse(item.statement.name)
    if not where then
      report(item.statement, {}, reason)
    else
      local route = action.of(item.fields, item.statement, report)
      if route then
        route.statement, route.pattern = item.statement, where
        insert(self, route, report)
        allow(self, route)
        want_fields(self, route, report)
      end
    end
  end
  table.sort(self.fields)
  return self
end

return rules
