-- SPDX-License-Identifier: Apache-2.0
-- guards.lua: puts checks in front of built-in functions that could otherwise not be stopped.
-- Runs in: every process that hosts Lua, once, before any script. Trusted; scripts see only the
-- functions. Each guard ends in a tail call, so that messages and line numbers are the caller's own.
--
--   allowed   table of library tables, changed in place
--   check     C functions: room() raises where the C stack runs low, size checks raise at their
--             caller's caller, handler(f) skips f once the entry is being ended, is_handler(co) tells
--             a handler's coroutine
--   WAIT      what a host function yields first; only this file and C ever see it
local allowed, check, WAIT = ...

local room = check.room
local base, string, table, coroutine = allowed.base, allowed.string, allowed.table, allowed.coroutine

-- An interrupted function must not be followed by a handler that nothing interrupts.
local raw_xpcall, handler = base.xpcall, check.handler
function base.xpcall(f, on_error, ...)
  room()
  return raw_xpcall(f, handler(on_error), ...)
end

local raw_rep, rep_size = string.rep, check.rep_size
function string.rep(s, n, separator)
  rep_size(s, n, separator)
  return raw_rep(s, n, separator)
end

local raw_format, format_size = string.format, check.format_size
function string.format(...)
  format_size(...)
  return raw_format(...)
end

local raw_concat, concat_size = table.concat, check.concat_size
function table.concat(list, separator, first, last)
  concat_size(list, separator, first, last)
  return raw_concat(list, separator, first, last)
end

-- Quicksort can be made quadratic by its input, and without a comparison in Lua nothing would stop it.
local UNCOMPARED_MAX = 256
local raw_sort, type = table.sort, base.type
local function less(a, b)
  return a < b
end
function table.sort(list, compare)
  room()
  if compare == nil and type(list) == "table" and #list > UNCOMPARED_MAX then
    return raw_sort(list, less)
  end
  return raw_sort(list, compare)
end

-- Coroutines of the script's own: a wait inside one travels outwards through all of them to the
-- handler's coroutine, and its result back in.
local raw_resume, raw_yield, raw_create = coroutine.resume, coroutine.yield, coroutine.create
local raw_running, is_handler, error = coroutine.running, check.is_handler, base.error

local function settle(co, ok, ...)
  if ok and (...) == WAIT then
    return settle(co, raw_resume(co, raw_yield(...)))
  end
  return ok, ...
end

function coroutine.resume(co, ...)
  if type(co) ~= "thread" then
    return raw_resume(co) -- raises, in the caller's name
  end
  room()
  return settle(co, raw_resume(co, ...))
end

local function results(ok, ...)
  if not ok then
    return error((...), 0)
  end
  return ...
end

local resume = coroutine.resume
function coroutine.wrap(f)
  local co = raw_create(f)
  return function(...)
    return results(resume(co, ...))
  end
end

-- A handler's coroutine counts as the main one: scripts must not resume what the host resumes.
function coroutine.running()
  local co = raw_running()
  if co ~= nil and is_handler(co) then
    return nil
  end
  return co
end
