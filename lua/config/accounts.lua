-- SPDX-License-Identifier: Apache-2.0
-- accounts.lua: the accounts of /etc/passwd and /etc/group, read from their text as passwd(5) and
-- group(5) describe it. No name service is asked: an account that only LDAP or systemd-homed knows
-- is given by its number.

local accounts = {}

local function number(text)
  local value = text:match "^%d+$" and tonumber(text)
  return value and value <= 4294967294 and value or nil
end

--- Reads both files. Lines that are no entries (NIS's "+", comments, damaged ones) are passed over,
--- as libc does. Of two entries with one name or number the first counts.
---@param passwd string
---@param group string
---@return table accounts users: name to { name, uid, gid }; by_uid; groups: gid to name; names: in order
function accounts.parse(passwd, group)
  local users, by_uid, groups, names = {}, {}, {}, {}
  for name, uid, gid in passwd:gmatch "([^:\n]*):[^:\n]*:([^:\n]*):([^:\n]*):[^\n]*" do
    uid, gid = number(uid), number(gid)
    if uid and gid and name ~= "" and not name:match "^[+-]" then
      local user = { name = name, uid = uid, gid = gid }
      if not users[name] then
        users[name] = user
        names[#names + 1] = name
      end
      by_uid[uid] = by_uid[uid] or user
    end
  end
  for name, gid in group:gmatch "([^:\n]*):[^:\n]*:([^:\n]*):?[^\n]*" do
    gid = number(gid)
    if gid and name ~= "" and not name:match "^[+-]" then groups[gid] = groups[gid] or name end
  end
  return { users = users, by_uid = by_uid, groups = groups, names = names }
end

return accounts
