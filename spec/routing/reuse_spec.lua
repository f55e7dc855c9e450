-- SPDX-License-Identifier: Apache-2.0
-- reuse_spec.lua: whatever the rules, a listener that remembers as answers say gives every request what
-- the router would have said. The cache here is a simple one, by the letter of docs/MESSAGES.md.

local harness = require "routing.harness"
local says = require "routing.says"

local HOSTS = { "a", "b.a", "c.b.a", "b", "x.b" }
local PATTERNS = { "a", "b.a", "*.a", ".a", "*.b.a", ".b", "b", "*" }
local SEGMENTS = { "p", "q", "r" }
local COOKIES = { false, "c=1", "c=2", "d=1; c=2", "c=" }
local ADDRESSES = { "\10\0\0\1", "\127\0\0\1" }
local ACTIONS = {
  function(n) return ('to = "v%d"'):format(n) end,
  function(n) return ('answer = 503, text = "t%d"'):format(n) end,
  function(n) return ('redirect = "/%d", keep_path = true'):format(n) end,
  function(n) return ('cookie = "c", values = { ["1"] = "one%d" }, to = "rest%d"'):format(n, n) end,
  function(n) return ('field = "f", values = { ["1"] = "one%d" }, to = "rest%d"'):format(n, n) end,
  function(n) return ('answer = 404, text = "t%d", except = { addresses = { "10.0.0.0/8" } }'):format(n) end,
  function(n)
    return ('vhosts = { "d%d" }, decide = function() return "d%d", { reuse = "%s" } end')
      :format(n, n, ({ "path", "prefix", "host", "once" })[n % 4 + 1])
  end,
}

-- A sequence of its own, so that a failure comes again.
local function chance(seed)
  local state = seed
  return function(n)
    state = (state * 1103515245 + 12345) % 2 ^ 31
    return math.floor(state / 65536) % n + 1
  end
end

local function random_path(pick, most)
  local path = ""
  for _ = 1, pick(most + 1) - 1 do path = path .. "/" .. SEGMENTS[pick(#SEGMENTS)] end
  return path
end

local function random_rules(pick)
  local text, seen = {}, {}
  for n = 1, pick(10) do
    local name = PATTERNS[pick(#PATTERNS)] .. random_path(pick, 3)
    if not seen[name] then text[#text + 1] = ('route "%s" { %s }'):format(name, ACTIONS[pick(#ACTIONS)](n)) end
    seen[name] = true
  end
  text = table.concat(text, "\n")
  return assert(harness.rules(text)), text
end

local function random_request(pick)
  local path = random_path(pick, 4)
  local cookie, fields = COOKIES[pick(#COOKIES)], {}
  if cookie then fields[1] = { "cookie", cookie } end
  if pick(2) == 1 then fields[#fields + 1] = { "f", tostring(pick(2)) } end
  if path == "" or pick(4) == 1 then path = path .. "/" end
  return harness.request(HOSTS[pick(#HOSTS)], path, { fields = fields, address = ADDRESSES[pick(#ADDRESSES)] })
end

-- All that a request gets, as text.
local function outcome(answer, request)
  local parts = { answer.verdict, answer.status or "", answer.location or "", answer.text or "" }
  for _, choice in ipairs(answer.choices or {}) do parts[#parts + 1] = choice.vhost end
  if answer.keep_path then parts[#parts + 1] = request.path:sub(answer.keep_from + 1) end
  return table.concat(parts, " ")
end

local function key_of(answer, request)
  if answer.reuse == "path" then return request.host .. " path " .. request.path end
  local bytes = answer.reuse == "prefix" and answer.prefix_bytes or 0
  return request.host .. " prefix " .. request.path:sub(1, bytes)
end

local function value_of(selector, request)
  local value = says[selector[1]](request, selector[2])
  return value and "=" .. value or "absent"
end

local function remember(cache, answer, request)
  if answer.reuse == "once" then return end
  local key = key_of(answer, request)
  if not answer.selector then
    cache[key] = { answer = answer }
    return
  end
  local entry = cache[key] or {}
  entry.selector = { answer.selector, answer.selector_name }
  entry[value_of(entry.selector, request)] = answer
  cache[key] = entry
end

-- Every key that may hold for the request, in any order: each entry alone must be right.
local function recall(cache, request)
  local keys, found = { request.host .. " path " .. request.path, request.host .. " prefix " }, {}
  for stop in request.path:gmatch "/[^/]+()" do keys[#keys + 1] = request.host .. " prefix " .. request.path:sub(1, stop - 1) end
  for _, key in ipairs(keys) do
    local entry = cache[key]
    if entry and entry.selector then found[#found + 1] = entry[value_of(entry.selector, request)]
    elseif entry then found[#found + 1] = entry.answer end
  end
  return found
end

describe("what is remembered", function()
  it("is what would be decided", function()
    local recalled = 0
    for seed = 1, 400 do
      local pick = chance(seed)
      local rules, text = random_rules(pick)
      local cache = {}
      for _ = 1, 120 do
        local request = random_request(pick)
        local fresh = require("routing.decide").answer(rules, request)
        for _, answer in ipairs(recall(cache, request)) do
          recalled = recalled + 1
          local wanted, got = outcome(fresh, request), outcome(answer, request)
          if wanted ~= got then
            assert.equal(wanted, got, ("seed %d, %s%s\n%s"):format(seed, request.host, request.path, text))
          end
        end
        remember(cache, fresh, request)
      end
    end
    assert.is_true(recalled > 10000)
  end)
end)
