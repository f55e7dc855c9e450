-- SPDX-License-Identifier: Apache-2.0
-- kinds.lua: the single values of the schema. Each kind is a function of value and rule that gives
-- what the plan needs, or nil and the reason why not.

local address = require "shared.address"
local duration = require "shared.duration"
local hostname = require "shared.hostname"
local lpeg = require "lpeg"
local nearest = require "shared.nearest"
local network = require "shared.network"
local show = require "config.show"
local size = require "shared.size"

local PATH_MAX = 4000 -- leaves room for the configuration's directory before it
local FILE_MAX = 255
local NAME_MAX = 64
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

-- A number gets the same answer as its text would: that it has no unit. Nothing needs none.
local function quantity(parser, what, value, rule)
  if value == 0 and rule.zero then return 0 end
  if type(value) == "number" then value = ("%.14g"):format(value) end
  if type(value) ~= "string" then return expected(what, value) end
  local amount, message = parser.parse(value)
  if not amount then return nil, message end
  if amount == 0 and rule.zero then return 0 end
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

-- "500B" and "500B/s" say the same: the second is what a rate is in any case.
function kinds.rate(value, rule)
  local bare = type(value) == "string" and value:match "^(.*)/s$" or value
  return quantity(size, 'a rate in bytes per second such as "500B"', bare, rule)
end

function kinds.text(value, rule)
  if type(value) ~= "string" then return expected("a text", value) end
  if #value < (rule.min or 0) then return nil, "a text is empty" end
  if #value > rule.max then return nil, ("a text of at most %d bytes"):format(rule.max) end
  if value:find "%c" then return nil, "a text holds no control characters" end
  return value
end

-- A method or the name of a field: RFC 9110 section 5.6.2.
function kinds.token(value, rule)
  local what = rule.what or "a name"
  if type(value) ~= "string" then return expected(what, value) end
  if not value:match "^[%w!#$%%&'*+.^_`|~-]+$" then
    return nil, ("%s is not %s: letters, digits, hyphens and underscores"):format(show.name(value), what)
  end
  if #value > rule.max then return nil, ("%s has at most %d bytes"):format(what, rule.max) end
  return rule.fold and value:lower() or value
end

function kinds.callable(value)
  if type(value) ~= "function" then return expected("a function", value) end
  return value
end

function kinds.grammar(value)
  if lpeg.type(value) ~= "pattern" then return expected("an lpeg pattern", value) end
  return value
end

function kinds.network(value)
  if type(value) ~= "string" then return expected('a network such as "10.0.0.0/8"', value) end
  local found, message = network.parse(value)
  if not found then return nil, ("%s: %s"):format(show.name(value), message) end
  return found
end

-- For what one schema alone needs: its rule brings the function.
function kinds.parsed(value, rule)
  return rule.parse(value, rule)
end

-- A vhost's name.
function kinds.name(value)
  if type(value) ~= "string" then return expected("a name in quotes", value) end
  if #value > NAME_MAX then return nil, ("a name has at most %d bytes"):format(NAME_MAX) end
  if value:match "%u" then return nil, ("%s: a name is written in lower case"):format(show.name(value)) end
  if not value:match "^[%l%d][%l%d._-]*$" then
    return nil, ("%s: a name holds lower-case letters, digits, dots, hyphens and underscores, and begins with "
      .. "a letter or digit"):format(show.name(value))
  end
  return value
end

function kinds.path(value)
  if type(value) ~= "string" then return expected("a path", value) end
  if value == "" then return nil, "a path is empty" end
  if value:find "%c" then return nil, "a path holds no control characters" end
  if #value > PATH_MAX then return nil, ("a path has at most %d bytes"):format(PATH_MAX) end
  return value
end

-- A file beside the configuration, or below its directory.
function kinds.file(value)
  local path, message = kinds.path(value)
  if not path then return nil, message end
  if #path > FILE_MAX then return nil, ("the name of a file has at most %d bytes"):format(FILE_MAX) end
  for part in (path .. "/"):gmatch "([^/]*)/" do
    if part == "" or part == "." or part == ".." then
      return nil, ("%s: a file beside server.lua is named alone, such as \"parsing.lua\""):format(show.name(path))
    end
  end
  return path
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

local PARSERS = { duration = duration, size = size, rate = size }

--- What the schema's rule gives where nothing is written.
function kinds.default(rule)
  local parser = PARSERS[rule.kind]
  if type(rule.default) ~= "string" or not parser then return rule.default end
  return bound(parser, rule.default)
end

-- Which values of Lua a kind can come from, where a rule names alternatives; else strings.
local TYPES = {
  boolean = "boolean", integer = "number", list = "table", table = "table", map = "table",
  callable = "function", grammar = "userdata",
}

--- Says whether a value is of the type that a rule's kind is written in.
---@return boolean
function kinds.accepts(rule, value)
  return type(value) == (TYPES[rule.kind] or "string")
end

local WORDS = {
  boolean = "true or false", integer = "a whole number", list = "a list", table = "a table { ... }",
  map = "a table { name = ... }", callable = "a function", grammar = "an lpeg pattern",
}

--- What a rule asks for, in words.
---@return string
function kinds.words(rule)
  if rule.kind == "choice" then return '"' .. table.concat(rule.values, '", "') .. '"' end
  return rule.what or WORDS[rule.kind] or "a " .. rule.kind
end

return kinds
