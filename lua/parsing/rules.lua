-- SPDX-License-Identifier: Apache-2.0
-- rules.lua: from the statements of a parsing policy, checked against schema.lua, to what the records
-- POLICY_PARSING and those behind it say. Runs in config. Everything is in the order of the script.

local order = require "parsing.order"
local show = require "config.show"

local TOO_LONG = 431 -- statuses of field rules that name none
local REPEATED = 400
local CONDITIONS_MAX = 16384 -- of one policy, alternatives included
local NAMES_MAX = 250 -- different fields that one policy looks at

local MATCHERS = { "equals", "prefix", "suffix", "contains" }
local FOLDS = { host = true, field = true }

-- The fields that frame a message, or that the listener itself takes out of it.
local OURS = { host = true, ["content-length"] = true, ["transfer-encoding"] = true, connection = true }

local rules = {}

local function count_name(self, statement, path, name, report)
  if name:match "^luttpd%-" then
    return report(statement, path, "no client can send a field luttpd-*: tags are made by on_head")
  end
  if self.names[name] then return end
  self.names[name], self.name_count = true, self.name_count + 1
  if self.name_count == NAMES_MAX + 1 then
    report(statement, path, ("a policy looks at no more than %d different fields"):format(NAMES_MAX))
  end
end

-- Methods -------------------------------------------------------------------------------------------

local function methods_of(collected, report)
  local given = collected.once.methods
  if not given then return {} end
  local list, seen = {}, {}
  for _, item in ipairs(given.fields) do
    local method = item.value
    if method:match "%l" then
      report(given.statement, { item.at }, ("%s: a method is written in capitals"):format(show.name(method)))
    elseif seen[method] then
      report(given.statement, { item.at }, ("%s is given twice"):format(show.name(method)))
    end
    seen[method] = true
    list[#list + 1] = method
  end
  if #list == 0 then report(given.statement, {}, 'names no method: write methods { "GET", "HEAD" }') end
  return list
end

-- Fields ----------------------------------------------------------------------------------------------

local function field_of(self, item, report)
  local fields, statement = item.fields, item.statement
  local name = statement.name
  count_name(self, statement, {}, name, report)
  if self.ruled[name] then
    report(statement, {}, ("given twice: first on line %d"):format(self.ruled[name].line))
  end
  self.ruled[name] = statement
  if next(fields) == nil then report(statement, {}, "says nothing: write required = 401, say") end
  if fields.remove and OURS[name] then
    report(statement, { "remove" }, ("%s frames the request: it cannot be removed"):format(name))
  end
  return {
    name = name,
    required = fields.required or 0,
    repeated = fields.once and REPEATED or 0,
    too_long = fields.max and TOO_LONG or 0,
    max_bytes = fields.max or 0,
    remove = fields.remove == true,
  }
end

-- Rules -----------------------------------------------------------------------------------------------

-- A text, or the items of a list: what an alternative of the schema gives.
local function texts_of(choice)
  if choice.kind ~= "list" then return { choice.value } end
  local texts = {}
  for i, item in ipairs(choice.value) do texts[i] = item.value end
  return texts
end

local function add(self, condition)
  self.condition_count = self.condition_count + 1
  table.insert(self.rule.conditions, condition)
end

local function add_matcher(self, at, match, choice)
  local texts, fold = texts_of(choice), FOLDS[at.subject] == true
  if #texts == 0 then
    at.report({ match }, "a list without a text")
  end
  for i, text in ipairs(texts) do
    add(self, {
      alternative = i > 1, subject = at.subject, name = at.name, match = match, negated = at.negated,
      fold = fold, pattern = fold and text:lower() or text, grammar = 0,
    })
  end
end

local function add_matchers(self, at, matchers)
  local count = 0
  for _, match in ipairs(MATCHERS) do
    if matchers[match] then
      count = count + 1
      add_matcher(self, at, match, matchers[match])
    end
  end
  if count > 1 and at.negated then
    at.report({}, "in unless, one way to match: several would have to be false each by itself")
  end
end

local function add_single(self, at, match, grammar)
  add(self, {
    alternative = false, subject = at.subject, name = at.name, match = match, negated = at.negated,
    fold = false, pattern = "", grammar = grammar,
  })
end

local function add_condition(self, at, value)
  if value.kind == "grammar" then
    self.grammars = self.grammars + 1
    add_single(self, at, "grammar", self.grammars)
  elseif value.kind == "choice" then
    add_single(self, at, value.value, 0)
  elseif value.kind == "table" then
    add_matchers(self, at, value.value)
  end
end

local function path_of(subject, name, negated)
  local path = { negated and "unless" or nil }
  path[#path + 1] = subject
  if subject == "field" then path[#path + 1] = name end
  return path
end

-- What the checker cannot tell from a mistake that it has reported: nothing at all.
local function check_some(statement, report)
  local count = 0
  order.each(statement.value, function(subject, name, value, negated)
    count = count + 1
    if type(value) == "table" and next(value) == nil then
      report(statement, path_of(subject, name, negated), 'says nothing: write { contains = "x" }, say')
    end
  end)
  if count == 0 then report(statement, {}, "has no condition: every request would be refused") end
end

local function reject_of(self, item, report)
  self.rule = { status = item.fields.status, conditions = {} }
  check_some(item.statement, report)
  order.each(item.fields, function(subject, name, value, negated)
    local path = path_of(subject, name, negated)
    local function report_here(inner, reason)
      for _, key in ipairs(inner) do path[#path + 1] = key end
      report(item.statement, path, reason)
    end
    if subject == "field" then count_name(self, item.statement, path, name, report) end
    add_condition(self, { subject = subject, name = name, negated = negated, report = report_here }, value)
  end)
  return self.rule
end

-- All of it -------------------------------------------------------------------------------------------

--- Makes the policy.
---@param collected table what config/collect.lua gave for parsing/schema.lua
---@param report function(statement, path, reason, missing) called once for each mistake
---@return table policy limits, by their names in config/limits.lua, only those that are given;
---  refuse_bad_utf8, keep_encoded_slash, scripted; methods, names; fields, each as POLICY_FIELD;
---  rules, each { status, conditions }, a condition as POLICY_CONDITION, in order
function rules.make(collected, report)
  local self = { names = {}, name_count = 0, ruled = {}, grammars = 0, condition_count = 0 }
  local once = collected.once
  local paths = once.paths and once.paths.fields or {}
  local policy = {
    limits = once.limits and once.limits.fields or {},
    refuse_bad_utf8 = paths.utf8 == "require",
    keep_encoded_slash = paths.encoded_slash == "keep",
    methods = methods_of(collected, report),
    fields = {}, rules = {},
  }
  for i, item in ipairs(collected.many.field) do policy.fields[i] = field_of(self, item, report) end
  for i, item in ipairs(collected.many.reject) do policy.rules[i] = reject_of(self, item, report) end
  if self.condition_count > CONDITIONS_MAX then
    report(collected.many.reject[1].statement, {},
      ("all reject statements together have at most %d patterns"):format(CONDITIONS_MAX))
  end
  policy.scripted = self.grammars > 0 or once.on_head ~= nil
  return policy
end

return rules
