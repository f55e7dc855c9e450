-- SPDX-License-Identifier: Apache-2.0
-- schema.lua: every name that server.lua may use, as data. check.lua walks it; nothing else knows it.
--
-- A rule has a kind, and what that kind asks for:
--   boolean · integer {min, max} · choice {values} · duration {min, max} · size {min, max} · rate {min, max}
--   path · directory · file · host · user · endpoint · network · name · text {min, max}
--   token {max, fold: in lower case, what: in words} · callable · grammar · parsed {parse: function}
--   list {of, max}         items without names
--   map {key, of, max}     items whose names are free; the key's rule is that of a single value
--   table {fields}         named fields; item: the rule of the one item without name
--   any {of}               the first of these rules that fits; each may have as, its name in the result
-- zero: of a quantity, that 0 is allowed too, whatever min says.
-- Each may have: default, required (true, or a hint shown where it is missing).
-- shorthand: the field (or 1) that a statement's lone string stands for.
-- later: names of the design that this version does not support, which is what it then says.

local request_limits = require "config.limits"

local limits = {
  kind = "table",
  fields = {
    memory = { kind = "size", min = "1MB", max = "64GB", default = "128MB" },
    cpu = { kind = "duration", min = "10ms", max = "60s", default = "100ms" },
    wall = { kind = "duration", min = "10ms", max = "1h", default = "10s" },
    processes = { kind = "integer", min = 1, max = 1024, default = 4 },
  },
}

local hardened = { kind = "boolean", default = false }

local file = { kind = "file" } -- of a policy

local networks = { kind = "list", of = { kind = "network" }, max = 1024 }

local listen = {
  kind = "table", shorthand = 1,
  item = { kind = "endpoint", required = 'write listen { "0.0.0.0:80" }' },
  fields = {
    processes = { kind = "integer", min = 1, max = 64, default = 1 },
    parsing = file,
    limits = request_limits.rule,
    proxies = networks,        -- whose Forwarded and X-Forwarded-* are believed
    proxy_protocol = networks, -- who begins each connection with a PROXY header
    defer_accept = { kind = "boolean", default = false },
    fast_open = { kind = "boolean", default = false },
  },
  later = { "tls", "protocol" },
}

local vhost = {
  kind = "table",
  fields = {
    hosts = { kind = "list", of = { kind = "host" }, max = 4096 },
    user = { kind = "user", required = 'write user = "auto", or the name of an account' },
    root = { kind = "directory", required = 'write root = "/srv/www/name"' },
    limits = limits,
    hardened = hardened,
    shared_user = { kind = "boolean", default = false },
    default = { kind = "boolean", default = false },
  },
  later = { "grants", "start", "listener", "label", "apps" },
}

local defaults = {
  kind = "table",
  fields = { limits = limits, hardened = hardened },
  later = { "start", "grants" },
}

local logs = {
  kind = "table", shorthand = "dir",
  fields = {
    dir = { kind = "path" },
    format = { kind = "choice", values = { "combined", "json", "both" }, default = "combined" },
  },
}

-- Numbers of this range are for automatic users alone.
local automatic_users = {
  kind = "table",
  fields = {
    first = { kind = "integer", min = 65536, max = 2147483647, default = 1900000000 },
    count = { kind = "integer", min = 1, max = 10000000, default = 100000 },
  },
}

return {
  -- many: may stand that often. named: takes a name, then a table.
  statements = {
    listen = { rule = listen, many = 64 },
    vhost = { rule = vhost, many = 16384, named = { kind = "name" } },
    defaults = { rule = defaults },
    logs = { rule = logs },
    automatic_users = { rule = automatic_users },
    parsing = { rule = file },
    routing = { rule = file },
  },
  later = { "include", "grants", "tls" },
  limits = limits,
  policies_max = 16, -- parsing policies, the default one among them
  listeners_max = 128, -- processes of all listen statements together
}
