-- SPDX-License-Identifier: Apache-2.0
-- plan.lua: judges the statements together, and makes the plan of them: what must be unique is,
-- defaults are filled in, users are numbers, paths are absolute.

local kinds = require "config.kinds"
local limits = require "config.limits"
local routes = require "config.routes"
local schema = require "config.schema"
local show = require "config.show"
local Users = require "config.users"

local PATH_MAX = 4095
local LOGS_DEFAULT = "/var/log/luttpd"
local LOGS_SINGLE_USER = "logs" -- beside the configuration: /var/log is not the caller's

local Plan = {}

-- Listening -------------------------------------------------------------------------------------

local function report_twice(self, listen, endpoint, processes)
  local id = ("%s %s %d"):format(endpoint.family, endpoint.address, endpoint.port)
  local asks_kernel = endpoint.family ~= "unix" and endpoint.port == 0
  if self.endpoints[id] and not asks_kernel then
    self.mistakes:add_at(listen.statement, { 1 }, ("%s is listened on twice: first on line %d"):format(
      show.name(endpoint.text), self.endpoints[id]))
  elseif endpoint.family == "unix" and processes > 1 then
    self.mistakes:add_at(listen.statement, { "processes" }, "a unix socket is served by one process")
  end
  self.endpoints[id] = self.endpoints[id] or listen.statement.line
end

local function report_tcp(self, listen, endpoint)
  for _, name in ipairs { "defer_accept", "fast_open" } do
    if endpoint.family == "unix" and listen.fields[name] then
      self.mistakes:add_at(listen.statement, { name }, "is for TCP, not for a unix socket")
    end
  end
end

local function networks_of(fields)
  local list = {}
  for _, trust in ipairs { "proxy_protocol", "proxies" } do
    for _, item in ipairs(fields[trust] or {}) do
      local network = item.value
      list[#list + 1] = {
        trust = trust == "proxies" and "forwarded" or trust,
        family = network.family, address = network.address, bits = network.bits,
      }
    end
  end
  return list
end

local function plan_listen(self, listen)
  local fields, rules = listen.fields, listen.parsing.rules
  local endpoint, processes = fields[1], fields.processes or 1
  report_twice(self, listen, endpoint, processes)
  report_tcp(self, listen, endpoint)
  return {
    family = endpoint.family, address = endpoint.address, port = endpoint.port, processes = processes,
    defer_accept = fields.defer_accept == true, fast_open = fields.fast_open == true,
    policy = listen.parsing.number, networks = networks_of(fields),
    limits = limits.merge(fields.limits, rules and rules.limits),
  }
end

