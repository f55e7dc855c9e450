-- SPDX-License-Identifier: Apache-2.0
-- says.lua: what a request says: cookies, fields, where it comes from. Of a cookie or a selecting field
-- that comes several times the first counts, here as in the listener (runtime/listener/route_value.c).

local says = {}

local MAPPED = ("\0"):rep(10) .. "\255\255" -- an IPv4 address in IPv6: RFC 4291 section 2.5.5.2

--- Calls visit with each cookie, in order, until it returns true. RFC 6265 section 4.2.1, read leniently.
local function each_cookie(fields, visit)
  for _, field in ipairs(fields) do
    if field[1] == "cookie" then
      for pair in (field[2] .. ";"):gmatch "([^;]*);" do
        local name, value = pair:match "^[ \t]*([^=]-)[ \t]*=[ \t]*(.-)[ \t]*$"
        if name and visit(name, value) then return end
      end
    end
  end
end

--- The value of the first cookie of this name, or nil.
function says.cookie(request, wanted)
  local found
  each_cookie(request.fields, function(name, value)
    found = name == wanted and value or nil
    return found
  end)
  return found
end

--- The value of the first field of this name, or nil.
function says.field(request, wanted)
  for _, field in ipairs(request.fields) do
    if field[1] == wanted then return field[2] end
  end
end

local function in_network(network, family, address)
  if network.family ~= family then return false end
  local whole = math.floor(network.bits / 8)
  if network.address:sub(1, whole) ~= address:sub(1, whole) then return false end
  local rest = network.bits % 8
  if rest == 0 then return true end
  local size = 2 ^ (8 - rest)
  return math.floor(network.address:byte(whole + 1) / size) == math.floor(address:byte(whole + 1) / size)
end

--- Whether any of the networks contains the address.
---@param networks table[] each { family, address, bits }
---@return boolean
function says.contains(networks, family, address)
  if family == "inet6" and address:sub(1, 12) == MAPPED then
    family, address = "inet", address:sub(13)
  end
  for _, network in ipairs(networks) do
    if in_network(network, family, address) then return true end
  end
  return false
end

local function cookies_of(fields)
  local cookies = {}
  each_cookie(fields, function(name, value)
    cookies[name] = cookies[name] or value
  end)
  return cookies
end

-- Lines of one field are one list: RFC 9110 section 5.3.
local function headers_of(route, fields)
  local headers, wanted = {}, {}
  for _, name in ipairs(route.wants) do wanted[name] = true end
  for _, field in ipairs(fields) do
    local name, value = field[1], field[2]
    if wanted[name] then
      headers[name] = headers[name] and headers[name] .. (name == "cookie" and "; " or ", ") .. value or value
    end
  end
  return headers
end

--- The request as a policy's function sees it: a table of its own.
function says.request(route, request)
  return {
    method = request.method, host = request.host, path = request.path, query = request.query,
    scheme = request.scheme, address = request.shown,
    cookies = cookies_of(request.fields), headers = headers_of(route, request.fields),
  }
end

return says
