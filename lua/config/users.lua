-- SPDX-License-Identifier: Apache-2.0
-- users.lua: turns what a vhost says about its user into a UID and GID, and refuses the users that no
-- vhost may have: root, the accounts of the system and of luttpd, and one that another vhost has.

local nearest = require "shared.nearest"
local show = require "config.show"

local SYSTEM_MAX = 999   -- up to here, accounts and groups are the system's own
local GROUP_USERS = 100  -- the one of them that gives no privilege
local NOBODY = 65534
local UNSET = 4294967295
local SEARCHED_MAX = 2000 -- accounts among which a misspelt name is looked for
local PRIVILEGED = {
  adm = true, disk = true, docker = true, incus = true, ["incus-admin"] = true, kmem = true, kvm = true,
  libvirt = true, lxd = true, root = true, shadow = true, ["ssl-cert"] = true, staff = true, sudo = true,
  ["systemd-journal"] = true, tty = true, utmp = true, wheel = true,
}

local Users = {}
Users.__index = Users

--- Prepares to resolve users.
---@param facts table accounts, automatic (see those modules), roles: { name, uid } each
function Users.new(facts)
  local self = setmetatable({ accounts = facts.accounts, automatic = facts.automatic }, Users)
  self.reserved_uid, self.reserved_gid = {}, {}
  for _, role in ipairs(facts.roles) do
    self.reserved_uid[role.uid], self.reserved_gid[role.uid] = role.name, role.name
  end
  for name, user in pairs(facts.accounts.users) do
    if name:match "^_luttpd%-" then
      self.reserved_uid[user.uid], self.reserved_gid[user.gid] = name, name
    end
  end
  return self
end

--- Sets the range of automatic users, which no other vhost may have a user in.
---@param first integer
---@param count integer
function Users:set_range(first, count)
  self.first, self.last = first, first + count - 1
  self.automatic:range(first, count, function(uid) return self:taken(uid) end)
end

--- Says whose a number is, for the range of automatic users. Nil where it is nobody's.
function Users:taken(uid)
  local user, group = self.accounts.by_uid[uid], self.accounts.groups[uid]
  if user then return "the account " .. user.name end
  if group then return "the group " .. group end
  return self.reserved_uid[uid] and "luttpd itself"
end

local function uid_mistake(self, uid)
  if uid == 0 then return "UID 0 is root: a vhost never runs as root" end
  if self.reserved_uid[uid] then return ("UID %d is one of luttpd's own accounts"):format(uid) end
  if uid == NOBODY then return "nobody is not a user for a vhost: give it a user of its own, or \"auto\"" end
  if uid >= self.first and uid <= self.last or self.automatic.by_uid[uid] then
    return ("UID %d is kept for automatic users"):format(uid)
  end
  if uid <= SYSTEM_MAX then
    return ("UID %d is an account of the system: give the vhost a user of its own, or \"auto\""):format(uid)
  end
end

local function gid_mistake(self, gid)
  if self.reserved_gid[gid] then return ("its group %d is one of luttpd's own"):format(gid) end
  local name = self.accounts.groups[gid]
  local system = gid <= SYSTEM_MAX and gid ~= GROUP_USERS
  if system or gid == NOBODY or gid == UNSET or PRIVILEGED[name] then
    return ("its group %s (%d) is the system's: give the vhost a user of its own, or \"auto\""):format(name or "", gid)
  end
end

function Users:unknown_account(name)
  local known = self.accounts.names
  local meant = #known <= SEARCHED_MAX and nearest.find(name, known)
  local hint = meant and ('did you mean "%s"?'):format(meant) or 'create it, or write user = "auto"'
  return ("no account %s in /etc/passwd: %s"):format(show.name(name), hint)
end

-- Uid and gid of an account that exists, or of a bare number.
function Users:account(user)
  if type(user) == "number" then
    local known = self.accounts.by_uid[user]
    return user, known and known.gid or user
  end
  if user:match "^_luttpd%-" then return nil, nil, ("%s is one of luttpd's own accounts"):format(show.name(user)) end
  local known = self.accounts.users[user]
  if not known then return nil, nil, self:unknown_account(user) end
  return known.uid, known.gid
end

--- Resolves one vhost's user.
---@param vhost table name, user, shared_user
---@return table|nil user uid, gid, automatic
---@return string|nil reason
function Users:resolve(vhost)
  if vhost.user == "auto" then
    if vhost.shared_user then return nil, "an automatic user is never shared: name an account" end
    local uid, reason = self.automatic:user(vhost.name)
    return uid and { uid = uid, gid = uid, automatic = true }, reason
  end
  local uid, gid, reason = self:account(vhost.user)
  reason = reason or uid_mistake(self, uid) or gid_mistake(self, gid)
  if reason then return nil, reason end
  return { uid = uid, gid = gid, automatic = false }
end

local function grouped(vhosts, field)
  local groups = {}
  for _, vhost in ipairs(vhosts) do
    local id = vhost[field]
    groups[id] = groups[id] or {}
    table.insert(groups[id], vhost)
  end
  return groups
end

local function report_sharing(vhosts, field, what, report)
  local groups = grouped(vhosts, field)
  for _, vhost in ipairs(vhosts) do
    local group = groups[vhost[field]]
    if #group > 1 and not vhost.shared_user and not vhost.sharing_reported then
      local other = group[1] == vhost and group[2] or group[1]
      vhost.sharing_reported = true
      report(vhost, ('the vhost "%s" has the same %s (%d): give each its own, or write shared_user = true in both')
        :format(other.name, what, vhost[field]))
    end
  end
end

--- Finds vhosts that share a user, or a group (which may read the logs), without saying so.
---@param vhosts table[] resolved: name, uid, gid, shared_user
---@param report function(vhost, reason)
function Users.check_sharing(vhosts, report)
  report_sharing(vhosts, "uid", "user", report)
  report_sharing(vhosts, "gid", "group", report)
end

return Users
