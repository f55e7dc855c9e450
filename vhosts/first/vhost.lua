-- SPDX-License-Identifier: Apache-2.0
-- The first site. Change something here, stop `make run` with Ctrl-C, and start it again.

local page = require "page" -- page.lua, beside this file

files "/" { dir = "public", cache = "1m" }
errors { [404] = "404.html" }

get "/" (function(req, res)
  res:header("content-security-policy", page.policy(req))
  res:header("cache-control", "no-store") -- the process that answers may be another one next time
  res:html(page.render(req))
end)

get "/whoami" (function(_, res)
  res:header("cache-control", "no-store")
  res:json { vhost = site.name, pid = site.pid, uid = site.uid, gid = site.gid }
end)

get "/hello/:name" (function(req, res)
  res:text(("Hello %s, says process %d as user %d.\n"):format(req.params.name, site.pid, site.uid))
end)

-- The body streams through: a gigabyte takes no more memory than a word.
post "/count" (function(req, res)
  local bytes = 0
  for chunk in req:body() do bytes = bytes + #chunk end
  res:text(("%.0f bytes\n"):format(bytes))
end)
