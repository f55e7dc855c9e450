-- SPDX-License-Identifier: Apache-2.0
-- schema.lua: every name that a parsing policy may use, as data; the language of rules is that of
-- config/schema.lua. What no single value shows, rules.lua judges.

local limits = require "config.limits"

local STATUS = { min = 400, max = 599 }

local name = { kind = "token", max = 64, fold = true, what = "the name of a field" }

local text = { kind = "text", min = 1, max = 1024 }

local texts = {
  kind = "any", what = "a text or a list of them",
  of = { { kind = "text", min = 1, max = 1024 }, { kind = "list", of = text, max = 1024 } },
}

local matchers = {
  kind = "table", what = "a table such as { contains = \"x\" }",
  fields = { equals = texts, prefix = texts, suffix = texts, contains = texts },
}

local grammar = { kind = "grammar" }

local subject = { kind = "any", of = { matchers, grammar } }

local value = { kind = "any", of = { { kind = "choice", values = { "present", "absent" } }, matchers, grammar } }

local function conditions()
  return {
    method = subject, host = subject, path = subject, query = subject,
    field = { kind = "map", key = name, of = value, max = 64 },
  }
end

local reject = conditions()
reject.status = { kind = "integer", min = STATUS.min, max = STATUS.max, required = "write status = 403, say" }
reject.unless = { kind = "table", fields = conditions() }

local field = {
  kind = "table",
  fields = {
    required = { kind = "integer", min = STATUS.min, max = STATUS.max },
    max = { kind = "size", min = "1B", max = "65535B" },
    once = { kind = "boolean", default = false },
    remove = { kind = "boolean", default = false },
  },
}

return {
  statements = {
    limits = { rule = limits.rule },
    methods = { rule = { kind = "list", of = { kind = "token", max = 32, what = "a method" }, max = 64 } },
    paths = {
      rule = {
        kind = "table",
        fields = {
          utf8 = { kind = "choice", values = { "require", "any" }, default = "any" },
          encoded_slash = { kind = "choice", values = { "refuse", "keep" }, default = "refuse" },
        },
      },
    },
    field = { rule = field, many = 128, named = name },
    reject = { rule = { kind = "table", fields = reject }, many = 1024 },
    on_head = { rule = { kind = "callable" } },
  },
  later = { "on_body", "on_trailers" },
}
