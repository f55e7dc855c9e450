-- SPDX-License-Identifier: Apache-2.0
-- automatic.lua: which UID each vhost with user = "auto" has. The table is a text file that only ever
-- grows: a first line that names the format, then "uid vhost" lines. A UID is never given twice, not
-- even after its vhost is gone; a file that does not read as expected is a mistake, never replaced.

local HEADER = "luttpd automatic users 1"

local Automatic = {}
Automatic.__index = Automatic

local function entry(self, line)
  local uid, name = line:match "^(%d+) ([%l%d][%l%d._-]*)$"
  uid = uid and #uid <= 10 and tonumber(uid)
  if not uid or uid < 1 or uid > 4294967293 then return "not a line of the form \"uid vhost\"" end
  if self.by_name[name] then return ("the vhost %s stands there twice"):format(name) end
  if self.by_uid[uid] then return ("the user %d stands there twice"):format(uid) end
  self.by_name[name], self.by_uid[uid] = uid, name
end

--- Reads the table.
---@param text string the file; empty where it is new
---@return table|nil automatic
---@return integer|nil line of the damage
---@return string|nil reason
function Automatic.parse(text)
  local self = setmetatable({ by_name = {}, by_uid = {}, added = {}, empty = text == "" }, Automatic)
  if text == "" then return self end
  if text:sub(-1) ~= "\n" then
    local _, lines = text:gsub("\n", "")
    return nil, lines + 1, "the last line is cut short: if it was never finished, remove it"
  end
  local number = 0
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    if number == 1 and line ~= HEADER then return nil, 1, ("the first line is not %q"):format(HEADER) end
    local reason = number > 1 and entry(self, line)
    if reason then return nil, number, reason end
  end
  return self
end

--- Sets the range from which new users come, and who else has which numbers.
---@param first integer
---@param count integer
---@param taken function(uid) gives a true value where the number is somebody else's
function Automatic:range(first, count, taken)
  self.first, self.last, self.taken = first, first + count - 1, taken
  self.next = first
  for uid in pairs(self.by_uid) do
    if uid >= first and uid <= self.last and uid >= self.next then self.next = uid + 1 end
  end
end

--- The user of a vhost: the one it has, else a new one.
---@param name string
---@return integer|nil uid
---@return string|nil reason
function Automatic:user(name)
  local uid = self.by_name[name]
  if uid then
    local owner = self.taken(uid)
    if owner then return nil, ("its automatic user %d now belongs to %s"):format(uid, owner) end
    return uid
  end
  while self.next <= self.last and (self.taken(self.next) or self.by_uid[self.next]) do
    self.next = self.next + 1
  end
  if self.next > self.last then
    return nil, ("no automatic user is left between %d and %d: give automatic_users a larger count"):format(
      self.first, self.last)
  end
  uid, self.next = self.next, self.next + 1
  self.by_name[name], self.by_uid[uid] = uid, name
  self.added[#self.added + 1] = ("%d %s\n"):format(uid, name)
  return uid
end

--- What must be appended to the file before the plan may be used; empty where nothing is new.
---@return string
function Automatic:appendix()
  if #self.added == 0 then return "" end
  return (self.empty and HEADER .. "\n" or "") .. table.concat(self.added)
end

return Automatic
