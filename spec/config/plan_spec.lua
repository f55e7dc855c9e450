-- SPDX-License-Identifier: Apache-2.0
package.path = "spec/config/?.lua;" .. package.path
local harness = require "harness"

local LIMITS = {
  head_bytes = 16384, target_bytes = 8192, fields = 128, trailer_bytes = 4096, extension_bytes = 4096,
  body_bytes = 2 ^ 30, head_ms = 10000, idle_ms = 60000, body_rate = 500, send_rate = 500, requests = 10000,
  connections = 0, address_connections = 512,
}

-- A listen of the plan, with what nobody said.
local function listen(own)
  local all = { processes = 1, policy = 1, limits = LIMITS, networks = {}, defer_accept = false, fast_open = false }
  for name, value in pairs(own) do all[name] = value end
  return all
end

describe("the plan", function()
  local plan = harness.plan [[
local common = "/srv/www"
defaults { hardened = true, limits = { memory = "64MB", cpu = "50ms" } }
listen "127.0.0.1:8080"
listen { "[::1]:8081", processes = 2 }
listen "unix:/run/luttpd.sock"
logs { dir = "/var/log/x/", format = "both" }
vhost "alice" {
  hosts = { "alice.example", "*.alice.example" },
  user = "alice", root = common .. "/alice/",
  limits = { cpu = "2s", wall = "1m", processes = 9 },
}
vhost "rest" { default = true, user = "auto", root = "./sites//rest/.", hardened = false }
]]

  it("says where to listen", function()
    assert.same({
      listen { family = "inet", address = "\127\0\0\1", port = 8080 },
      listen { family = "inet6", address = ("\0"):rep(15) .. "\1", port = 8081, processes = 2 },
      listen { family = "unix", address = "/run/luttpd.sock", port = 0 },
    }, plan.listens)
  end)

  it("says where logs go", function()
    assert.equal("/var/log/x", plan.logs)
    assert.equal("both", plan.format)
  end)

  it("has every vhost with absolute root, limits from its own, then defaults, then the schema", function()
    local alice, rest = plan.vhosts[1], plan.vhosts[2]
    alice.statement, rest.statement = nil, nil
    assert.same({
      name = "alice", uid = 1000, gid = 1000, automatic = false, shared_user = false, root = "/srv/www/alice",
      memory_bytes = 64 * 2 ^ 20, cpu_ms = 2000, wall_ms = 60000, processes = 9, hardened = true,
      hosts = { { kind = "exact", host = "alice.example" }, { kind = "wildcard", host = "alice.example" } },
    }, alice)
    assert.same({
      name = "rest", uid = 1900000000, gid = 1900000000, automatic = true, shared_user = false,
      root = "/etc/luttpd/sites/rest", memory_bytes = 64 * 2 ^ 20, cpu_ms = 50, wall_ms = 10000, processes = 4,
      hardened = false, hosts = { { kind = "default", host = "" } },
    }, rest)
  end)

  it("has a log directory where none is given", function()
    local text = 'listen "0.0.0.0:80" vhost "a" { default = true, user = "auto", root = "." }'
    assert.equal("/var/log/luttpd", harness.plan(text).logs)
    assert.equal("combined", harness.plan(text).format)
    assert.equal("/etc/luttpd/logs", harness.plan(text, { single_user = true }).logs)
    assert.equal("/etc/luttpd", harness.plan(text).vhosts[1].root)
  end)

  it("can be made by a program", function()
    local made = harness.plan [[
      local function site(name, options)
        options.hosts = options.hosts or { name .. ".example" }
        options.root = "/srv/" .. name
        options.user = "auto"
        return vhost(name)(options)
      end
      listen "0.0.0.0:80"
      for _, name in ipairs { "one", "two" } do site(name, {}) end]]
    assert.equal("two", made.vhosts[2].name)
    assert.equal("/srv/two", made.vhosts[2].root)
  end)
end)
