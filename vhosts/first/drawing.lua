-- SPDX-License-Identifier: Apache-2.0
-- drawing.lua: the process tree as SVG, made of what luttpd.processes says and of nothing else.
--
--            master                 lines above: who starts whom
--    ┌─────┬────┴─┬───────┐
--  config router listener vhost …   arcs below: who exchanges messages with whom
--           ╰──────╯╰──────╯

local html = require "html"

local WIDTH, HEIGHT, GAP, TOP, ROW = 140, 76, 18, 14, 176
local MARGIN = 12

local drawing = {}

-- One node for each process below master; a vhost's role stands there once for each site.
local function place_nodes(roles, sites)
  local nodes = {}
  local function add(node)
    node.x = MARGIN + #nodes * (WIDTH + GAP)
    nodes[#nodes + 1] = node
  end
  for i = 2, #roles do
    local role = roles[i]
    if role.name == "vhost" then
      for _, site in ipairs(sites) do add { role = role, site = site, class = site.class, uid = site.uid } end
    else
      add { role = role, class = "role", uid = role.uid }
    end
  end
  return nodes
end

local function are_peers(a, b)
  for _, name in ipairs(a.role.peers) do
    if name == b.role.name then return true end
  end
  return false
end

-- Where on its lower edge a node's arcs begin: short ones outside, so that none crosses at the node.
local function place_ports(nodes)
  local ports = {}
  for i, node in ipairs(nodes) do
    local order = {}
    for j = i - 1, 1, -1 do order[#order + 1] = are_peers(node, nodes[j]) and j or nil end
    for j = #nodes, i + 1, -1 do order[#order + 1] = are_peers(node, nodes[j]) and j or nil end
    ports[i] = {}
    for k, j in ipairs(order) do ports[i][j] = node.x + WIDTH * k / (#order + 1) end
  end
  return ports
end

local function draw_arc(nodes, ports, i, j)
  local from, to, y = ports[i][j], ports[j][i], ROW + HEIGHT
  local depth = y + 24 + (to - from) * 0.27
  local class = ("arc %s %s"):format(nodes[i].class, nodes[j].class)
  if nodes[i].role.name == "listener" and nodes[j].site then class = class .. " request" end
  return ('<path class="%s" d="M%.1f %d C%.1f %.1f %.1f %.1f %.1f %d"/>'):format(
    class, from, y, from, depth, to, depth, to, y)
end

local function draw_arcs(nodes)
  local ports, arcs = place_ports(nodes), {}
  for i = 1, #nodes do
    for j = i + 1, #nodes do
      if ports[i][j] then arcs[#arcs + 1] = draw_arc(nodes, ports, i, j) end
    end
  end
  return table.concat(arcs)
end

local function draw_branches(nodes, x)
  local middle, lines = (TOP + HEIGHT + ROW) / 2, {}
  for _, node in ipairs(nodes) do
    lines[#lines + 1] = ('<path class="branch" d="M%.1f %d V%d H%.1f V%d"/>'):format(
      x, TOP + HEIGHT, middle, node.x + WIDTH / 2, ROW)
  end
  return table.concat(lines)
end

local NODE = [[<a href="#{{role}}" aria-label="{{label}}"><g class="node {{class}}">]]
  .. [[<rect x="{{x}}" y="{{y}}" width="{{width}}" height="{{height}}" rx="12"/>]]
  .. [[<text x="{{middle}}" y="{{title_y}}" class="name">{{title}}</text>]]
  .. [[<text x="{{middle}}" y="{{user_y}}" class="fact" data-user="{{site}}">{{user}}</text>]]
  .. [[<text x="{{middle}}" y="{{pid_y}}" class="fact" data-pid="{{site}}">{{pid}}</text></g></a>]]

local function draw_node(node, y)
  local title = node.site and ("%s %s"):format(node.role.name, node.site.name) or node.role.name
  local third = node.site and (node.site.pid and ("process %.0f"):format(node.site.pid) or "another process") or ""
  local text_y = third == "" and y + 8 or y
  local user = node.uid and ("user %.0f"):format(node.uid) or "another user"
  return html.fill(NODE, {
    role = html.escape(node.role.name), class = node.class, title = html.escape(title),
    label = html.escape(("%s, %s: %s"):format(title, user, node.role.does)),
    x = node.x, y = y, width = WIDTH, height = HEIGHT, middle = node.x + WIDTH / 2,
    title_y = text_y + 28, user_y = text_y + 48, pid_y = text_y + 65, user = user, pid = third,
    site = node.site and html.escape(node.site.name) or "",
  })
end

--- roles: of luttpd.processes. sites: { name, class, uid, pid }, the last two nil where unknown.
function drawing.render(roles, sites)
  local nodes = place_nodes(roles, sites)
  local width = MARGIN * 2 + #nodes * (WIDTH + GAP) - GAP
  local master = { role = roles[1], class = "root", uid = roles[1].uid, x = (width - WIDTH) / 2 }
  local parts = {
    ('<svg viewBox="0 0 %d %d" role="group" aria-label="The process tree">'):format(width, ROW + HEIGHT + 176),
    draw_branches(nodes, width / 2), draw_arcs(nodes), draw_node(master, TOP),
  }
  for _, node in ipairs(nodes) do parts[#parts + 1] = draw_node(node, ROW) end
  parts[#parts + 1] = "</svg>"
  return table.concat(parts)
end

return drawing
