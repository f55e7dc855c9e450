-- SPDX-License-Identifier: Apache-2.0
-- harness.lua: evaluates a configuration as config does, with Lua's own load instead of the sandbox.

local evaluate = require "config.evaluate"

local ALLOWED = {
  "assert", "error", "ipairs", "math", "next", "pairs", "pcall", "select", "string", "table", "tonumber",
  "tostring", "type", "unpack", "coroutine",
}
local ROLES = {
  { name = "config", account = "_luttpd-config", uid = 1899999901 },
  { name = "logger", account = "_luttpd-log", uid = 1899999905 },
}
local PASSWD = [[
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/:/usr/sbin/nologin
www-data:x:33:33::/var/www:/usr/sbin/nologin
alice:x:1000:1000:Alice:/home/alice:/bin/bash
bob:x:1001:1001:Bob:/home/bob:/bin/bash
toor:x:0:0::/root:/bin/sh
_luttpd-router:x:1950:1950::/:/usr/sbin/nologin
builder:x:1002:998::/home/builder:/bin/sh
carol:x:1003:100::/home/carol:/bin/sh
dave:x:1004:100::/home/dave:/bin/sh
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
+nis::::::
]]
local GROUP = "root:x:0:\nusers:x:100:\ndocker:x:998:alice\nalice:x:1000:\nbob:x:1001:\nnogroup:x:65534:\n"

local harness = {}

local function line_of(chunk)
  for level = 2, 60 do
    local info = debug.getinfo(level, "Sl")
    if not info then return 0 end
    if info.source == chunk then return info.currentline end
  end
  return 0
end

local function run(text, environment)
  local chunk, failure = load(text, "@server.lua", "t", environment)
  if not chunk then return failure end
  local ok, message = pcall(chunk)
  return not ok and tostring(message) or nil
end

--- Evaluates text. options: any field of evaluate's input that shall differ.
function harness.evaluate(text, options)
  local environment = {}
  for _, name in ipairs(ALLOWED) do environment[name] = _G[name] end
  local input = {
    file = "server.lua", text = text, directory = "/etc/luttpd", passwd = PASSWD, group = GROUP,
    automatic = "", roles = ROLES, single_user = false, uid = 4242, gid = 4243,
    line = function() return line_of "@server.lua" end,
  }
  for key, value in pairs(options or {}) do input[key] = value end
  local finish = evaluate.begin(input, environment)
  return finish(run(text, environment))
end

--- The mistakes as lines "file:line: key: reason".
function harness.mistakes(text, options)
  local lines = {}
  for i, mistake in ipairs(harness.evaluate(text, options).mistakes) do
    lines[i] = ("%s:%d: %s: %s"):format(mistake.file, mistake.line, mistake.key, mistake.reason)
  end
  return lines
end

--- The plan, which there must be.
function harness.plan(text, options)
  local result = harness.evaluate(text, options)
  for _, mistake in ipairs(result.mistakes) do error(mistake.line .. ": " .. mistake.key .. ": " .. mistake.reason) end
  return result.plan, result.appendix
end

return harness
