-- SPDX-License-Identifier: Apache-2.0
-- vhosts.lua COUNT: each request goes to one of the hosts v1.test ... vCOUNT.test, at random, the same
-- for every server.
-- luacheck: globals init request
-- luacheck: read globals wrk

dofile((debug.getinfo(1, "S").source:match "^@(.*)vhosts%.lua$") .. "report.lua")

local requests = {}

function init(arguments)
  math.randomseed(42)
  for i = 1, tonumber(arguments[1]) do
    requests[i] = wrk.format("GET", wrk.path, { Host = ("v%d.test"):format(i) })
  end
end

function request()
  return requests[math.random(#requests)]
end
