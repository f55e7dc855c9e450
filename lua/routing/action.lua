-- SPDX-License-Identifier: Apache-2.0
-- action.lua: what one route does. Each has exactly one action, and only the words that go with it.
--
-- A route: action, and by it
--   to        vhost
--   split     choices { { vhost, weight } ... }, by_client
--   redirect  location, status, keep_path
--   answer    status, text, retry_s
--   select    selector "cookie" or "field", name, values (value → vhost), vhost (else)
--   decide    decide (a function), vhosts (a set)
-- and networks (whose clients it is not for), may { { vhost, path } ... }, wants (fields' names).

local REDIRECTS = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

-- Which words go with which action; to with a cookie or field is select.
local WORDS = {
  to = {}, select = { cookie = true, field = true, values = true, to = true },
  split = { by = true }, redirect = { status = true, keep_path = true },
  answer = { text = true, retry = true }, decide = { vhosts = true, fields = true },
}

local ACTIONS = { "to", "split", "redirect", "answer", "decide" }

local action = {}

-- Pure checks, for functions' answers too ---------------------------------------------------------------

--- Why a text cannot be a redirect's location, or nil.
---@param text string
---@return string|nil reason
function action.location_mistake(text)
  if text:find "[^\33-\126]" or text:find '[\\"<>^`{|}]' then
    return "a location holds no spaces, quotes, backslashes or foreign letters: write them as %20 and the like"
  end
  local scheme, authority = text:match "^(%a+)://([^/?#]*)"
  if scheme then
    if scheme ~= "http" and scheme ~= "https" then return "a location begins with http:// or https://, or is a path" end
    if not authority:find "^[^:]" or authority:find("@", 1, true) then return "a location names a host, without a user" end
  elseif text:sub(1, 1) ~= "/" or text:sub(2, 2) == "/" then
    return 'a location is a whole one, such as "https://new.example", or a path, such as "/new"'
  end
end

--- The same for a status of an answer.
function action.status_mistake(status)
  if status ~= 200 and (status < 400 or status > 599) then return "an answer's status is 200, or 400 to 599" end
end

--- The same for a status of a redirect.
function action.redirect_mistake(status)
  if not REDIRECTS[status] then return "a redirect's status is 301, 302, 303, 307 or 308" end
end

-- Each action ---------------------------------------------------------------------------------------------

local function plain_items(list)
  local items = {}
  for i, item in ipairs(list or {}) do items[i] = item.value end
  return items
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local make = {}

function make.to(fields)
  return { vhost = fields.to, may = { { vhost = fields.to, path = { "to" } } } }
end

function make.split(fields, report)
  local route = { choices = {}, may = {}, by_client = fields.by ~= "request" }
  for _, vhost in ipairs(sorted_keys(fields.split)) do
    route.choices[#route.choices + 1] = { vhost = vhost, weight = fields.split[vhost] }
    route.may[#route.may + 1] = { vhost = vhost, path = { "split", vhost } }
  end
  if #route.choices == 0 then report({ "split" }, "names no vhost: write split = { one = 95, other = 5 }") end
  return route
end

function make.redirect(fields, report)
  local reason = action.location_mistake(fields.redirect)
  if reason then report({ "redirect" }, reason) end
  reason = fields.status and action.redirect_mistake(fields.status)
  if reason then report({ "status" }, reason) end
  if fields.keep_path and fields.redirect:find "[?#]" then
    report({ "redirect" }, "a location to which the path is added holds neither ? nor #")
  end
  local location = fields.keep_path and fields.redirect:gsub("/$", "") or fields.redirect
  return { location = location, status = fields.status or 302, keep_path = fields.keep_path == true }
end

function make.answer(fields, report)
  local reason = action.status_mistake(fields.answer)
  if reason then report({ "answer" }, reason) end
  return { status = fields.answer, text = fields.text or "", retry_s = math.ceil((fields.retry or 0) / 1000) }
end

function make.select(fields, report)
  local selector = fields.cookie and "cookie" or "field"
  local route = { selector = selector, name = fields[selector], values = {}, may = {} }
  if fields.cookie and fields.field then report({ "field" }, "either cookie or field, not both") end
  if not fields.to then report({}, 'to is missing: write to = "name" for requests without any of the values', "to") end
  if not fields.values then
    report({}, ('values is missing: write values = { on = "name" }'), "values")
  end
  for _, value in ipairs(sorted_keys(fields.values or {})) do
    route.values[value] = fields.values[value]
    route.may[#route.may + 1] = { vhost = fields.values[value], path = { "values", value } }
  end
  route.vhost = fields.to
  route.may[#route.may + 1] = fields.to and { vhost = fields.to, path = { "to" } }
  route.wants = { selector == "cookie" and "cookie" or route.name }
  return route
end

function make.decide(fields)
  local route = { decide = fields.decide, vhosts = {}, may = {}, wants = plain_items(fields.fields) }
  for i, vhost in ipairs(plain_items(fields.vhosts)) do
    route.vhosts[vhost] = true
    route.may[i] = { vhost = vhost, path = { "vhosts", i } }
  end
  route.wants[#route.wants + 1] = "cookie" -- which of them the function reads, nobody knows before
  return route
end

-- Choosing ------------------------------------------------------------------------------------------------

local function action_of(fields, report)
  if fields.cookie or fields.field then return "select" end
  local found
  for _, name in ipairs(ACTIONS) do
    if fields[name] ~= nil then
      if found then
        report({ name }, ("a route does one thing: either %s or %s"):format(found, name))
        return nil
      end
      found = name
    end
  end
  if not found then
    report({}, "does nothing: write to, split, redirect, answer, decide, or cookie with values and to")
  end
  return found
end

local function check_words(name, fields, report)
  local fine = true
  for _, word in ipairs(sorted_keys(fields)) do
    if word ~= name and word ~= "except" and not WORDS[name][word] then
      local with = name == "select" and "cookie or field" or name
      report({ word }, ("does not go with %s"):format(with))
      fine = false
    end
  end
  return fine
end

--- What a route does.
---@param fields table|nil what check.statement gave
---@param statement table
---@param report function(statement, path, reason, missing)
---@return table|nil route
function action.of(fields, statement, report)
  if not fields then return nil end
  local mistakes = 0
  local function report_here(path, reason, missing)
    mistakes = mistakes + 1
    report(statement, path, reason, missing)
  end
  local given = statement.value
  if type(given) == "table" then -- what check.lua refused is no missing action
    for _, name in ipairs(ACTIONS) do
      if rawget(given, name) ~= nil and fields[name] == nil then return nil end
    end
  end
  local name = action_of(fields, report_here)
  if not name or not check_words(name, fields, report_here) then return nil end
  local route = make[name](fields, report_here)
  route.action, route.may, route.wants = name, route.may or {}, route.wants or {}
  if fields.except then route.networks = plain_items(fields.except.addresses) end
  return mistakes == 0 and route or nil
end

return action
