-- SPDX-License-Identifier: Apache-2.0

local harness = require "spec.parsing.harness"

describe("a parsing policy in the listener", function()
  it("gives its hook, and passes over data", function()
    local session = harness.run [[
      limits { body = "1MB" }
      methods { "GET" }
      paths { utf8 = "any" }
      field "a" { once = true }
      reject { status = 403, path = { prefix = "/a" } }
      on_head(function(head) return head end) ]]
    assert.equal(7, session.hook(7))
    assert.same({}, session.grammars)
  end)

  it("says true for a match, whatever is captured", function()
    local session = harness.run "reject { status = 403, path = lpeg.Cc(nil) * lpeg.C(1) }"
    assert.is_true(session.grammars[1]:match "x")
    assert.is_nil(session.grammars[1]:match "")
  end)

  it("survives statements that the checker would have refused", function()
    local session = harness.run [[
      reject(nil)
      reject { unless = 7, field = 8, path = 9 }
      reject { field = { [1] = lpeg.P(1), [{}] = 2 } } ]]
    assert.same({}, session.grammars)
  end)

  it("lets nobody keep anything in globals", function()
    assert.has_error(function() harness.run "counter = 1" end, '"counter" is set as a global: write local')
    assert.has_error(function() harness.run "return counter" end, 'unknown name "counter"')
    local session = harness.run "on_head(function() counter = 1 end)"
    assert.has_error(session.hook, '"counter" is set as a global: write local')
  end)

  it("refuses two hooks", function()
    assert.has_error(function() harness.run "on_head(print) " end)
    assert.has_error(function() harness.run "local f = function() end on_head(f) on_head(f)" end,
      "on_head is given twice")
  end)
end)
