-- SPDX-License-Identifier: Apache-2.0
-- heads.lua FILE COUNT: sends the bytes of FILE, a request head, COUNT times in one go, and waits for as many
-- answers.
-- luacheck: globals init request

dofile((debug.getinfo(1, "S").source:match "^@(.*)heads%.lua$") .. "report.lua")

local bytes

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  bytes = file:read("*a"):rep(tonumber(arguments[2]))
  file:close()
end

function request()
  return bytes
end
