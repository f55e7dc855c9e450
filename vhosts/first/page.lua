-- SPDX-License-Identifier: Apache-2.0
-- page.lua: the first page. Everything that it says about processes comes from luttpd.processes.

local drawing = require "drawing"
local html = require "html"
local processes = require "luttpd.processes"
local template = require "template"

local SECOND_HOST = "second.localhost"

local CARD = [[
<article class="card" id="{{name}}"><h3>{{name}}</h3>
<p class="badge">user {{uid}}</p>
<p>{{does}}</p>
<p class="holds"><span>Holds</span> {{holds}}</p>
<ul class="never">{{never}}</ul>
<p class="walls">network: {{network}} · files from: {{root}}</p>
</article>]]

local ROOTS = { empty = "an empty root directory", host = "the machine's root directory" }
local NETWORKS = { none = "an empty one of its own", host = "the machine's" }

local page = {}

local function make_card(role)
  local never = {}
  for _, sentence in ipairs(role.never) do never[#never + 1] = ("<li>%s</li>"):format(html.escape(sentence)) end
  return html.fill(CARD, {
    name = html.escape(role.name), uid = ("%.0f"):format(role.uid), does = html.escape(role.does),
    holds = html.escape(role.holds), never = table.concat(never),
    network = NETWORKS[role.network], root = ROOTS[role.root],
  })
end

local function make_cards()
  local cards = {}
  for _, role in ipairs(processes) do cards[#cards + 1] = make_card(role) end
  return table.concat(cards, "\n")
end

-- ":8080", as the client wrote it
local function port_of(req) return req.host:match ":%d+$" or "" end

local function second_of(req) return "http://" .. SECOND_HOST .. port_of(req) end

-- The same for every request, so made once.
local facts = {
  site = html.escape(site.name), pid = tostring(site.pid), uid = tostring(site.uid), gid = tostring(site.gid),
  others = tostring(#processes - 1), second_host = SECOND_HOST, roles = make_cards(),
  drawing = drawing.render(processes, {
    { name = site.name, class = "site-first", uid = site.uid, pid = site.pid },
    { name = "second", class = "site-second" },
  }),
}

--- What the page may load, as a Content-Security-Policy: this site's files, and an answer of the second site.
function page.policy(req)
  return ("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self' %s; "
    .. "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"):format(second_of(req))
end

function page.render(req)
  local values = setmetatable({ first = "http://localhost" .. port_of(req), second = second_of(req) }, { __index = facts })
  return html.fill(template, values)
end

return page
