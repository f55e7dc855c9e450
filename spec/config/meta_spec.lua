-- SPDX-License-Identifier: Apache-2.0
-- lua/meta, for editors, has every name of server.lua's schema, and no other.

local limits = require "config.limits"
local schema = require "config.schema"

local function read(path)
  local handle = assert(io.open(path))
  local content = handle:read "*a"
  handle:close()
  return content
end

local text = read "lua/meta/server.lua"

local function sorted(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function fields_of(class, definitions)
  local set = {}
  local body = (definitions or text):match("class luttpd%." .. class .. "\n(.-)\n\n")
  for name in body:gmatch "%-%-%-@field ([%a_]+)" do set[name] = true end
  return sorted(set)
end

describe("the definitions for editors", function()
  it("have every statement", function()
    local set = {}
    for name in text:gmatch "\nfunction ([%a_]+)%(" do set[name] = true end
    assert.same(sorted(schema.statements), sorted(set))
  end)

  it("have every field", function()
    assert.same(sorted(schema.statements.listen.rule.fields), fields_of "Listen")
    assert.same(sorted(schema.statements.vhost.rule.fields), fields_of "Vhost")
    assert.same(sorted(schema.limits.fields), fields_of "VhostLimits")
    assert.same(sorted(limits.rule.fields), fields_of("ParsingLimits", read "lua/meta/parsing.lua"))
  end)
end)
