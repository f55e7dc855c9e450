-- SPDX-License-Identifier: Apache-2.0
-- check.lua: compares one statement's value with its rule in the schema, and finds every mistake.
-- Values come from a script: they are read with next and rawget, and may be anything.

local kinds = require "config.kinds"
local nearest = require "shared.nearest"
local show = require "config.show"
local unknown = require "config.unknown"

local SEARCHED_MAX = 2000 -- vhosts among which a misspelt name is looked for

local check = {}
local check_value

-- The sorted names of a table's fields, remembered: rules do not change.
local names_of = setmetatable({}, { __mode = "k" })

local function sorted_names(fields)
  local names = names_of[fields]
  if names then return names end
  names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  names_of[fields] = names
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

--- Why a vhost is not accepted where these are.
---@param name string
---@param names string[]
---@return string reason
function check.unknown_vhost(name, names)
  local meant = #names <= SEARCHED_MAX and nearest.find(name, names)
  local hint = meant and (': did you mean "%s"?'):format(meant) or " in server.lua"
  return ("no vhost %s%s"):format(show.name(name), hint)
end

local function unknown_field(rule, name)
  local inside = holder(rule, name)
  if inside then return ('unknown name "%s" here: write %s = { %s = ... }'):format(name, inside, name) end
  return check.unknown_name(name, sorted_names(rule.fields), rule.later)
end

