-- SPDX-License-Identifier: Apache-2.0
-- source.lua: on which line of server.lua a field stands. Lua knows the line of a call, not that of
-- a key in the table it was given; so the table is looked up in the text, from the call's line on,
-- with a tokenizer of Lua's grammar (Lua 5.1 manual, section 2.1) and no guessing: what cannot be
-- found is said to be on the call's line.

local lpeg = require "lpeg"

local P, R, S, C, Cc, Cp = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cp

local OPENERS = {
  ["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true, ["("] = true, ["{"] = true, ["["] = true,
}
local CLOSERS = { ["end"] = true, ["until"] = true, [")"] = true, ["}"] = true, ["]"] = true }

local letter = R("az", "AZ") + "_"
local digit = R "09"
local long_open = P "[" * lpeg.Cg((P "=") ^ 0, "level") * "["
local same_level = lpeg.Cmt(P "]" * C((P "=") ^ 0) * "]" * lpeg.Cb "level", function(_, _, a, b) return a == b end)
local long = (long_open * (1 - same_level) ^ 0 * (same_level + -1)) / 0
local comment = P "--" * (long + (1 - P "\n") ^ 0)
local blank = (S " \t\r\n\f\v" + comment) ^ 0

local function quoted(mark)
  local inside = (P "\\" * 1 + (1 - S("\n" .. mark))) ^ 0
  return P(mark) * C(inside) * P(mark) ^ -1
end

local token = blank * Cp() * (
  Cc "string" * (quoted '"' + quoted "'")
  + Cc "string" * long * Cc ""
  + Cc "name" * C(letter * (letter + digit) ^ 0)
  + Cc "number" * C((P "." * digit + digit) * (S "eEpP" * S "+-" + letter + digit + ".") ^ 0)
  + Cc "symbol" * C(P "..." + ".." + "==" + "~=" + "<=" + ">=" + 1)
) * Cp()

local Source = {}
Source.__index = Source

-- A reader of tokens: next() moves to the following token and returns whether there is one.
local Reader = {}
Reader.__index = Reader

function Reader:next()
  self.before_kind, self.before_text = self.kind, self.text
  self.start, self.kind, self.text, self.at = token:match(self.source.text, self.at)
  if not self.start then
    self.kind, self.text, self.start, self.at = "end", "", #self.source.text + 1, #self.source.text + 1
  end
  return self.kind ~= "end"
end

function Reader:is(symbol)
  return self.text == symbol and (self.kind == "symbol" or self.kind == "name")
end

function Reader:line()
  return self.source:line_at(self.start)
end

-- Passes over one expression, up to the separator or brace behind it.
function Reader:skip_expression()
  local depth = 0
  while self.kind ~= "end" do
    if depth == 0 and (self:is "," or self:is ";" or self:is "}") then return end
    if self.kind ~= "string" and OPENERS[self.text] then depth = depth + 1 end
    if self.kind ~= "string" and CLOSERS[self.text] then depth = depth - 1 end
    self:next()
  end
end

-- Reads `name =` or `["name"] =` where it stands, else takes the field for an item.
-- Returns the key, and the line of its first token.
function Reader:key(position)
  local line, start, kind, text = self:line(), self.at, self.kind, self.text
  if kind == "name" then
    self:next()
    if self:is "=" then self:next() return text, line, false end
  elseif self:is "[" then
    self:next()
    local key = self.kind == "number" and tonumber(self.text) or self.text
    self:next()
    self:next()
    if self:is "=" then self:next() return key, line, false end
  end
  self.at, self.kind, self.text = start, kind, text
  return position, line, true
end

function Reader:copy()
  local other = setmetatable({}, Reader)
  for name, value in pairs(self) do other[name] = value end
  return other
end

-- Follows path into the constructor whose brace was just read. Returns the deepest line found; of a
-- key that stands twice the last one counts, as for Lua.
function Reader:descend(path, depth, line)
  local position, found = 1, line
  self:next()
  while self.kind ~= "end" and not self:is "}" do
    local key, key_line, item = self:key(position)
    if item then position = position + 1 end
    if key == path[depth] then
      local deeper = depth < #path and self:is "{"
      found = deeper and self:copy():descend(path, depth + 1, key_line) or key_line
    end
    self:skip_expression()
    if self:is "," or self:is ";" then self:next() end
  end
  return found
end

--- Reads a configuration's text, for questions about lines.
---@param text string
function Source.new(text)
  return setmetatable({ text = text }, Source)
end

-- Offsets of the beginnings of lines, made when first asked for.
function Source:line_starts()
  if not self.starts then
    self.starts = { 1 }
    for at in self.text:gmatch "\n()" do
      self.starts[#self.starts + 1] = at
    end
  end
  return self.starts
end

function Source:line_at(offset)
  local starts = self:line_starts()
  local low, high = 1, #starts
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if starts[middle] <= offset then low = middle else high = middle - 1 end
  end
  return low
end

-- The reader behind the brace that opens the statement's table on this line, or nil.
function Source:constructor(line, name)
  local start = self:line_starts()[line]
  if not start then return nil end
  local reader, found = setmetatable({ source = self, at = start }, Reader), nil
  while reader:next() and reader:line() == line do
    local called = reader.before_kind ~= "symbol" or reader.before_text == "("
    if reader:is "{" and called then
      local fits = name == nil or (reader.before_kind == "string" and reader.before_text == name)
      if fits or not found then
        found = setmetatable({ source = self, at = reader.at }, Reader)
      end
      if fits then break end
    end
  end
  return found
end

--- The line of the field at path, in the table given to a call.
---@param line integer of the call; 0 where it is not known
---@param name string|nil the name that stands before the table
---@param path table keys: strings and positions
---@return integer
function Source:line_of(line, name, path)
  if #path == 0 then return line end
  local reader = self:constructor(line, name)
  return reader and reader:descend(path, 1, line) or line
end

return Source
