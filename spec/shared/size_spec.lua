-- SPDX-License-Identifier: Apache-2.0
local size = require "shared.size"

describe("size.parse", function()
  it("reads every unit, a KB being 1024 bytes", function()
    assert.equal(7, size.parse "7B")
    assert.equal(1024, size.parse "1KB")
    assert.equal(1024, size.parse "1KiB")
    assert.equal(128 * 1024 * 1024, size.parse "128MB")
    assert.equal(1536, size.parse "1.5KB")
    assert.equal(2 ^ 30, size.parse "1GB")
  end)

  local refused = {
    { "128", '"128" has no unit: write "128MB" or "128KB"' },
    { "128M", '"M" is not a unit of size: did you mean "128MB"?' },
    { "128g", '"g" is not a unit of size: did you mean "128GB"?' },
    { "128mb", '"mb" is not a unit of size: did you mean "128MB"?' },
    { "128MBytes", '"MBytes" is not a unit of size: use B, KB, MB or GB' },
    { "lots", 'not a size: write a number and a unit, such as "128MB"' },
    { "0.5B", "finer than a byte" },
    { ("9"):rep(16) .. "B", "more than luttpd can count" },
  }
  for _, case in ipairs(refused) do
    it(("refuses %q"):format(case[1]), function()
      local value, message = size.parse(case[1])
      assert.is_nil(value)
      assert.equal(case[2], message)
    end)
  end
end)

describe("size.format", function()
  it("uses the largest unit that divides", function()
    assert.equal("128MB", size.format(128 * 2 ^ 20))
    assert.equal("64GB", size.format(64 * 2 ^ 30))
    assert.equal("1025B", size.format(1025))
    assert.equal("0B", size.format(0))
  end)
end)
