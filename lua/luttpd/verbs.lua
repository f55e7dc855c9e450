-- SPDX-License-Identifier: Apache-2.0
-- verbs.lua: the names that vhost.lua is written with. Runs in every vhost process, before vhost.lua.
-- Here every mistake gets its line, and a hint where one can be guessed; what is right goes to host,
-- which is C. Called with host (verbs.c), the globals that vhost.lua will see, and the facts of site.
-- Returns the function to call when vhost.lua has ended.

local nearest = require "shared.nearest"

local host, globals, facts = ...

local GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, ALL = 1, 2, 4, 8, 16, 32, 64, 255
local METHODS = {
  get = GET + HEAD, post = POST, put = PUT, patch = PATCH, delete = DELETE, options = OPTIONS, any = ALL,
}
local REDIRECT_STATUS = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
local SECONDS = { s = 1, m = 60, h = 3600, d = 86400 }
local INDEX_MAX = 8

-- What server.lua decides. An owner who writes it here learns who can.
local OF_THE_ADMIN = {
  user = true, uid = true, gid = true, group = true, groups = true, hosts = true, host = true, listen = true,
  root = true, limits = true, memory = true, cpu = true, wall = true, processes = true, grants = true,
  hardened = true, shared_user = true, start = true, defaults = true, vhost = true, labels = true, logs = true,
}

local names = {} -- of every verb, for hints
local pending = {} -- verbs that wait for their second half: { text, place }

local function refuse(place, message, ...)
  error(place .. ": " .. message:format(...), 0)
end

local function hint(word, known)
  local near = nearest.find(tostring(word), known)
  return near and (', did you mean "%s"?'):format(near) or ""
end

local function check_loading(place, verb)
  if not host.is_loading() then refuse(place, "%s may only be used while vhost.lua loads", verb) end
end

local function refuse_name(place, subject, name, known)
  if OF_THE_ADMIN[name] then
    refuse(place, '"%s" cannot be set here: only the admin of this machine can, in server.lua', name)
  end
  refuse(place, '%s "%s"%s', subject, tostring(name), hint(name, known))
end

