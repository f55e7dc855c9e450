-- SPDX-License-Identifier: Apache-2.0
local address = require "shared.address"

local function bytes(...)
  return string.char(...)
end

describe("address.parse", function()
  it("reads IPv4", function()
    assert.same({ family = "inet", address = bytes(127, 0, 0, 1), port = 8080 }, address.parse "127.0.0.1:8080")
    assert.same({ family = "inet", address = bytes(0, 0, 0, 0), port = 0 }, address.parse "0.0.0.0:0")
    assert.same({ family = "inet", address = bytes(255, 249, 199, 99), port = 65535 }, address.parse "255.249.199.99:65535")
  end)

  local ipv6 = {
    ["::"] = ("\0"):rep(16),
    ["::1"] = ("\0"):rep(15) .. "\1",
    ["1::"] = "\0\1" .. ("\0"):rep(14),
    ["2001:db8::42"] = "\32\1\13\184" .. ("\0"):rep(11) .. "\66",
    ["1:2:3:4:5:6:7:8"] = "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\8",
    ["::ffff:192.0.2.1"] = ("\0"):rep(10) .. "\255\255\192\0\2\1",
    ["::192.0.2.1"] = ("\0"):rep(12) .. "\192\0\2\1",
    ["1:2:3:4:5:6:1.2.3.4"] = "\0\1\0\2\0\3\0\4\0\5\0\6\1\2\3\4",
    ["FE80::A"] = "\254\128" .. ("\0"):rep(13) .. "\10",
  }
  for text, want in pairs(ipv6) do
    it("reads IPv6 " .. text, function()
      assert.same({ family = "inet6", address = want, port = 80 }, address.parse("[" .. text .. "]:80"))
      assert.is_true(address.is_ipv6(text))
    end)
  end

  for _, text in ipairs { "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":::", "12345::", "g::", "1:2:3:4:5:6:7::8", "1.2.3.4::", "" } do
    it("refuses IPv6 " .. text, function()
      assert.is_nil((address.parse("[" .. text .. "]:80")))
      assert.is_false(address.is_ipv6(text))
    end)
  end

  it("reads unix sockets", function()
    assert.same({ family = "unix", address = "/run/x.sock", port = 0 }, address.parse "unix:/run/x.sock")
  end)

  local refused = {
    { "80", 'an address is missing: write "0.0.0.0:80" or "[::]:80"' },
    { ":80", 'an address is missing: write "0.0.0.0:80" or "[::]:80"' },
    { "127.0.0.1", 'a port is missing: write "127.0.0.1:80"' },
    { "[::1]", 'a port is missing: write "[::1]:80"' },
    { "::1:80", 'an IPv6 address stands in brackets: write "[::1]:80"' },
    { "::", 'an IPv6 address stands in brackets: write "[::1]:80"' },
    { "[fe80::1%eth0]:80", "an address with a zone (%) is not supported" },
    { "localhost:80", 'names are not resolved: write a numeric address, such as "127.0.0.1:80" or "0.0.0.0:80"' },
    { "256.0.0.1:80", 'not an address: write "0.0.0.0:80", "[::]:80" or "unix:/run/luttpd.sock"' },
    { "01.0.0.1:80", 'not an address: write "0.0.0.0:80", "[::]:80" or "unix:/run/luttpd.sock"' },
    { "127.0.0.1:65536", "a port is at most 65535" },
    { "127.0.0.1:999999999999", "a port is at most 65535" },
    { "[1:2]:80", 'not an IPv6 address: it needs eight groups, or one "::" in place of some' },
    { "unix:run/x.sock", 'the path of a unix socket is absolute: write "unix:/run/luttpd.sock"' },
    { "unix:/run/", "a unix socket is a file, not a directory" },
    { "unix:/" .. ("x"):rep(107), "the path of a unix socket has at most 107 bytes" },
    { "unix:/a\nb", "a path holds no control characters" },
  }
  for _, case in ipairs(refused) do
    it(("refuses %q"):format(case[1]), function()
      local value, message = address.parse(case[1])
      assert.is_nil(value)
      assert.equal(case[2], message)
    end)
  end
end)
