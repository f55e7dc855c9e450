-- SPDX-License-Identifier: Apache-2.0
local network = require "shared.network"

local function reads(text, family, bytes, bits)
  it("reads " .. text, function()
    assert.same({ family = family, address = bytes, bits = bits }, network.parse(text))
  end)
end

local function refuses(text, message)
  it("refuses " .. text, function()
    assert.same({ nil, message }, { network.parse(text) })
  end)
end

describe("network.parse", function()
  reads("unix", "unix", "", 0)
  reads("192.0.2.1", "inet", "\192\0\2\1", 32)
  reads("10.0.0.0/8", "inet", "\10\0\0\0", 8)
  reads("0.0.0.0/0", "inet", "\0\0\0\0", 0)
  reads("192.0.2.128/25", "inet", "\192\0\2\128", 25)
  reads("::1", "inet6", ("\0"):rep(15) .. "\1", 128)
  reads("2001:db8::/32", "inet6", "\32\1\13\184" .. ("\0"):rep(12), 32)
  reads("::ffff:10.0.0.0/104", "inet6", ("\0"):rep(10) .. "\255\255\10\0\0\0", 104)
  refuses("10.0.0.1/8", "an address has bits behind the first 8: write the network's own, or leave /8 away")
  refuses("10.0.0.0/33", "a network of this kind has at most 32 bits")
  refuses("10.0.0.0/99999999999999999999", "a network of this kind has at most 32 bits")
  refuses("::/129", "a network of this kind has at most 128 bits")
  refuses("[::1]", "the address of a network stands without brackets")
  refuses("fe80::1%eth0", "an address with a zone (%) is not supported")
  refuses("proxy.example", 'names are not resolved: write an address or a network, such as "10.0.0.0/8", or "unix"')
  for _, text in ipairs { "", "/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0", "10.0.0.256", "1:2", "::1/8/8", "10.0.0.0 /8" } do
    refuses(text, 'not an address: write "192.0.2.1", "10.0.0.0/8", "2001:db8::/32" or "unix"')
  end
end)
