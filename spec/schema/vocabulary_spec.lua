-- SPDX-License-Identifier: Apache-2.0
local vocabulary = require "vocabulary"

local GOOD = [[
enum "colour" { "red", "green" }
message "HELLO" {
  id = 1, from = "master", to = { "vhost", "logger" }, via = "control", when = "any", fds = 1,
  doc = "Greets.",
  u32 "number", u16 "ports" { count = 3 }, enumerated "colour" { of = "colour" },
  text "name" { max = 10, doc = "a name" }, fields "lines" { max = 20, count = 2 },
}
]]

-- GOOD with one thing replaced, as plain text.
local function spoiled(old, new)
  local first, last = GOOD:find(old, 1, true)
  assert(first, old)
  return GOOD:sub(1, first - 1) .. new .. GOOD:sub(last + 1)
end

local function reason(text)
  local ok, message = pcall(vocabulary.parse, text, "messages.lua")
  assert.is_false(ok)
  return message
end

describe("vocabulary.parse", function()
  it("reads a declaration", function()
    local model = vocabulary.parse(GOOD, "messages.lua")
    local message = model.messages[1]
    assert.equal("HELLO", message.name)
    assert.equal("hello", message.lower)
    assert.same({ "vhost", "logger" }, message.to)
    assert.equal(5, #message.fields)
    assert.equal("a name", message.fields[4].doc)
  end)

  it("adds up the smallest and the largest payload", function()
    local message = vocabulary.parse(GOOD, "messages.lua").messages[1]
    assert.equal(4 + 3 * 2 + 1 + 2 + 2, message.min)
    assert.equal(4 + 3 * 2 + 1 + (2 + 10) + (2 + 2 * 4 + 20), message.max)
  end)

  it("makes a link for each receiver", function()
    local names = {}
    for i, link in ipairs(vocabulary.parse(GOOD, "messages.lua").links) do names[i] = link.name end
    assert.same({ "logger_from_master_control", "vhost_from_master_control" }, names)
  end)

  it("makes a pair link only beside a ring", function()
    local text = [[
      message "BELL" { id = 1, from = { "vhost", "router" }, to = { "listener", "vhost" }, via = "pair", when = "any", doc = "d" }
      message "BODY" { id = 2, from = "vhost", to = "listener", via = "ring", when = "any", doc = "d" }
    ]]
    local names = {}
    for i, link in ipairs(vocabulary.parse(text, "messages.lua").links) do names[i] = link.name end
    assert.same({ "listener_from_vhost_pair", "listener_from_vhost_ring" }, names)
  end)

  local refused = {
    { "an unknown word", "u32 \"number\"", "u31 \"number\"", "messages.lua:5: unknown word 'u31'" },
    { "an unknown option of a message", "fds = 1", "fsd = 1", "messages.lua:2: HELLO: unknown option 'fsd'" },
    { "an unknown option of a field", "max = 10", "mx = 10", "messages.lua:2: HELLO: name: a field of type text has no option 'mx'" },
    { "a text without a maximum", "max = 10, ", "", "messages.lua:2: HELLO: name: needs max = 1 to 65535 bytes" },
    { "an unknown role", '"logger"', '"loger"', "messages.lua:2: HELLO: to: there is no role 'loger'" },
    { "an unknown way", '"control"', '"contrl"', "messages.lua:2: HELLO: via 'contrl' is not control, pair, ring or record" },
    { "an unknown phase", '"any"', '"often"', "messages.lua:2: HELLO: when 'often' is not starting, serving or any" },
    { "an unknown enum", '{ of = "colour" }', '{ of = "color" }', "messages.lua:2: HELLO: colour: there is no enum 'color'" },
    { "a message without documentation", '"Greets."', '""', "messages.lua:2: HELLO: needs doc = a sentence" },
    { "an id out of range", "id = 1", "id = 65536", "messages.lua:2: HELLO: needs id = 1 to 65535" },
    { "two fields of one name", '"number"', '"name"', "messages.lua:2: HELLO: has two fields called 'name'" },
    { "a field called like a word of C", '"number"', '"int"',
      "messages.lua:2: HELLO: a field cannot be called 'int': lower case, and no word of C" },
    { "too many descriptors", "fds = 1", "fds = 5", "messages.lua:2: HELLO: fds = 5, but a packet carries at most 4" },
    { "descriptors in a ring", '"control"', '"ring"', "messages.lua:2: HELLO: only control and pair messages carry descriptors" },
    { "a message too large for its carrier", "max = 10", "max = 9000",
      "messages.lua:2: HELLO: may be 9043 bytes long, but via control allows 8952: lower a maximum" },
    { "an enum with a value twice", '"green"', '"red"', "messages.lua:1: enum colour has 'red' twice" },
    { "a field that is none", 'u32 "number"', '"number"', "messages.lua:2: HELLO: holds something that is not a field" },
  }
  for _, case in ipairs(refused) do
    it("refuses " .. case[1], function()
      assert.equal(case[4], reason(spoiled(case[2], case[3])))
    end)
  end

  it("refuses an id that is taken", function()
    local twin = GOOD:gsub('enum "colour" %b{}', ""):gsub("HELLO", "AGAIN")
    assert.equal("messages.lua:9: AGAIN: id 1 belongs to HELLO", reason(GOOD .. twin))
  end)

  it("refuses a message declared twice", function()
    local twin = GOOD:gsub('enum "colour" %b{}', ""):gsub("id = 1", "id = 2")
    assert.equal("messages.lua:9: HELLO: is declared twice", reason(GOOD .. twin))
  end)
end)

-- What processes.lua says about who talks to whom, read without its generator.
local function read_processes()
  local order, peers = {}, {}
  local language = setmetatable({}, { __index = function() return function() return function() end end end })
  function language.process(name)
    return function(facts)
      order[#order + 1], peers[name] = name, {}
      for _, peer in ipairs(facts.peers) do peers[name][peer] = true end
    end
  end
  setfenv(assert(loadfile "runtime/schema/processes.lua"), language)()
  return order, peers
end

describe("messages.lua and processes.lua", function()
  local order, peers = read_processes()

  it("name the same roles", function()
    assert.same(order, vocabulary.roles)
  end)

  it("agree on who talks to whom", function()
    local file = assert(io.open "runtime/schema/messages.lua")
    local model = vocabulary.parse(file:read "*a", "messages.lua")
    file:close()
    local talking = {}
    for _, link in ipairs(model.links) do
      if link.via ~= "record" then
        assert.is_true(peers[link.receiver][link.sender], link.name)
        talking[link.receiver .. link.sender], talking[link.sender .. link.receiver] = true, true
      end
    end
    for role, others in pairs(peers) do
      for other in pairs(others) do assert.is_true(talking[role .. other], role .. " and " .. other) end
    end
  end)
end)
