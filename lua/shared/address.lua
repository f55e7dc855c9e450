-- SPDX-License-Identifier: Apache-2.0
-- address.lua: where a server listens: "127.0.0.1:80", "[::1]:80", "unix:/run/site.sock".
-- Addresses are those of RFC 3986 section 3.2.2 (IPv4address, IPv6address); no names are resolved.

local lpeg = require "lpeg"

local P, R, C, Cc, Ct = lpeg.P, lpeg.R, lpeg.C, lpeg.Cc, lpeg.Ct

local UNIX_PATH_MAX = 107
local PORT_MAX = 65535

local digit = R "09"
local hex = R("09", "af", "AF")
local octet = (P "25" * R "05" + P "2" * R "04" * digit + P "1" * digit * digit + R "19" * digit + digit) / tonumber
local ipv4 = Ct(octet * "." * octet * "." * octet * "." * octet)
local group = (hex * hex ^ -3) / function(text) return tonumber(text, 16) end
-- A group is never followed directly by a dot: then it was the first octet of an IPv4 tail.
local piece = group * -P "."
local tail = Cc "ipv4" * ipv4
local groups = piece * (P ":" * piece) ^ 0
local before = Ct(groups) + Ct ""
local behind = Ct(groups * (P ":" * tail) ^ -1 + tail) + Ct ""
local ipv6 = Ct(Cc(true) * before * "::" * behind + Cc(false) * Ct(groups * (P ":" * tail) ^ -1))

local port = C(digit ^ 1) * -1
local inet = Cc "inet" * ipv4 * ":" * port
local inet6 = Cc "inet6" * P "[" * ipv6 * "]:" * port
local endpoint = inet + inet6

-- Recognises what people write by mistake, each with its answer.
local bare_port = P ":" ^ -1 * digit ^ 1 * -1
local no_port = (ipv4 + P "[" * ipv6 * "]") * -1
local bare_ipv6 = ipv6 * (P ":" ^ -1 * digit ^ 1) ^ -1 * -1
local name = R("az", "AZ") * (R("az", "AZ", "09") + lpeg.S ".-") ^ 0 * (P ":" * digit ^ 1) ^ -1 * -1
local zone = P "[" * (1 - P "%") ^ 1 * "%"

local address = {}

local function push_group(bytes, value)
  bytes[#bytes + 1] = string.char(math.floor(value / 256), value % 256)
end

-- The sixteen-bit groups of one run, an IPv4 tail as its last two.
local function run_bytes(run_items)
  local bytes, i = {}, 1
  while i <= #run_items do
    if run_items[i] == "ipv4" then
      local quad = run_items[i + 1]
      push_group(bytes, quad[1] * 256 + quad[2])
      push_group(bytes, quad[3] * 256 + quad[4])
      i = i + 2
    else
      push_group(bytes, run_items[i])
      i = i + 1
    end
  end
  return bytes
end

local function ipv6_bytes(items)
  local shortened = items[1]
  local left = run_bytes(items[2])
  if not shortened then return #left == 8 and table.concat(left) or nil end
  local right = run_bytes(items[3])
  local missing = 8 - #left - #right
  if missing < 1 then return nil end
  return table.concat(left) .. ("\0\0"):rep(missing) .. table.concat(right)
end

local function parse_unix(path)
  if path:sub(1, 1) ~= "/" then return nil, 'the path of a unix socket is absolute: write "unix:/run/luttpd.sock"' end
  if path:sub(-1) == "/" then return nil, "a unix socket is a file, not a directory" end
  if #path > UNIX_PATH_MAX then return nil, ("the path of a unix socket has at most %d bytes"):format(UNIX_PATH_MAX) end
  if path:find("%c") then return nil, "a path holds no control characters" end
  return { family = "unix", address = path, port = 0 }
end

local function explain(text)
  if bare_port:match(text) then
    local number = text:gsub("^:", "")
    return ('an address is missing: write "0.0.0.0:%s" or "[::]:%s"'):format(number, number)
  elseif no_port:match(text) then
    return ('a port is missing: write "%s:80"'):format(text)
  elseif zone:match(text) then
    return "an address with a zone (%) is not supported"
  elseif bare_ipv6:match(text) then
    return 'an IPv6 address stands in brackets: write "[::1]:80"'
  elseif name:match(text) then
    return 'names are not resolved: write a numeric address, such as "127.0.0.1:80" or "0.0.0.0:80"'
  end
  return 'not an address: write "0.0.0.0:80", "[::]:80" or "unix:/run/luttpd.sock"'
end

--- Reads a listening address. Result: family "inet", "inet6" or "unix"; address of 4 or 16 bytes in
--- network order, or a path; port, 0 where the kernel shall choose.
---@param text string
---@return table|nil endpoint
---@return string|nil message
function address.parse(text)
  if text:sub(1, 5) == "unix:" then return parse_unix(text:sub(6)) end
  local family, parts, number = endpoint:match(text)
  if not family then return nil, explain(text) end
  local bytes = family == "inet" and string.char(unpack(parts)) or family == "inet6" and ipv6_bytes(parts)
  if not bytes then return nil, "not an IPv6 address: it needs eight groups, or one \"::\" in place of some" end
  number = #number <= 5 and tonumber(number) or PORT_MAX + 1
  if number > PORT_MAX then return nil, ("a port is at most %d"):format(PORT_MAX) end
  return { family = family, address = bytes, port = number }
end

local bare_ipv4 = ipv4 * -1

--- The bytes of an address without port and brackets, in network order: 4 of IPv4, 16 of IPv6.
---@param text string
---@return string|nil bytes
function address.bytes(text)
  local quad, groups_of = bare_ipv4:match(text), (ipv6 * -1):match(text)
  if quad then return string.char(unpack(quad)) end
  return groups_of and ipv6_bytes(groups_of) or nil
end

--- Says whether text is an IPv6 address without brackets.
---@param text string
---@return boolean
function address.is_ipv6(text)
  local parts = (ipv6 * -1):match(text)
  return parts ~= nil and ipv6_bytes(parts) ~= nil
end

return address
