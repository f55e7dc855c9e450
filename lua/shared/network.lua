-- SPDX-License-Identifier: Apache-2.0
-- network.lua: whom an admin names by address: "10.0.0.0/8", "::1", "fd00::/8", "unix" (whoever reaches
-- the socket). CIDR notation is that of RFC 4632 section 3.1; no names are resolved.

local lpeg = require "lpeg"
local address = require "shared.address"

local digit = lpeg.R "09"
local grammar = lpeg.C((1 - lpeg.P "/") ^ 1) * ("/" * lpeg.C(digit ^ 1)) ^ -1 * -1

local network = {}

-- Whether a bit is set behind the first so many.
local function has_bits_behind(bytes, bits)
  for i = 1, #bytes do
    local kept = math.max(0, math.min(8, bits - (i - 1) * 8))
    if bytes:byte(i) % 2 ^ (8 - kept) ~= 0 then return true end
  end
  return false
end

local function explain(text)
  if text:match "^%[" then return "the address of a network stands without brackets" end
  if text:match "%%" then return "an address with a zone (%) is not supported" end
  if text:match "^%a[%w.-]*$" and not text:match "^[%x:]+$" then
    return 'names are not resolved: write an address or a network, such as "10.0.0.0/8", or "unix"'
  end
  return 'not an address: write "192.0.2.1", "10.0.0.0/8", "2001:db8::/32" or "unix"'
end

--- Reads an address or a network. Result: family "inet", "inet6" or "unix"; address of 4 or 16 bytes in
--- network order, empty for unix; bits, how many of them count.
---@param text string
---@return table|nil network
---@return string|nil message
function network.parse(text)
  if text == "unix" then return { family = "unix", address = "", bits = 0 } end
  local host, length = grammar:match(text)
  local bytes = host and address.bytes(host)
  if not bytes then return nil, explain(text) end
  local all = #bytes * 8
  local bits = length and (#length <= 3 and tonumber(length) or all + 1) or all
  if bits > all then return nil, ("a network of this kind has at most %d bits"):format(all) end
  if has_bits_behind(bytes, bits) then
    return nil, ("an address has bits behind the first %d: write the network's own, or leave /%d away"):format(bits, bits)
  end
  return { family = all == 32 and "inet" or "inet6", address = bytes, bits = bits }
end

return network
