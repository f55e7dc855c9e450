-- SPDX-License-Identifier: Apache-2.0
-- decide.lua: from rules and a request to an answer, and how far the answer holds. Runs in router, once
-- for each question; a listener remembers what holds for longer than once.
--
-- request: method, host, path, query, scheme, family, address (bytes), shown (the address as text),
--   fields (a list of { name, value }, names in lower case)
-- answer: verdict "vhost" with choices { { vhost, weight } ... } and by_client; "map": what server.lua's
--   hosts say; "none"; "redirect" with location, status, keep_path, keep_from; "answer" with status,
--   text, retry_s. reuse: "once", "path", "prefix" with prefix_bytes, "authority"; reuse_ms; selector
--   with selector_name: holds only where that has the same value.

local answers = require "routing.answers"
local says = require "routing.says"

local VALUE_MAX = 64 -- bytes of a selector's value that listeners remember

local decide = {}

-- Trees, the most specific first: the exact host, its own suffix, then what is above it, then any.
local function trees_for(rules, host)
  local trees, all = {}, rules.trees
  trees[#trees + 1] = all.exact[host]
  trees[#trees + 1] = all.suffix[host]
  for at in host:gmatch "()%." do
    local above = host:sub(at + 1)
    if at > 1 then
      trees[#trees + 1] = all.wildcard[above]
      trees[#trees + 1] = all.suffix[above]
    end
  end
  trees[#trees + 1] = all.any[""]
  return trees
end

-- Calls step with each segment, and where it ends, until that says no.
local function each_segment(path, step)
  for segment, behind in path:gmatch "/([^/]+)()" do
    if not step(segment, behind - 1) then return end
  end
end

-- How far any answer for this path holds, whatever it is: nothing that shares this much of the path
-- can meet another route, in any tree.
local function reach(trees, path)
  local live, bytes, scope = trees, 0, nil
  local function has_children()
    for _, node in ipairs(live) do
      if next(node.children) then return true end
    end
  end
  each_segment(path, function(segment, stop)
    if not has_children() then scope = bytes == 0 and "authority" or "prefix" return false end
    local below = {}
    for _, node in ipairs(live) do below[#below + 1] = node.children[segment] end
    live, bytes = below, stop
    return true
  end)
  if not scope and has_children() then scope = "path" end
  return scope or (bytes == 0 and "authority" or "prefix"), bytes
end

-- The deepest route of a tree that is for this client. Sees whether addresses mattered.
local function route_in(tree, request, state)
  local found = {}
  found[1] = tree.route
  local node = tree
  each_segment(request.path, function(segment)
    node = node.children[segment]
    if not node then return false end
    found[#found + 1] = node.route
    return true
  end)
  for i = #found, 1, -1 do
    local route = found[i]
    if not route.networks then return route end
    state.once = true
    if not says.contains(route.networks, request.family, request.address) then return route end
  end
end

local function find_route(trees, request, state)
  for _, tree in ipairs(trees) do
    local route = route_in(tree, request, state)
    if route then return route end
  end
end

-- What each action answers -----------------------------------------------------------------------------

local act = {}

function act.to(route)
  return { verdict = "vhost", choices = { { vhost = route.vhost, weight = 1 } } }
end

function act.split(route)
  return { verdict = "vhost", choices = route.choices, by_client = route.by_client }
end

function act.redirect(route)
  return {
    verdict = "redirect", location = route.location, status = route.status, keep_path = route.keep_path,
    keep_from = #route.pattern.prefix,
  }
end

function act.answer(route)
  return { verdict = "answer", status = route.status, text = route.text, retry_s = route.retry_s }
end

function act.select(route, request)
  local value = says[route.selector](request, route.name)
  local answer = { verdict = "vhost", choices = { { vhost = value and route.values[value] or route.vhost, weight = 1 } } }
  if value and #value > VALUE_MAX then
    answer.reuse = "once"
  else
    answer.selector, answer.selector_name = route.selector, route.name
  end
  return answer
end

function act.decide(route, request)
  return answers.of(route, route.decide(says.request(route, request)))
end

--- Decides.
---@param rules table see rules.lua
---@param request table
---@return table answer
function decide.answer(rules, request)
  local state = {}
  local trees = trees_for(rules, request.host)
  local route = find_route(trees, request, state)
  local answer = route and act[route.action](route, request) or { verdict = "map" }
  local scope, bytes = reach(trees, request.path)
  if state.once or answer.reuse == "once" then
    answer.reuse, answer.selector, answer.selector_name = "once", nil, nil
  elseif answer.reuse ~= "path" then
    answer.reuse, answer.prefix_bytes = scope, scope == "prefix" and bytes or nil
  end
  return answer
end

return decide
