-- SPDX-License-Identifier: Apache-2.0
-- gen_processes_docs.lua: docs/PROCESSES.md, the readable form of processes.lua.
-- Runs in: the build, under luajit, for gen_processes.lua.

local function condition(t)
  local value = t.value == "CAGE_OWN_PID_MARK" and "its own pid" or t.value
  if t.mask == "0xffffffff" then return ("argument %d is %s"):format(t.argument, value) end
  return ("argument %d %s %s"):format(t.argument, value == "0" and "lacks" or "has", t.mask)
end

-- One phrase for each call: "name (condition, or condition)".
local function calls_in_words(filter)
  local phrases, names = {}, {}
  for _, r in ipairs(filter.rules) do
    local tests = {}
    for i, t in ipairs(r.tests) do tests[i] = condition(t) end
    if not phrases[r.name] then
      phrases[r.name] = {}
      names[#names + 1] = r.name
    end
    if #tests > 0 then table.insert(phrases[r.name], table.concat(tests, " and ")) end
    if r.action ~= "allow" and r.action ~= "EPERM" then phrases[r.name].error = r.action end
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local list = phrases[name]
    names[i] = "`" .. name .. "`" .. (#list > 0 and " (" .. table.concat(list, ", or ") .. ")" or "")
      .. (list.error and " (answers " .. list.error .. ")" or "")
  end
  return table.concat(names, ", ")
end

local function list(names) return #names > 0 and table.concat(names, ", ") or "none" end

local function account(role)
  if role.name == "master" then return "root" end
  if not role.account then return "the vhost's owner" end
  return ("`%s`, or user and group %d where that account does not exist"):format(role.account, role.uid)
end

local function ending(role)
  if role.name == "master" then return "everything ends with it" end
  return role.drains and "it finishes what is open, for a few seconds" or "it is killed"
end

local function call_lines(role, flatten)
  if role.refuse then
    return { "* Refused in it and in everything that it starts: " .. calls_in_words(role.strict) .. "." }
  end
  if role.strict == role.loose then
    return { "* System calls; any other one ends it: " .. calls_in_words(role.strict) .. "." }
  end
  return {
    "* System calls where it is hardened; any other one ends it: " .. calls_in_words(role.strict) .. ".",
    "* Where it may compile Lua, of these instead: " .. calls_in_words({ rules = flatten(role.executable) }) .. ".",
  }
end

local function section(role, flatten)
  local reach = type(role.landlock) == "table" and "one directory to " .. table.concat(role.landlock, ", one to ")
    or role.landlock
  local lines = {
    "## " .. role.name, "",
    role.does .. " " .. table.concat(role.never, " "), "",
    "* Holds: " .. role.holds,
    "* Runs as: " .. account(role) .. ".",
    "* Exchanges messages with: " .. list(role.peers) .. ".",
    ("* Network: %s. Root directory: %s. Landlock: %s."):format(role.network, role.root, reach),
    ("* Capabilities: %s; for its first step: %s."):format(list(role.capabilities), list(role.first)),
    "* When master ends: " .. ending(role) .. ".",
  }
  for _, line in ipairs(call_lines(role, flatten)) do lines[#lines + 1] = line end
  return table.concat(lines, "\n") .. "\n"
end

--- Writes docs/PROCESSES.md.
---@param roles table[] as gen_processes.lua has read and resolved them
---@param flatten function from nested lists of calls to rules
---@return string
return function(roles, flatten)
  local parts = {
    "<!-- Generated from runtime/schema/processes.lua: do not edit. -->\n# The processes of luttpd\n\n"
    .. "What each kind of process is for, what it holds, and everything that the kernel lets it do. Arguments\n"
    .. "of system calls count from 0.\n",
  }
  for _, role in ipairs(roles) do parts[#parts + 1] = section(role, flatten) end
  return table.concat(parts, "\n")
end
