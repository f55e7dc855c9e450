-- SPDX-License-Identifier: Apache-2.0
-- check.lua: compares one statement's value with its rule in the schema, and finds every mistake.
-- Values come from a script: they are read with next and rawget, and may be anything.

local kinds = require "config.kinds"
local nearest = require "shared.nearest"
local show = require "config.show"
local unknown = require "config.unknown"

local check = {}
local check_value

local function joined(path, key)
  local longer = { unpack(path) }
  longer[#longer + 1] = key
  return longer
end

local function sorted_names(fields)
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function contains(list, value)
  for _, item in ipairs(list or {}) do
    if item == value then return true end
  end
  return false
end

-- The field whose table has a field of this name: `memory` belongs in `limits`.
local function holder(rule, name)
  for _, field in ipairs(sorted_names(rule.fields)) do
    local inner = rule.fields[field]
    if inner.kind == "table" and inner.fields[name] then return field end
  end
end

--- Why a name is not accepted where these names are.
---@param name string
---@param names string[]
---@param later string[]|nil
---@return string reason
---@return string|nil meant the name that was probably meant
function check.unknown_name(name, names, later)
  if contains(later, name) then
    return ("luttpd knows %s, but this version does not support it yet"):format(show.name(name))
  end
  local meant = nearest.find(name, names)
  if meant then return ('unknown name %s: did you mean "%s"?'):format(show.name(name), meant), meant end
  return ("unknown name %s: known are %s"):format(show.name(name), table.concat(names, ", "))
end

local function unknown_field(rule, name)
  local inside = holder(rule, name)
  if inside then return ('unknown name "%s" here: write %s = { %s = ... }'):format(name, inside, name) end
  return check.unknown_name(name, sorted_names(rule.fields), rule.later)
end

-- Keys in an order that does not change from run to run: positions, then names.
local function sorted_keys(value)
  local keys = {}
  for key in next, value do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then return type(a) < type(b) end
    if type(a) == "number" or type(a) == "string" then return a < b end
    return false
  end)
  return keys
end

local function is_position(key)
  return type(key) == "number" and key >= 1 and key % 1 == 0 and key < 2 ^ 31
end

local function check_list(rule, value, path, report)
  if type(value) ~= "table" then
    local hint = type(value) == "string" and (": write { %s }"):format(show.name(value)) or ""
    report(path, ("expected a list, got %s%s"):format(show.value(value), hint))
    return nil
  end
  local list = {}
  for _, key in ipairs(sorted_keys(value)) do
    if not is_position(key) then
      local where = type(key) == "string" and joined(path, key) or path
      report(where, "a list holds items without names")
    elseif #list < rule.max then
      local item = check_value(rule.of, rawget(value, key), joined(path, key), report)
      if item ~= nil then list[#list + 1] = { value = item, at = key } end
    else
      report(path, ("a list of at most %d items"):format(rule.max))
      break
    end
  end
  return list
end

local function check_field(rule, value, key, path, report, meant)
  if type(key) == "string" then
    local field = rule.fields[key]
    if field then return check_value(field, value, joined(path, key), report) end
    local reason, name = unknown_field(rule, key)
    if name then meant[name] = true end
    report(joined(path, key), reason)
  elseif key == 1 and rule.item then
    return check_value(rule.item, value, joined(path, 1), report)
  elseif is_position(key) then
    report(joined(path, key), ("%s has no name before it: write name = value"):format(show.value(value)))
  else
    report(path, ("a field's name is a word, not %s"):format(show.value(key)))
  end
end

-- A field that was there under a misspelt name has been reported as that.
local function check_missing(rule, value, path, report, meant)
  for _, name in ipairs(sorted_names(rule.fields)) do
    local field = rule.fields[name]
    if field.required and rawget(value, name) == nil and not meant[name] then
      report(path, ("%s is missing: %s"):format(name, field.required), name)
    end
  end
  if rule.item and rule.item.required and rawget(value, 1) == nil then
    report(path, "the address is missing: " .. rule.item.required)
  end
end

local function check_table(rule, value, path, report)
  if type(value) ~= "table" then
    report(path, ("expected a table { ... }, got %s"):format(show.value(value)))
    return nil
  end
  local fields, meant = {}, {}
  for _, key in ipairs(sorted_keys(value)) do
    fields[key] = check_field(rule, rawget(value, key), key, path, report, meant)
  end
  check_missing(rule, value, path, report, meant)
  return fields
end

function check_value(rule, value, path, report)
  if unknown.is(value) then return nil end
  if rule.kind == "list" then return check_list(rule, value, path, report) end
  if rule.kind == "table" then return check_table(rule, value, path, report) end
  local result, reason = kinds[rule.kind](value, rule)
  if result == nil then report(path, reason) end
  return result
end

--- Checks a statement's value.
---@param rule table from schema.lua
---@param value any what the script gave
---@param report function(path, reason, missing) called once for each mistake
---@return table|nil fields what is right; a list's items are { value, at }
function check.statement(rule, value, report)
  if not rule.shorthand or type(value) == "table" then return check_value(rule, value, {}, report) end
  return check_value(rule, { [rule.shorthand] = value }, {}, function(_, reason, missing)
    report({}, reason, missing)
  end)
end

return check