local function listens(self)
  local list, listeners = {}, 0
  for _, listen in ipairs(self.many.listen) do
    if listen.fields[1] then
      list[#list + 1] = plan_listen(self, listen)
      listeners = listeners + list[#list].processes
    end
  end
  if listeners > schema.listeners_max then
    self.mistakes:add(0, "listen", ("%d listener processes together: luttpd runs at most %d"):format(
      listeners, schema.listeners_max))
  end
  return list
end

-- Hosts -----------------------------------------------------------------------------------------

local function claim_hosts(self, vhost, hosts)
  local claimed = {}
  for _, item in ipairs(hosts) do
    local pattern = item.value
    local holder = self.hosts[pattern.text]
    if holder then
      local whose = holder == vhost and "this vhost" or ('the vhost "%s"'):format(holder.statement.name)
      self.mistakes:add_at(vhost.statement, { "hosts", item.at }, ("%s already belongs to %s"):format(
        show.name(pattern.text), whose))
    else
      self.hosts[pattern.text] = vhost
      claimed[#claimed + 1] = { kind = pattern.kind, host = pattern.host }
    end
  end
  return claimed
end

local function claim_default(self, vhost, claimed)
  if self.default then
    self.mistakes:add_at(vhost.statement, { "default" }, ('the vhost "%s" is the default already'):format(
      self.default.statement.name))
  else
    self.default = vhost
    claimed[#claimed + 1] = { kind = "default", host = "" }
  end
end

local function hosts_of(self, vhost)
  local fields = vhost.fields
  local claimed = claim_hosts(self, vhost, fields.hosts or {})
  if fields.default then claim_default(self, vhost, claimed) end
  local given = type(vhost.statement.value) == "table" and rawget(vhost.statement.value, "hosts")
  local mistaken = given and not (type(given) == "table" and next(given) == nil) -- which has been told
  if #claimed == 0 and not mistaken and fields.default == nil then
    self.mistakes:add_at(vhost.statement, {}, 'no host leads here: write hosts = { "name.example" } or default = true',
      "hosts")
  end
  return claimed
end

-- Vhosts ----------------------------------------------------------------------------------------

local function absolute(self, path)
  if path:sub(1, 1) ~= "/" then path = self.input.directory .. "/" .. path end
  path = path:gsub("/+", "/")
  repeat
    local before = path
    path = path:gsub("/%./", "/"):gsub("/%.$", "/")
  until path == before
  return #path > 1 and path:gsub("/$", "") or path
end

local function directory_of(self, statement, key, path)
  local full = absolute(self, path)
  if #full > PATH_MAX then
    local reason = ("the path is longer than %d bytes with its directory"):format(PATH_MAX)
    self.mistakes:add_at(statement, { key }, reason)
  end
  return full
end

local function limits_of(self, fields)
  local own = fields.limits or {}
  local common = self.once.defaults and self.once.defaults.fields.limits or {}
  local merged = {}
  for name, rule in pairs(schema.limits.fields) do
    merged[name] = own[name] or common[name] or kinds.default(rule)
  end
  return merged
end

local function hardened(self, fields)
  if fields.hardened ~= nil then return fields.hardened end
  return self.once.defaults ~= nil and self.once.defaults.fields.hardened == true
end

local function user_of(self, vhost)
  local fields, input = vhost.fields, self.input
  if input.single_user then return { uid = input.uid, gid = input.gid, automatic = false } end
  if fields.user == nil or not self.users then return nil end
  local user, reason =
    self.users:resolve { name = vhost.statement.name, user = fields.user, shared_user = fields.shared_user }
  if not user then self.mistakes:add_at(vhost.statement, { "user" }, reason) end
  return user
end

local function plan_vhost(self, vhost)
  local fields, statement = vhost.fields, vhost.statement
  local budget, user = limits_of(self, fields), user_of(self, vhost)
  local hosts = hosts_of(self, vhost)
  local root = fields.root and directory_of(self, statement, "root", fields.root)
  if not user or not root then return nil end
  return {
    statement = statement, name = statement.name, hosts = hosts, root = root,
    uid = user.uid, gid = user.gid, automatic = user.automatic, shared_user = fields.shared_user == true,
    memory_bytes = budget.memory, cpu_ms = budget.cpu, wall_ms = budget.wall, processes = budget.processes,
    hardened = hardened(self, fields),
  }
end

local function vhosts(self)
  local list, lines = {}, {}
  for _, vhost in ipairs(self.many.vhost) do
    local name, line = vhost.statement.name, vhost.statement.line
    if lines[name] then
      local reason = ("there are two vhosts of this name: first on line %d"):format(lines[name])
      self.mistakes:add_at(vhost.statement, {}, reason)
    else
      lines[name] = line
      list[#list + 1] = plan_vhost(self, vhost)
    end
  end
  if not self.input.single_user then
    Users.check_sharing(list, function(vhost, reason)
      self.mistakes:add_at(vhost.statement, { "user" }, reason)
    end)
  end
  return list
end

-- The whole ------------------------------------------------------------------------------------

local function check_presence(self)
  if self.input.stopped then return end
  if not self.seen.listen then
    self.mistakes:add(0, "listen", 'no listen: the server would answer nowhere; write listen "0.0.0.0:80"')
  end
  if not self.seen.vhost then
    self.mistakes:add(0, "vhost", 'no vhost: the server would answer nobody; write vhost "name" { ... }')
  end
  if self.input.single_user and self.input.uid == 0 then
    self.mistakes:add(0, "", "single-user mode runs every vhost as its caller, and root is not a user for that")
  end
end

local function set_range(self)
  if not self.users then return end
  local fields = self.once.automatic_users and self.once.automatic_users.fields or {}
  local rules = schema.statements.automatic_users.rule.fields
  local first, size = fields.first or rules.first.default, fields.count or rules.count.default
  if first + size - 1 > rules.first.max then
    local reason = ("the range ends above %d"):format(rules.first.max)
    self.mistakes:add(self.once.automatic_users.statement.line, "automatic_users", reason)
  end
  self.users:set_range(first, size)
end

local function logs(self)
  local stated = self.once.logs
  local fields = stated and stated.fields or {}
  local dir = fields.dir or (self.input.single_user and LOGS_SINGLE_USER or LOGS_DEFAULT)
  return absolute(self, dir), fields.format or schema.statements.logs.rule.fields.format.default
end

--- Makes the plan. Every mistake found is added to mistakes, or to those of a policy's script; the plan
--- counts only without any.
---@param input table directory, single_user, uid, gid; stopped: the script did not reach its end, so
---  that what is missing is no mistake
---@param collected table of server.lua, see collect.lua
---@param policies table see policies.lua
---@param users table|nil see users.lua; nil where their files are damaged
---@param mistakes table see mistakes.lua
---@return table plan logs, format, listens, vhosts, parsings (their scripts), routing
function Plan.make(input, collected, policies, users, mistakes)
  local self = {
    input = input, users = users, mistakes = mistakes, many = collected.many, once = collected.once,
    seen = collected.seen, hosts = {}, endpoints = {},
  }
  check_presence(self)
  set_range(self)
  local plan = { listens = listens(self), vhosts = vhosts(self), parsings = policies.parsings }
  plan.logs, plan.format = logs(self)
  plan.routing = routes.of(policies.routing, collected.many.vhost)
  return plan
end

return Plan
