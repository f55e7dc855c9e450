-- SPDX-License-Identifier: Apache-2.0
-- schema.lua: every name that a routing policy may use, as data; the language of rules is that of
-- config/schema.lua. What no single value shows (one action each, no pattern twice), rules.lua judges.

local vhost = { kind = "name" }
local field = { kind = "token", max = 64, fold = true, what = "the name of a field" }

local addresses = { kind = "list", of = { kind = "network" }, max = 1024 }

local route = {
  kind = "table",
  fields = {
    -- what happens: exactly one of these
    to = vhost, -- with cookie or field: where none of the values is there
    split = { kind = "map", key = vhost, of = { kind = "integer", min = 1, max = 1000000 }, max = 8 },
    redirect = { kind = "text", max = 2000 },
    answer = { kind = "integer", min = 200, max = 599 },
    decide = { kind = "callable" },
    -- split
    by = { kind = "choice", values = { "client", "request" }, default = "client" },
    -- redirect
    status = { kind = "integer", min = 301, max = 308, default = 302 },
    keep_path = { kind = "boolean", default = false },
    -- answer
    text = { kind = "text", max = 512 },
    retry = { kind = "duration", min = "1s", max = "365d" },
    -- to, by what the request says
    cookie = { kind = "token", max = 64, what = "the name of a cookie" },
    field = field,
    values = { kind = "map", key = { kind = "text", max = 64 }, of = vhost, max = 256 },
    -- decide
    vhosts = { kind = "list", of = vhost, max = 64 },
    fields = { kind = "list", of = field, max = 7 },
    -- any of them
    except = { kind = "table", fields = { addresses = addresses } },
  },
}

return {
  -- named: the name is a pattern, "host/prefix"; pattern.lua says which there are.
  statements = { route = { rule = route, many = 4096, named = true } },
  later = {},
}
