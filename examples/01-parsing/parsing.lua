-- SPDX-License-Identifier: Apache-2.0
-- What a request must keep to before the site sees it. docs/PARSING.md has the whole language.

limits { body = "1MB" }
methods { "GET", "HEAD", "POST", "OPTIONS" }

-- A crawler that does not behave. Case does not matter in fields.
reject { status = 403, field = { ["user-agent"] = { contains = { "badbot", "evil crawler" } } } }

-- The API wants a token, but for its own description. Whether the token is good, the site finds out.
reject {
  status = 401,
  path = { prefix = "/api/" },
  field = { authorization = "absent" },
  unless = { path = { equals = "/api/description" } },
}

-- An item has a number: nothing else gets as far as the site's database.
local item = lpeg.P "/item/" * lpeg.R "09" ^ 1 * -1
reject { status = 404, path = lpeg.P "/item/" - item }

-- What no list can say: a tag, which the site reads as the field luttpd-visitor, and no client can send.
on_head(function(head)
  local agent = head.headers["user-agent"] or ""
  head:tag("visitor", agent:find "^curl/" and "tool" or "browser")
end)
