-- SPDX-License-Identifier: Apache-2.0
local nearest = require "shared.nearest"

describe("nearest.distance", function()
  it("counts single edits, a swap of neighbours as one", function()
    assert.equal(0, nearest.distance("root", "root"))
    assert.equal(1, nearest.distance("rot", "root"))
    assert.equal(1, nearest.distance("roots", "root"))
    assert.equal(1, nearest.distance("rost", "root"))
    assert.equal(1, nearest.distance("orot", "root"))
    assert.equal(4, nearest.distance("", "root"))
    assert.equal(3, nearest.distance("kitten", "sitting"))
  end)
end)

describe("nearest.find", function()
  local names = { "hosts", "user", "root", "limits", "hardened", "shared_user", "default" }

  it("finds what a slip of the finger meant", function()
    assert.equal("hosts", nearest.find("host", names))
    assert.equal("hosts", nearest.find("hsots", names))
    assert.equal("limits", nearest.find("limit", names))
    assert.equal("root", nearest.find("ROOT", names))
    assert.equal("shared_user", nearest.find("shareduser", names))
  end)

  it("stays silent where nothing is close", function()
    assert.is_nil(nearest.find("banana", names))
    assert.is_nil(nearest.find("", names))
    assert.is_nil(nearest.find("x", { "y" }))
    assert.is_nil(nearest.find(("hosts"):rep(20), names))
  end)

  it("prefers the alphabetically first of equally close names", function()
    assert.equal("cat", nearest.find("bat", { "rat", "hat", "cat" }))
    assert.equal("cat", nearest.find("bat", { "cat", "hat", "rat" }))
  end)
end)
