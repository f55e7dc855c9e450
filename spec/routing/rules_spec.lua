-- SPDX-License-Identifier: Apache-2.0
local harness = require "routing.harness"

describe("a routing policy", function()
  local wrong = {
    ['route "a" {}'] = 'route.a: does nothing', ['route "a" { to = "b", answer = 503 }'] = "either to or answer",
    ['route "a" { to = "b", by = "client" }'] = "route.a.by: does not go with to", ['route "a" { to = "B" }'] = "lower case",
    ['route "a" { to = "b" } route "a" { to = "c" }'] = "given twice: first on line 1",
    ['route "A" { to = "b" }'] = "lower case", ['route "a/" { to = "b" }'] = "ends without a slash",
    ['route "a//b" { to = "b" }'] = "no empty segments", ['route "a/../b" { to = "b" }'] = "no dot segments",
    ['route "a/b%20c" { to = "b" }'] = "written decoded", ['route "a/b?c" { to = "b" }'] = "without query",
    ['route "/b" { to = "b" }'] = "begins with a host", ['route ".*.b" { to = "b" }'] = 'write ".example.org"',
    ['route "a.*" { to = "b" }'] = "a star stands", ['route ("a" .. ("/x"):rep(14)) { to = "b" }'] = "at most 13 segments",
    ['route "a" { split = {} }'] = "names no vhost", ['route "a" { split = { b = 0 } }'] = "out of range",
    ['route "a" { redirect = "new.example" }'] = "a whole one", ['route "a" { redirect = "ftp://x" }'] = "http://",
    ['route "a" { redirect = "/x?y", keep_path = true }'] = "neither ? nor #",
    ['route "a" { redirect = "https://x", status = 305 }'] = "301, 302", ['route "a" { answer = 301 }'] = "200, or 400 to 599",
    ['route "a" { cookie = "c", to = "b" }'] = "values is missing", ['route "a" { cookie = "c", values = { x = "b" } }'] = "to is missing",
    ['route "a" { cookie = "c", field = "f", values = { x = "b" }, to = "b" }'] = "not both",
    ['route "a" { decide = "b" }'] = "expected a function",
    ['route "a" { answer = 503, except = { addresses = { "x" } } }'] = "names are not resolved",
    ['route "a" { redirct = "/b" }'] = 'did you mean "redirect"', ['route "a" { to = "b", text = "x" }'] = "does not go with to",
  }
  for text, reason in pairs(wrong) do
    it("is refused: " .. text, function()
      local rules, message = harness.rules(text)
      assert.is_nil(rules)
      assert.matches(reason, message, 1, true)
      assert.matches("^routing%.lua:1: ", message)
    end)
  end

  it("names what it may answer, as records know hosts", function()
    local rules = assert(harness.rules [[
      route ".a.example/x" { split = { one = 1, two = 2 } }
      route "*.b" { field = "f", values = { x = "three" }, to = "one" }
      route "*" { vhosts = { "four" }, decide = function() end }
      route "c" { answer = 404 }
      route "c/d" { to = "one" }
      route "c/e" { to = "one" }
    ]])
    local may = {}
    for i, item in ipairs(rules.may_answer) do may[i] = ("%s %s %s"):format(item.kind, item.host, item.vhost) end
    assert.same({
      "exact a.example one", "wildcard a.example one", "exact a.example two", "wildcard a.example two",
      "wildcard b three", "wildcard b one", "default  four", "exact c one",
    }, may)
    assert.same({ "values", "x" }, rules.may_answer[5].path)
    assert.equal("*.b", rules.may_answer[5].statement.name)
    assert.same({ "cookie", "f" }, rules.fields)
  end)

  it("looks at eight fields at most", function()
    local text = 'route "%s" { field = "%s", values = { x = "v" }, to = "v" }\n'
    local all = ""
    for i = 1, 8 do all = all .. text:format("h" .. i, "f" .. i) end
    assert(harness.rules(all))
    local rules, message = harness.rules(all .. text:format("h9", "f9"))
    assert.is_nil(rules)
    assert.matches("9 different fields", message)
  end)
end)
