-- SPDX-License-Identifier: Apache-2.0
-- kinds.lua: the single values of the schema. Each kind is a function of value and rule that gives
-- what the plan needs, or nil and the reason why not.

local address = require "shared.address"
local duration = require "shared.duration"
local hostname = require "shared.hostname"
local nearest = require "shared.nearest"
local show = require "config.show"
local size = require "shared.size"

local PATH_MAX = 4000 -- leaves room for the configuration's directory before it
local USER_MAX = 32
local UID_MAX = 4294967293

local kinds = {}

local function expected(what, value)
  return nil, ("expected %s, got %s"):format(what, show.value(value))
end

function kinds.boolean(value)
  if type(value) ~= "boolean" then return expected("true or false", value) end
  return value
end

function kinds.integer(value, rule)
  if type(value) ~= "number" or value % 1 ~= 0 then return expected("a whole number", value) end
  if value < rule.min or value > rule.max then
    return nil, ("%d is out of range: %d to %d"):format(value, rule.min, rule.max)
  end
  return value
end

function kinds.choice(value, rule)
  for _, known in ipairs(rule.values) do
    if value == known then return value end
  end
  local all = '"' .. table.concat(rule.values, '", "') .. '"'
  if type(value) ~= "string" then return expected("one of " .. all, value) end
  local meant = nearest.find(value, rule.values)
  local hint = meant and ('did you mean "%s"?'):format(meant) or "it is one of " .. all
  return nil, ("%s is not known here: %s"):format(show.name(value), hint)
end

local bounds = {}

local function bound(parser, text)
  if not bounds[text] then bounds[text] = assert(parser.parse(text)) end
  return bounds[text]
end

-- A number gets the same answer as its text would: that it has no unit.
local function quantity(parser, what, value, rule)
  if type(value) == "number" then value = ("%.14g"):format(value) end
  if type(value) ~= "string" then return expected(what, value) end
  local amount, message = parser.parse(value)
  if not amount then return nil, message end
  if amount < bound(parser, rule.min) or amount > bound(parser, rule.max) then
    return nil, ("%s is out of range: %s to %s"):format(show.name(value), rule.min, rule.max)
  end
  return amount
end

function kinds.duration(value, rule)
  return quantity(duration, 'a duration such as "100ms"', value, rule)
end

function kinds.size(value, rule)
  return quantity(size, 'a size such as "128MB"', value, rule)
end

function kinds.path(value)
  if type(value) ~= "string" then return expected("a path", value) end
  if value == "" then return nil, "a path is empty" end
  if value:find "%c" then return nil, "a path holds no control characters" end
  if #value > PATH_MAX then return nil, ("a path has at most %d bytes"):format(PATH_MAX) end
  return value
end

function kinds.directory(value)
  local path, message = kinds.path(value)
  if path and path:gsub("[/.]", "") == "" and path:sub(1, 1) == "/" then
    return nil, "the root of a vhost is a directory of its own, not the whole machine"
  end
  return path, message
end

function kinds.host(value)
  if type(value) ~= "string" then return expected("a host name", value) end
  local pattern, message = hostname.parse(value)
  if not pattern then return nil, ("%s: %s"):format(show.name(value), message) end
  pattern.text = value
  return pattern
end

function kinds.endpoint(value)
  if type(value) == "number" then value = ("%.14g"):format(value) end
  if type(value) ~= "string" then return expected('an address such as "0.0.0.0:80"', value) end
  local endpoint, message = address.parse(value)
  if not endpoint then return nil, ("%s: %s"):format(show.name(value), message) end
  endpoint.text = value
  return endpoint
end

-- What account it is, users.lua finds out.
function kinds.user(value)
  if type(value) == "number" then
    if value % 1 == 0 and value >= 0 and value <= UID_MAX then return value end
    return nil, ("a user's number is a whole number from 1 to %d"):format(UID_MAX)
  end
  if type(value) ~= "string" then return expected('"auto", the name of an account, or its number', value) end
  if value:match "^%d+$" then return nil, ("a user's number stands without quotes: user = %s"):format(value) end
  if #value > USER_MAX or not value:match "^[%a_][%w_.-]*%$?$" then
    return nil, ("%s is not the name of an account"):format(show.name(value))
  end
  return value
end

--- What the schema's rule gives where nothing is written.
function kinds.default(rule)
  if rule.default == nil or rule.kind ~= "duration" and rule.kind ~= "size" then return rule.default end
  return bound(rule.kind == "size" and size or duration, rule.default)
end

return kinds
