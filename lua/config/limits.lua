-- SPDX-License-Identifier: Apache-2.0
-- limits.lua: what one client may ask of a listener. The same names stand in a parsing policy and in
-- server.lua's listen, which goes first; zero means that there is no limit.

local kinds = require "config.kinds"

-- field: of the record POLICY_LISTEN.
local names = {
  head = { field = "head_bytes", kind = "size", min = "256B", max = "65535B", default = "16KB" },
  target = { field = "target_bytes", kind = "size", min = "16B", max = "8192B", default = "8KB" },
  fields = { field = "fields", kind = "integer", min = 1, max = 128, default = 128 },
  trailer = { field = "trailer_bytes", kind = "size", min = "16B", max = "64KB", default = "4KB" },
  extensions = { field = "extension_bytes", kind = "size", min = "16B", max = "64KB", default = "4KB" },
  body = { field = "body_bytes", kind = "size", min = "1B", max = "1048576GB", default = "1GB", zero = true },
  head_time = { field = "head_ms", kind = "duration", min = "100ms", max = "24h", default = "10s", zero = true },
  idle_time = { field = "idle_ms", kind = "duration", min = "100ms", max = "24h", default = "60s", zero = true },
  body_rate = { field = "body_rate", kind = "rate", min = "1B", max = "1GB", default = "500B", zero = true },
  send_rate = { field = "send_rate", kind = "rate", min = "1B", max = "1GB", default = "500B", zero = true },
  requests = { field = "requests", kind = "integer", min = 0, max = 2147483647, default = 10000 },
  connections = { field = "connections", kind = "integer", min = 0, max = 2147483647, default = 0 },
  address_connections = { field = "address_connections", kind = "integer", min = 0, max = 2147483647, default = 512 },
}

local limits = { rule = { kind = "table", fields = names } }

--- The limits of a listen statement, by the names of POLICY_LISTEN.
---@param own table|nil what its own limits say
---@param policy table|nil what its parsing policy says
---@return table
function limits.merge(own, policy)
  local merged = {}
  for name, rule in pairs(names) do
    local value = own and own[name]
    if value == nil then value = policy and policy[name] end
    if value == nil then value = kinds.default(rule) end
    merged[rule.field] = value
  end
  return merged
end

return limits
