-- SPDX-License-Identifier: Apache-2.0
-- pattern.lua: what a route is for: "shop.example", "shop.example/blog", "*.example", ".example", "*/status".
-- Paths are canonical: decoded, without dot segments or empty ones, as the listener makes them.

local hostname = require "shared.hostname"

local PREFIX_MAX = 255 -- bytes
local SEGMENTS_MAX = 13 -- one more is remembered by listeners

local pattern = {}

local function parse_host(text)
  if text == "*" then return { kind = "any", host = "" } end
  if text == "" then return nil, 'a route begins with a host: write "*" for every host' end
  if text:sub(1, 1) == "." then
    local inner, reason = hostname.parse(text:sub(2))
    if not inner then return nil, reason end
    if inner.kind ~= "exact" or text:sub(2, 2) == "[" then return nil, 'write ".example.org" or "*.example.org"' end
    return { kind = "suffix", host = inner.host }
  end
  return hostname.parse(text)
end

local function prefix_mistake(prefix)
  if #prefix > PREFIX_MAX then return ("a path prefix has at most %d bytes"):format(PREFIX_MAX) end
  if prefix:find "%c" or prefix:find("\127", 1, true) then return "a path holds no control characters" end
  if prefix:find("\\", 1, true) then return "a path holds no backslash" end
  if prefix:find "[?#]" then return "a path prefix alone, without query and fragment" end
  if prefix:find "%%%x%x" then return "a path prefix is written decoded, without percent signs" end
  if prefix:find("//", 1, true) then return "a path holds no empty segments: requests lose them before routing" end
  if prefix:sub(-1) == "/" then return "a path prefix ends without a slash: it stands for all paths below, too" end
  if (prefix .. "/"):find "/%.%.?/" then return "a path holds no dot segments: requests lose them before routing" end
end

--- Reads a pattern. Result: kind "exact", "wildcard" (*.host), "suffix" (host and all below) or "any";
--- host; prefix, such as "/blog", or empty; segments of the prefix.
---@param text string
---@return table|nil pattern
---@return string|nil reason
function pattern.parse(text)
  local slash = text:find("/", 1, true)
  local prefix = slash and text:sub(slash) or ""
  local result, reason = parse_host(slash and text:sub(1, slash - 1) or text)
  if not result then return nil, reason end
  reason = prefix_mistake(prefix)
  if reason then return nil, reason end
  result.prefix, result.segments = prefix, {}
  for segment in prefix:gmatch "[^/]+" do result.segments[#result.segments + 1] = segment end
  if #result.segments > SEGMENTS_MAX then
    return nil, ("a path prefix has at most %d segments"):format(SEGMENTS_MAX)
  end
  return result
end

return pattern
