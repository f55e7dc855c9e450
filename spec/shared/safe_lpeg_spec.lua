-- SPDX-License-Identifier: Apache-2.0
local lpeg = require "lpeg"

-- The runner loads lpeg once for each file, but patterns have one metatable: what another file hid is shown again.
debug.getmetatable(lpeg.P(true)).__metatable = nil

local safe_lpeg = require "shared.safe_lpeg"

describe("a policy's lpeg", function()
  local copy = safe_lpeg()

  it("matches as lpeg does", function()
    local digit = copy.R "09"
    assert.equal("42", copy.match(copy.C(digit ^ 1) * -1, "42"))
    assert.equal(4, (copy.P "a" * copy.P(2)):match "abc")
    assert.is_nil((digit ^ -2 * -1):match "123")
    assert.equal("pattern", lpeg.type(digit))
  end)

  it("is its own table, and hides the common one", function()
    copy.match = nil
    assert.is_function(lpeg.match)
    assert.is_function(safe_lpeg().match)
    assert.is_false(getmetatable(copy.P "x"))
    assert.has_error(function() setmetatable(copy.P "x", {}) end)
    assert.is_nil(copy.setmaxstack)
  end)

  it("does not count on for ever", function()
    for _, n in ipairs { 1e9, -1e9, 1025, 0 / 0, math.huge, "99999999" } do
      if type(n) == "number" then
        assert.error_matches(function() copy.P(n) end, "out of range: %-1024 to 1024")
      end
      assert.error_matches(function() return copy.P "x" ^ n end, "out of range: %-1024 to 1024")
    end
    assert.error_matches(function() return copy.P("x") ^ {} end, "number expected")
    assert.equal(1025, copy.P(1024):match(("x"):rep(1024)))
  end)
end)
