-- SPDX-License-Identifier: Apache-2.0
-- request.lua: the methods of req that are written in Lua. Runs in every vhost process.
-- Called with host: parse_form and decode_json are C. Returns the table of methods; C adds body.

local host = ...

local CONTENT_MAX = 1024 * 1024 -- bytes that read_all takes where nobody says how many

local concat, type, error = table.concat, type, error

local request = {}

local function too_large(max)
  return nil, ("the content is larger than %.0f bytes"):format(max), 413
end

function request:read_all(max)
  max = max or CONTENT_MAX
  if type(max) ~= "number" then error("read_all takes a number of bytes", 2) end
  if self.length and self.length > max then return too_large(max) end
  local parts, count, bytes = {}, 0, 0
  for chunk in self:body() do
    bytes = bytes + #chunk
    if bytes > max then return too_large(max) end
    count = count + 1
    parts[count] = chunk
  end
  return concat(parts)
end

function request:form(max)
  local text, message, code = self:read_all(max)
  if not text then return nil, message, code end
  return host.parse_form(text)
end

function request:json(max)
  local text, message, code = self:read_all(max)
  if not text then return nil, message, code end
  local value, wrong = host.decode_json(text)
  if value == nil then return nil, wrong, 400 end
  return value
end

return request
