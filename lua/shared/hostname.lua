-- SPDX-License-Identifier: Apache-2.0
-- hostname.lua: the host patterns of a vhost: "alice.example", "*.alice.example", "[::1]".
-- Names follow RFC 1123 section 2.1; names of other scripts are written as A-labels (RFC 5890).

local lpeg = require "lpeg"
local address = require "shared.address"

local HOST_MAX = 253
local LABEL_MAX = 63

local letter_digit = lpeg.R("az", "09")
local label = letter_digit * (letter_digit + lpeg.P "-" ^ 1 * #letter_digit) ^ 0
local name = label * (lpeg.P "." * label) ^ 0 * -1
local wildcard = lpeg.P "*." * lpeg.C(name)

local control = lpeg.R("\0 ", "\127\127")
local foreign = lpeg.R "\128\255"
local has_control = (1 - control) ^ 0 * control
local has_foreign = (1 - foreign) ^ 0 * foreign
local has_port = (1 - lpeg.P ":") ^ 1 * ":" * lpeg.R "09" ^ 1 * -1
local has_scheme = lpeg.R "az" ^ 1 * "://"

local hostname = {}

local function label_too_long(text)
  for part in text:gmatch "[^.]+" do
    if #part > LABEL_MAX then return true end
  end
  return false
end

local function explain_star(text)
  if text == "*" then return "to answer for every other host write default = true, not a star" end
  return 'a star stands for the whole first part only: write "*.example.org"'
end

local function explain(text)
  local bare = text:match "^(.*)%.$"
  if text == "" then return "a host is empty"
  elseif has_control:match(text) then return "a host holds no spaces and no control characters"
  elseif has_foreign:match(text) then return 'write the ASCII form of the name, which begins with "xn--"'
  elseif text:lower() ~= text then return ('a host is written in lower case: "%s"'):format(text:lower())
  elseif has_scheme:match(text) then return "a host alone, without scheme and path"
  elseif text:find("/", 1, true) then return "a host alone, without path"
  elseif has_port:match(text) then return "a host alone, without port"
  elseif text:find("*", 1, true) then return explain_star(text)
  elseif bare and bare ~= "" then return ('a host has no dot at its end: "%s"'):format(bare)
  elseif text:find("_", 1, true) then return "a host holds no underscore"
  end
  return "not a host name: letters, digits, dots, and hyphens inside a part"
end

local function parse_ipv6(text)
  local inside = text:match "^%[(.*)%]$"
  if not inside or not address.is_ipv6(inside) then return nil, "not an IPv6 address in brackets" end
  if inside:lower() ~= inside then return nil, ('a host is written in lower case: "%s"'):format(text:lower()) end
  return { kind = "exact", host = text }
end

--- Reads a host pattern. Result: kind "exact" with the host, or "wildcard" with the suffix behind
--- the star's dot.
---@param text string
---@return table|nil pattern
---@return string|nil message
function hostname.parse(text)
  if text:sub(1, 1) == "[" then return parse_ipv6(text) end
  if text:find(":", 1, true) and address.is_ipv6(text) then
    return nil, ('an IPv6 address stands in brackets: "[%s]"'):format(text)
  end
  local suffix = wildcard:match(text)
  if not suffix and not name:match(text) then return nil, explain(text) end
  if #text > HOST_MAX then return nil, ("a host has at most %d bytes"):format(HOST_MAX) end
  if #text > LABEL_MAX and label_too_long(text) then return nil, ('each part of a host has at most %d bytes'):format(LABEL_MAX) end
  return { kind = suffix and "wildcard" or "exact", host = suffix or text }
end

return hostname
