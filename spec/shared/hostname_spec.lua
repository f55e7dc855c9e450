-- SPDX-License-Identifier: Apache-2.0
local hostname = require "shared.hostname"

describe("hostname.parse", function()
  it("reads exact names, wildcards and addresses", function()
    assert.same({ kind = "exact", host = "alice.example" }, hostname.parse "alice.example")
    assert.same({ kind = "exact", host = "localhost" }, hostname.parse "localhost")
    assert.same({ kind = "exact", host = "xn--bcher-kva.example" }, hostname.parse "xn--bcher-kva.example")
    assert.same({ kind = "exact", host = "127.0.0.1" }, hostname.parse "127.0.0.1")
    assert.same({ kind = "exact", host = "[::1]" }, hostname.parse "[::1]")
    assert.same({ kind = "wildcard", host = "alice.example" }, hostname.parse "*.alice.example")
    assert.same({ kind = "wildcard", host = "localhost" }, hostname.parse "*.localhost")
  end)

  it("reads names of the largest size", function()
    local label = ("a"):rep(63)
    local longest = label .. "." .. label .. "." .. label .. "." .. ("a"):rep(61)
    assert.equal(253, #longest)
    assert.same({ kind = "exact", host = longest }, hostname.parse(longest))
    local value, message = hostname.parse(longest .. "a")
    assert.is_nil(value)
    assert.equal("a host has at most 253 bytes", message)
  end)

  local refused = {
    { "", "a host is empty" },
    { "Alice.example", 'a host is written in lower case: "alice.example"' },
    { "bücher.example", 'write the ASCII form of the name, which begins with "xn--"' },
    { "alice example", "a host holds no spaces and no control characters" },
    { "alice.example\n", "a host holds no spaces and no control characters" },
    { "alice\0example", "a host holds no spaces and no control characters" },
    { "http://alice.example", "a host alone, without scheme and path" },
    { "alice.example/x", "a host alone, without path" },
    { "alice.example:80", "a host alone, without port" },
    { "alice.example.", 'a host has no dot at its end: "alice.example"' },
    { "*", "to answer for every other host write default = true, not a star" },
    { "*.", 'a star stands for the whole first part only: write "*.example.org"' },
    { "a.*.example", 'a star stands for the whole first part only: write "*.example.org"' },
    { "*a.example", 'a star stands for the whole first part only: write "*.example.org"' },
    { "*.*.example", 'a star stands for the whole first part only: write "*.example.org"' },
    { "a_b.example", "a host holds no underscore" },
    { "-a.example", "not a host name: letters, digits, dots, and hyphens inside a part" },
    { "a-.example", "not a host name: letters, digits, dots, and hyphens inside a part" },
    { "a..example", "not a host name: letters, digits, dots, and hyphens inside a part" },
    { ".example", "not a host name: letters, digits, dots, and hyphens inside a part" },
    { ("a"):rep(64) .. ".example", "each part of a host has at most 63 bytes" },
    { "::1", 'an IPv6 address stands in brackets: "[::1]"' },
    { "[::1]:80", "not an IPv6 address in brackets" },
    { "[fe80::A]", 'a host is written in lower case: "[fe80::a]"' },
  }
  for _, case in ipairs(refused) do
    it(("refuses %q"):format(case[1]), function()
      local value, message = hostname.parse(case[1])
      assert.is_nil(value)
      assert.equal(case[2], message)
    end)
  end
end)
