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

local function line_of(file)
  for level = 2, 60 do
    local info = debug.getinfo(level, "Sl")
    if not info then return 0 end
    if info.source == "@" .. file then return info.currentline end
  end
  return 0
end

local function run(text, file, environment)
  local chunk, failure = load(text, "@" .. file, "t", environment)
  if not chunk then return failure end
  local ok, message = pcall(chunk)
  return not ok and tostring(message) or nil
end

local function new_environment()
  local environment = {}
  for _, name in ipairs(ALLOWED) do environment[name] = _G[name] end
  return environment
end

local function builtin(file)
  local handle = assert(io.open("lua/" .. file))
  local text = handle:read "*a"
  handle:close()
  return text
end

local function run_policies(evaluation, scripts, files)
  for i, script in ipairs(scripts) do
    local text = script.builtin and builtin(script.file) or not script.builtin and files[script.file]
    if not text then
      evaluation.unreadable(i, "No such file or directory")
    else
      local environment = new_environment()
      evaluation.open(i, text, environment)
      evaluation.close(i, run(text, script.file, environment))
    end
  end
end

--- Evaluates text. options: any field of evaluate's input that shall differ; files: policies, by name.
function harness.evaluate(text, options)
  local environment = new_environment()
  local input = {
    file = "server.lua", text = text, directory = "/etc/luttpd", passwd = PASSWD, group = GROUP,
    automatic = "", roles = ROLES, single_user = false, uid = 4242, gid = 4243, line = line_of,
  }
  for key, value in pairs(options or {}) do input[key] = value end
  local evaluation = evaluate.begin(input, environment)
  local scripts = evaluation.scripts(run(text, "server.lua", environment))
  run_policies(evaluation, scripts, input.files or {})
  return evaluation.finish()
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
