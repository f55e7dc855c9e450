-- SPDX-License-Identifier: Apache-2.0

local harness = require "spec.parsing.harness"

local function conditions(text)
  return harness.policy(text).rules[1].conditions
end

local function brief(text)
  local parts = {}
  for i, c in ipairs(conditions(text)) do
    parts[i] = ("%s%s%s %s%s%s %s"):format(c.alternative and "or " or "", c.negated and "not " or "", c.subject,
      c.name == "" and "" or c.name .. " ", c.match, c.fold and " folded" or "", c.grammar > 0 and c.grammar or c.pattern)
  end
  return parts
end

describe("a parsing policy", function()
  it("may say nothing", function()
    local policy = harness.policy ""
    assert.same({}, policy.limits)
    assert.same({}, policy.methods)
    assert.same({}, policy.rules)
    assert.is_false(policy.refuse_bad_utf8)
    assert.is_false(policy.keep_encoded_slash)
    assert.is_false(policy.scripted)
  end)

  it("sets the limits that it names, and no others", function()
    assert.same({ body = 10 * 2 ^ 20, idle_time = 5000, requests = 7, send_rate = 0 },
      harness.policy 'limits { body = "10MB", idle_time = "5s", requests = 7, send_rate = 0 }'.limits)
  end)

  it("lists methods in order", function()
    assert.same({ "GET", "PURGE" }, harness.policy 'methods { "GET", "PURGE" }'.methods)
  end)

  it("says what paths may hold", function()
    local policy = harness.policy 'paths { utf8 = "require", encoded_slash = "keep" }'
    assert.is_true(policy.refuse_bad_utf8)
    assert.is_true(policy.keep_encoded_slash)
  end)

  it("has rules for fields", function()
    assert.same({
      { name = "authorization", required = 401, repeated = 0, too_long = 0, max_bytes = 0, remove = false },
      { name = "cookie", required = 0, repeated = 400, too_long = 431, max_bytes = 4096, remove = false },
      { name = "x-debug", required = 0, repeated = 0, too_long = 0, max_bytes = 0, remove = true },
    }, harness.policy [[
      field "Authorization" { required = 401 }
      field "cookie" { max = "4KB", once = true }
      field "x-debug" { remove = true } ]].fields)
  end)
end)

describe("a reject statement", function()
  it("folds fields and hosts, not paths and queries", function()
    assert.same({ "host suffix folded .example", "path prefix /API", "query contains Q=1", "field user-agent contains folded badbot",
      "or field user-agent contains folded evil" }, brief [[
      reject { status = 403, field = { ["User-Agent"] = { contains = { "BadBot", "evil" } } },
        path = { prefix = "/API" }, query = { contains = "Q=1" }, host = { suffix = ".EXAMPLE" } } ]])
  end)

  it("knows presence and absence", function()
    assert.same({ "field a absent ", "field b present " },
      brief 'reject { status = 400, field = { b = "present", a = "absent" } }')
  end)

  it("negates what stands in unless", function()
    assert.same({ "path equals /a", "or path equals /b", "not method equals GET", "or not method equals HEAD" },
      brief 'reject { status = 400, path = { equals = { "/a", "/b" } }, unless = { method = { equals = { "GET", "HEAD" } } } }')
  end)

  it("ands several ways to match", function()
    assert.same({ "path prefix /a", "path suffix .php" }, brief 'reject { status = 400, path = { suffix = ".php", prefix = "/a" } }')
  end)

  it("counts grammars as the listener does", function()
    local text = [[
      local P = lpeg.P
      reject { status = 400, path = P"/two", method = P"ONE" }
      reject { status = 400, unless = { query = P"five" }, field = { B = P"four", a = P"three" } } ]]
    local policy, session = harness.policy(text), harness.run(text)
    assert.is_true(policy.scripted)
    local numbers = {}
    for _, rule in ipairs(policy.rules) do
      for _, condition in ipairs(rule.conditions) do numbers[#numbers + 1] = condition.grammar end
    end
    assert.same({ 1, 2, 3, 4, 5 }, numbers)
    assert.equal(5, #session.grammars)
    for i, subject in ipairs { "ONE", "/two", "three", "four", "five" } do
      assert.is_true(session.grammars[i]:match(subject))
      assert.is_nil(session.grammars[i]:match "x")
    end
  end)
end)

describe("mistakes in a parsing policy", function()
  local function mistaken(text, expected)
    assert.equal(expected, harness.mistakes(text))
  end

  it("names what was probably meant", function()
    mistaken('reject { status = 403, paht = { prefix = "/a" }, path = { prefix = "/b" } }',
      '1: reject.paht: unknown name "paht": did you mean "path"?')
    mistaken('reject { status = 403, path = { prefx = "/a" } }',
      '1: reject.path.prefx: unknown name "prefx": did you mean "prefix"?')
    mistaken('metods { "GET" }', '1: metods: unknown name "metods": did you mean "methods"?')
    mistaken('reject { status = 403, field = { a = "absnt" } }', '1: reject.field.a: "absnt" is not known here: did you mean "absent"?')
  end)

  it("finds a status that refuses nothing", function()
    mistaken('reject { status = 200, path = { prefix = "/a" } }', "1: reject.status: 200 is out of range: 400 to 599")
    mistaken('reject { path = { prefix = "/a" } }', "1: reject.status: status is missing: write status = 403, say")
  end)

  it("finds what would refuse everything, or nothing", function()
    mistaken('reject { status = 403 }', "1: reject: has no condition: every request would be refused")
    mistaken('reject { status = 403, path = {} }', '1: reject.path: says nothing: write { contains = "x" }, say')
    mistaken('reject { status = 403, path = { prefix = {} } }', "1: reject.path.prefix: a list without a text")
    mistaken('field "a" {}', "1: field.a: says nothing: write required = 401, say")
    mistaken("methods {}", '1: methods: names no method: write methods { "GET", "HEAD" }')
  end)

  it("finds fields that a rule cannot have", function()
    mistaken('field "host" { remove = true }', "1: field.host.remove: host frames the request: it cannot be removed")
    mistaken('field "luttpd-bot" { max = "1KB" }',
      '1: field["luttpd-bot"]: no client can send a field luttpd-*: tags are made by on_head')
    mistaken('field "a" { once = true }\nfield "A" { once = true }', "2: field.a: given twice: first on line 1")
    mistaken('field "a b" { once = true }',
      '1: field: "a b" is not the name of a field: letters, digits, hyphens and underscores')
  end)

  it("finds methods that nobody sends", function()
    mistaken('methods { "get" }', '1: methods[1]: "get": a method is written in capitals')
    mistaken('methods { "GET", "GET" }', '1: methods[2]: "GET" is given twice')
  end)

  it("finds what unless cannot say", function()
    mistaken('reject { status = 403, path = { prefix = "/" }, unless = { path = { prefix = "/a", suffix = "b" } } }',
      "1: reject.unless.path: in unless, one way to match: several would have to be false each by itself")
  end)

  it("finds a hook that is none, and a second one", function()
    mistaken('on_head "x"', '1: on_head: expected a function, got the string "x"')
    mistaken("on_head(function() end)\non_head(function() end)", "2: on_head: given twice: first on line 1")
  end)

  it("finds more fields than a listener looks for", function()
    local lines = {}
    for i = 1, 126 do lines[i] = ('field "f%d" { once = true }'):format(i) end
    for i = 1, 125 do lines[#lines + 1] = ('reject { status = 400, field = { ["g%d"] = "present" } }'):format(i) end
    mistaken(table.concat(lines, "\n"), "251: reject.field.g125: a policy looks at no more than 250 different fields")
  end)
end)
