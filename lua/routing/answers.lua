-- SPDX-License-Identifier: Apache-2.0
-- answers.lua: what a policy's function returned, judged: a vhost's name, nothing, or a table like a
-- route's; then how far it may be reused. Raises an error where it is none of these.

local action = require "routing.action"
local duration = require "shared.duration"
local show = require "config.show"

local TEXT_MAX, LOCATION_MAX, TIME_MAX_MS = 512, 2000, 2 ^ 32 - 1
local REUSE = { once = "once", path = "path", prefix = "route", host = "route" }

local answers = {}

local function refuse(route, reason, ...)
  local statement = route.statement
  error(('%s:%d: the function of route "%s" %s'):format(statement.file, statement.line, statement.name, reason:format(...)), 0)
end

local function only(route, given, what, names)
  for key in next, given do
    if not names[key] then
      refuse(route, "returned an unknown name in %s: %s", what, type(key) == "string" and show.name(key) or show.value(key))
    end
  end
end

local function field(route, given, name, kind)
  local value = rawget(given, name)
  if value ~= nil and type(value) ~= kind then refuse(route, "returned %s = %s", name, show.value(value)) end
  return value
end

local function milliseconds(route, given, name)
  local text = field(route, given, name, "string")
  local amount, reason = 0, nil
  if text then amount, reason = duration.parse(text) end
  if not amount or amount > TIME_MAX_MS then refuse(route, "returned %s: %s", name, reason or "too long") end
  return amount
end

local function status_of(route, value, mistake)
  local reason = value % 1 ~= 0 and "a status is a whole number" or mistake(value)
  if reason then refuse(route, "returned the status %s: %s", tostring(value), reason) end
  return value
end

local function redirect(route, given)
  only(route, given, "a redirect", { redirect = true, status = true })
  local location = field(route, given, "redirect", "string")
  local reason = #location > LOCATION_MAX and "too long" or action.location_mistake(location)
  if reason then refuse(route, "returned a redirect: %s", reason) end
  local status = status_of(route, field(route, given, "status", "number") or 302, action.redirect_mistake)
  return { verdict = "redirect", location = location, status = status, keep_path = false, keep_from = 0 }
end

local function answer(route, given)
  only(route, given, "an answer", { answer = true, text = true, retry = true })
  local text = field(route, given, "text", "string") or ""
  if #text > TEXT_MAX or text:find "%c" then
    refuse(route, "returned a text with control characters, or more than %d bytes", TEXT_MAX)
  end
  local status = status_of(route, field(route, given, "answer", "number"), action.status_mistake)
  return { verdict = "answer", status = status, text = text, retry_s = math.ceil(milliseconds(route, given, "retry") / 1000) }
end

local function vhost(route, name)
  if not route.vhosts[name] then refuse(route, "returned %s, which its vhosts do not name", show.name(name)) end
  return { verdict = "vhost", choices = { { vhost = name, weight = 1 } } }
end

local function verdict(route, given)
  if given == nil then return { verdict = "none" } end
  if type(given) == "string" then return vhost(route, given) end
  if type(given) ~= "table" then refuse(route, "returned %s", show.value(given)) end
  if rawget(given, "redirect") ~= nil then return redirect(route, given) end
  if rawget(given, "answer") ~= nil then return answer(route, given) end
  return refuse(route, "returned a table with neither redirect nor answer")
end

--- The answer of a function's results. reuse is "route" where it holds wherever this route is met.
---@param route table see action.lua
---@param given any
---@param options table|nil reuse, time
---@return table answer as decide.lua describes
function answers.of(route, given, options)
  local result = verdict(route, given)
  result.reuse = "once"
  if options == nil then return result end
  if type(options) ~= "table" then refuse(route, "returned %s behind its answer", show.value(options)) end
  only(route, options, "its options", { reuse = true, time = true })
  local reuse = field(route, options, "reuse", "string") or "once"
  if not REUSE[reuse] then refuse(route, 'returned reuse = %s: "once", "path", "prefix" or "host"', show.name(reuse)) end
  result.reuse, result.reuse_ms = REUSE[reuse], milliseconds(route, options, "time")
  return result
end

return answers
