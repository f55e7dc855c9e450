-- SPDX-License-Identifier: Apache-2.0
local duration = require "shared.duration"

describe("duration.parse", function()
  it("reads every unit", function()
    assert.equal(100, duration.parse "100ms")
    assert.equal(10000, duration.parse "10s")
    assert.equal(120000, duration.parse "2m")
    assert.equal(3600000, duration.parse "1h")
    assert.equal(86400000, duration.parse "1d")
    assert.equal(1500, duration.parse "1.5s")
    assert.equal(0, duration.parse "0s")
  end)

  local refused = {
    { "100", '"100" has no unit: write "100ms" or "100s"' },
    { "100 ms", '" ms" is not a unit of time: did you mean "100ms"?' },
    { "100S", '"S" is not a unit of time: did you mean "100s"?' },
    { "5msec", '"msec" is not a unit of time: use ms, s, m, h or d' },
    { "", 'not a duration: write a number and a unit, such as "100ms" or "10s"' },
    { "-1s", 'not a duration: write a number and a unit, such as "100ms" or "10s"' },
    { "0.5ms", "finer than a millisecond" },
    { ("9"):rep(16) .. "s", "longer than luttpd can count" },
    { ("9"):rep(15) .. "d", "longer than luttpd can count" },
  }
  for _, case in ipairs(refused) do
    it(("refuses %q"):format(case[1]), function()
      local value, message = duration.parse(case[1])
      assert.is_nil(value)
      assert.equal(case[2], message)
    end)
  end
end)

describe("duration.format", function()
  it("uses the largest unit that divides", function()
    assert.equal("100ms", duration.format(100))
    assert.equal("10s", duration.format(10000))
    assert.equal("90s", duration.format(90000))
    assert.equal("1h", duration.format(3600000))
    assert.equal("0ms", duration.format(0))
  end)
end)