-- Path is one list that grows and shrinks on the way; a report gets a copy.
local function report_at(path, key, report, reason, missing)
  local full = { unpack(path) }
  full[#full + 1] = key
  report(full, reason, missing)
end

local function check_at(rule, value, path, key, report)
  path[#path + 1] = key
  local result = check_value(rule, value, path, report)
  path[#path] = nil
  return result
end

-- The keys that are not among the known ones, in an order that does not change from run to run.
local function other_keys(value, is_known, count)
  local keys, total = {}, 0
  for _ in next, value do total = total + 1 end
  if total == count then return keys end
  for key in next, value do
    if not is_known(key) then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then return type(a) < type(b) end
    return (type(a) == "number" or type(a) == "string") and a < b
  end)
  return keys
end

local function is_position(key)
  return type(key) == "number" and key >= 1 and key % 1 == 0 and key < 2 ^ 31
end

local function add_item(rule, list, value, key, path, report)
  local item = check_at(rule.of, value, path, key, report)
  if item ~= nil then list[#list + 1] = { value = item, at = key } end
end

local function check_list(rule, value, path, report)
  if type(value) ~= "table" then
    local hint = type(value) == "string" and (": write { %s }"):format(show.name(value)) or ""
    return report_at(path, nil, report, ("expected a list, got %s%s"):format(show.value(value), hint))
  end
  local list, count = {}, 0
  while rawget(value, count + 1) ~= nil do
    count = count + 1
    if count > rule.max then
      return report_at(path, nil, report, ("a list of at most %d items"):format(rule.max))
    end
    add_item(rule, list, rawget(value, count), count, path, report)
  end
  for _, key in ipairs(other_keys(value, function(key) return is_position(key) and key <= count end, count)) do
    if is_position(key) then
      add_item(rule, list, rawget(value, key), key, path, report)
    else
      report_at(path, type(key) == "string" and key or nil, report, "a list holds items without names")
    end
  end
  return list
end

local function report_key(rule, value, key, path, report, meant)
  if type(key) == "string" then
    local reason, name = unknown_field(rule, key)
    if name then meant[name] = true end
    report_at(path, key, report, reason)
  elseif is_position(key) then
    report_at(path, key, report, ("%s has no name before it: write name = value"):format(show.value(value)))
  else
    report_at(path, nil, report, ("a field's name is a word, not %s"):format(show.value(key)))
  end
end

-- A field that was there under a misspelt name has been reported as that.
local function check_missing(rule, value, path, report, meant)
  for _, name in ipairs(sorted_names(rule.fields)) do
    local field = rule.fields[name]
    if field.required and rawget(value, name) == nil and not meant[name] then
      report_at(path, nil, report, ("%s is missing: %s"):format(name, field.required), name)
    end
  end
  if rule.item and rule.item.required and rawget(value, 1) == nil then
    report_at(path, nil, report, "the address is missing: " .. rule.item.required)
  end
end

local function check_table(rule, value, path, report)
  if type(value) ~= "table" then
    return report_at(path, nil, report, ("expected a table { ... }, got %s"):format(show.value(value)))
  end
  local fields, meant, count = {}, {}, 0
  local function check_one(field, key)
    local given = rawget(value, key)
    if field and given ~= nil then
      count = count + 1
      fields[key] = check_at(field, given, path, key, report)
    end
  end
  check_one(rule.item, 1)
  for _, name in ipairs(sorted_names(rule.fields)) do check_one(rule.fields[name], name) end
  for _, key in ipairs(other_keys(value, function(key) return rule.fields[key] or key == 1 and rule.item end, count)) do
    report_key(rule, rawget(value, key), key, path, report, meant)
  end
  check_missing(rule, value, path, report, meant)
  return fields
end

-- A map's own keys, in an order that does not change from run to run.
local function check_map(rule, value, path, report)
  if type(value) ~= "table" then
    return report_at(path, nil, report, ("expected a table { name = ... }, got %s"):format(show.value(value)))
  end
  local map = {}
  for i, key in ipairs(other_keys(value, function() return false end, 0)) do
    if i > rule.max then
      return report_at(path, nil, report, ("a table of at most %d names"):format(rule.max))
    end
    local at = (type(key) == "string" or is_position(key)) and key or nil
    local name, reason = kinds[rule.key.kind](key, rule.key)
    if name == nil then
      report_at(path, at, report, reason)
    elseif map[name] ~= nil then
      report_at(path, at, report, ("%s is given twice"):format(show.name(name)))
    else
      map[name] = check_at(rule.of, rawget(value, key), path, at, report)
    end
  end
  return map
end

local function words_of(alternatives)
  local words = {}
  for i, alternative in ipairs(alternatives) do words[i] = kinds.words(alternative) end
  return table.concat(words, " or ")
end

-- A table with a first item is a list, and one without is not, where a rule has both.
local function fits(alternative, value)
  if not kinds.accepts(alternative, value) then return false end
  if type(value) ~= "table" then return true end
  local is_list = rawget(value, 1) ~= nil or next(value) == nil
  return (alternative.kind == "list" or alternative.item ~= nil) == is_list
end

-- The first alternative that takes the value; where none does, what the last that could says of it.
local function check_any(rule, value, path, report)
  local last, some
  for _, alternative in ipairs(rule.of) do
    some = kinds.accepts(alternative, value) and alternative or some
    if fits(alternative, value) then
      local mistaken = false
      local result = check_value(alternative, value, path, function() mistaken = true end)
      if not mistaken then return { kind = alternative.as or alternative.kind, value = result } end
      last = alternative
    end
  end
  last = last or some
  if last then return check_value(last, value, path, report) end
  report_at(path, nil, report, ("expected %s, got %s"):format(words_of(rule.of), show.value(value)))
end

local BY_KIND = { list = check_list, table = check_table, map = check_map, any = check_any }

function check_value(rule, value, path, report)
  if unknown.is(value) then return nil end
  if BY_KIND[rule.kind] then return BY_KIND[rule.kind](rule, value, path, report) end
  local result, reason = kinds[rule.kind](value, rule)
  if result == nil then report_at(path, nil, report, reason) end
  return result
end

--- Checks a statement's value.
---@param rule table from schema.lua
---@param value any what the script gave
---@param report function(path, reason, missing) called once for each mistake
---@return any fields what is right; a list's items are { value, at }; a map holds results by
---  name; an alternative is { kind, value }: which of them it is (its as, else its kind), and its result
function check.statement(rule, value, report)
  if not rule.shorthand or type(value) == "table" then return check_value(rule, value, {}, report) end
  return check_value(rule, { [rule.shorthand] = value }, {}, function(_, reason, missing)
    report({}, reason, missing)
  end)
end

return check
