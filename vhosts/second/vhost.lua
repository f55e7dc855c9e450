-- SPDX-License-Identifier: Apache-2.0
-- The second site: another directory, another process, another user. Break it; the first goes on.

files "/" { dir = "public" }

local PAGE = [[
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>luttpd: the second site</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
<main>
<h1>I am the second site.</h1>
<p>Same machine, same port, another process: <strong>%d</strong>. Another user: <strong>%d</strong>. Of the first
site I can see what you can see: what it says when it is asked.</p>
<p><a href="/whoami">/whoami</a> says it for programs. <a href="/loop">/loop</a> never answers by itself; it is
stopped, and its owner reads why in <code>build/logs/second/error.log</code>.</p>
</main>
</html>
]]

get "/" (function(_, res) res:html(PAGE:format(site.pid, site.uid)) end)

-- Pages of other sites may read these two answers: the first page does.
local function open_to_all(res)
  res:header("access-control-allow-origin", "*")
  res:header("cache-control", "no-store")
end

get "/whoami" (function(_, res)
  open_to_all(res)
  res:json { vhost = site.name, pid = site.pid, uid = site.uid, gid = site.gid }
end)

-- For ever, or for as long as the admin's limits let a script run: 100 ms where server.lua says nothing.
get "/loop" (function() while true do end end)

errors {
  [500] = function(_, res)
    open_to_all(res)
    res:text "The second site has failed; the first one has not noticed.\n"
  end,
}