-- options: { name = { type = true, ... } }
local function check_options(place, verb, given, options)
  if type(given) ~= "table" then refuse(place, "%s takes a table of options, not a %s", verb, type(given)) end
  local known = {}
  for name in pairs(options) do known[#known + 1] = name end
  table.sort(known)
  for name, value in pairs(given) do
    if not options[name] then refuse_name(place, verb .. " has no option", name, known) end
    if not options[name][type(value)] then
      refuse(place, "%s: %s cannot be a %s", verb, name, type(value))
    end
  end
end

local function check_path(place, verb, path)
  if type(path) ~= "string" then refuse(place, '%s needs a path, such as %s "/hello"', verb, verb) end
end

-- C returns the reason, and the place of the route that was there first.
local function check_added(place, what, reason, rival)
  if reason then refuse(place, "%s: %s%s", what, reason, rival and (" (" .. rival .. ")") or "") end
end

local function expect_more(text, place)
  local entry = { text = text, place = place }
  pending[#pending + 1] = entry
  return function() entry.text = nil end
end

local verbs = {}

local FILES = { dir = { string = true }, index = { string = true, table = true }, cache = { string = true } }

local function read_index(place, index)
  if index == nil then return { "index.html" } end
  local list = type(index) == "table" and index or { index }
  if #list > INDEX_MAX then refuse(place, "files: index may name %d files", INDEX_MAX) end
  for _, name in ipairs(list) do
    if type(name) ~= "string" or name == "" or name:find("/", 1, true) or name:sub(1, 1) == "." then
      refuse(place, "files: index holds names of files, without a slash")
    end
  end
  return list
end

local function read_cache(place, cache)
  if cache == nil then return "" end
  local amount, unit = cache:match "^(%d+)([smhd])$"
  if not amount or #amount > 9 then
    refuse(place, 'files: cache is a number and a unit, such as "10m", "1h" or "7d", not "%s"', cache)
  end
  return ("max-age=%.0f"):format(tonumber(amount) * SECONDS[unit])
end

local function read_dir(place, dir)
  if dir == nil then refuse(place, 'files needs a directory: files "/" { dir = "public" }') end
  dir = dir:gsub("/+$", "")
  if dir == "" or dir:sub(1, 1) == "/" then refuse(place, "files: dir is relative to the site's own directory") end
  for segment in dir:gmatch "[^/]+" do
    if segment == ".." then refuse(place, "files: dir cannot lead out of the site's own directory") end
  end
  if host.kind_of(dir) ~= "directory" then refuse(place, 'files: there is no directory "%s" here', dir) end
  return dir
end

local function add_files(place, prefix, options)
  check_options(place, "files", options, FILES)
  if prefix:find("[:*]") then refuse(place, "files: the path is a plain prefix, without : and *") end
  local what, dir = ('files "%s"'):format(prefix), read_dir(place, options.dir)
  local index, cache = read_index(place, options.index), read_cache(place, options.cache)
  local slash = prefix:sub(-1) == "/" and prefix or prefix .. "/"
  check_added(place, what, host.add_files(slash .. "*", dir, index, cache, place))
  if slash ~= "/" then check_added(place, what, host.add_files(slash:sub(1, -2), dir, index, cache, place)) end
end

function verbs.files(prefix, options)
  local place = host.where(2)
  check_loading(place, "files")
  check_path(place, "files", prefix)
  if options ~= nil then return add_files(place, prefix, options) end
  local complete = expect_more(('files "%s" has no options: write files "%s" { dir = "public" }'):format(prefix, prefix), place)
  return function(more)
    complete()
    add_files(host.where(2), prefix, more)
  end
end

local REDIRECT = { from = { string = true }, to = { string = true }, status = { number = true } }

function verbs.redirect(options)
  local place = host.where(2)
  check_loading(place, "redirect")
  check_options(place, "redirect", options, REDIRECT)
  if not options.from or not options.to then refuse(place, 'redirect needs from and to: { from = "/old/*", to = "/new/*" }') end
  local status = options.status or 302
  if not REDIRECT_STATUS[status] then refuse(place, "redirect: status is 301, 302, 303, 307 or 308") end
  check_added(place, "redirect", host.add_redirect(options.from, options.to, status, place))
end

-- The site's own root first, then the directory that answers for "/".
local function find_page(place, status, name)
  if host.kind_of(name) == "file" then return name end
  if host.kind_of("public/" .. name) == "file" then return "public/" .. name end
  refuse(place, 'errors: [%d] = "%s": there is no such file, here or in public/', status, name)
end

function verbs.errors(pages)
  local place = host.where(2)
  check_loading(place, "errors")
  if type(pages) ~= "table" then refuse(place, 'errors takes a table, such as { [404] = "404.html" }') end
  for status, page in pairs(pages) do
    if type(status) ~= "number" or status % 1 ~= 0 or status < 400 or status > 599 then
      refuse(place, "errors: %s is no status from 400 to 599; write [404] = ...", tostring(status))
    end
    if type(page) == "string" then
      page = find_page(place, status, page)
    elseif type(page) ~= "function" then
      refuse(place, "errors: [%d] is the name of a file or a function, not a %s", status, type(page))
    end
    check_added(place, "errors", host.add_error(status, page))
  end
end

local function add_handler(place, verb, pattern, handler)
  if type(handler) ~= "function" then
    refuse(place, '%s "%s" needs a function(req, res), not a %s', verb, pattern, type(handler))
  end
  check_added(place, ('%s "%s"'):format(verb, pattern), host.add_handler(pattern, METHODS[verb], handler, place))
end

local function make_method_verb(verb)
  return function(pattern, handler)
    local place = host.where(2)
    check_loading(place, verb)
    check_path(place, verb, pattern)
    if handler ~= nil then return add_handler(place, verb, pattern, handler) end
    local missing = '%s "%s" has no handler: write %s "%s" (function(req, res) ... end)'
    local complete = expect_more(missing:format(verb, pattern, verb, pattern), place)
    return function(late)
      complete()
      add_handler(host.where(2), verb, pattern, late)
    end
  end
end

for verb in pairs(METHODS) do verbs[verb] = make_method_verb(verb) end

local function make_read_only(t, name)
  return setmetatable({}, {
    __index = t,
    __newindex = function() error(name .. " cannot be changed", 2) end,
    __metatable = name,
  })
end

for name, verb in pairs(verbs) do
  globals[name] = verb
  names[#names + 1] = name
end
for name in pairs(globals) do
  if not verbs[name] then names[#names + 1] = name end
end
names[#names + 1] = "site"
table.sort(names)
globals.site = make_read_only(facts, "site")

-- A global that nobody has set is a slip, and mostly one of a verb.
setmetatable(globals, {
  __index = function(_, name) refuse_name(host.where(2), "there is no", name, names) end,
  __metatable = "globals",
})

return function()
  for _, entry in ipairs(pending) do
    if entry.text then refuse(entry.place, "%s", entry.text) end
  end
end
