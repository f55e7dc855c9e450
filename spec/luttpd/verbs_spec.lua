-- SPDX-License-Identifier: Apache-2.0
-- The verbs over a host that only remembers. The same mistakes in a real process, with real lines:
-- tests/integration/test_vhost_lua.py.
local LUA = "lua/luttpd/verbs.lua"

-- Loads the verbs. Returns the globals, what the host was told, and the function that ends the load.
local function load_verbs(refuse)
  local told, globals = {}, { print = print }
  local function remember(name)
    return function(...)
      told[#told + 1] = { name, ... }
      if refuse then return unpack(refuse) end
    end
  end
  local host = {
    add_handler = remember "handler", add_files = remember "files", add_redirect = remember "redirect",
    add_error = remember "error", loading = true,
    where = function() return "vhost.lua:7" end,
    kind_of = function(name) return ({ public = "directory", ["404.html"] = "file", ["public/500.html"] = "file" })[name] end,
  }
  host.is_loading = function() return host.loading end
  local finish = assert(loadfile(LUA))(host, globals, { name = "alice", uid = 7 })
  return globals, told, finish, host
end

local function failure(f, ...)
  local good, message = pcall(f, ...)
  assert.is_false(good)
  return message
end

local function handler() end

describe("files", function()
  it("answers beneath its prefix, and for the prefix itself", function()
    local globals, told = load_verbs()
    globals.files "/docs" { dir = "public/", cache = "10m" }
    assert.same({ "files", "/docs/*", "public", { "index.html" }, "max-age=600", "vhost.lua:7" }, told[1])
    assert.same({ "files", "/docs", "public", { "index.html" }, "max-age=600", "vhost.lua:7" }, told[2])
  end)

  it("takes one or several index names", function()
    local globals, told = load_verbs()
    globals.files("/", { dir = "public", index = "home.html" })
    globals.files "/x/" { dir = "public", index = { "a", "b" } }
    assert.same({ "home.html" }, told[1][4])
    assert.same({ "a", "b" }, told[2][4])
    assert.equal("", told[1][5])
  end)

  local wrong = {
    ['files: the path is a plain prefix'] = { "/:x", { dir = "public" } },
    ['files: there is no directory "pub" here'] = { "/", { dir = "pub" } },
    ["files: index holds names of files"] = { "/", { dir = "public", index = "a/b" } },
    ['files: cache is a number and a unit, such as "10m", "1h" or "7d", not "1y"'] = { "/", { dir = "public", cache = "1y" } },
    ['files has no option "indx", did you mean "index"?'] = { "/", { dir = "public", indx = "a" } },
    ["files takes a table of options, not a string"] = { "/", "public" },
    ['files needs a path'] = { 5, {} },
  }
  for message, arguments in pairs(wrong) do
    it("refuses with: " .. message, function()
      local globals, told = load_verbs()
      assert.truthy(failure(globals.files, unpack(arguments)):find("vhost.lua:7: " .. message, 1, true))
      assert.same({}, told)
    end)
  end
end)

describe("methods", function()
  it("come in two halves or in one", function()
    local globals, told = load_verbs()
    globals.get "/a" (handler)
    globals.post("/b", handler)
    globals.any "/c" (handler)
    assert.same({ "handler", "/a", 3, handler, "vhost.lua:7" }, told[1])
    assert.same({ "handler", "/b", 4, handler, "vhost.lua:7" }, told[2])
    assert.equal(255, told[3][3])
  end)

  it("tell a conflict with its rival", function()
    local globals = load_verbs { "another route has the same pattern", "vhost.lua:3" }
    assert.equal('vhost.lua:7: get "/a": another route has the same pattern (vhost.lua:3)', failure(globals.get "/a", handler))
  end)

  it("are missed when their second half never comes", function()
    local globals, _, finish = load_verbs()
    globals.get "/done" (handler)
    finish()
    globals.put "/half"
    assert.truthy(failure(finish):find('vhost.lua:7: put "/half" has no handler', 1, true))
  end)

  it("may not be used once the site serves", function()
    local globals, _, _, host = load_verbs()
    host.loading = false
    assert.equal("vhost.lua:7: get may only be used while vhost.lua loads", failure(globals.get, "/a", handler))
  end)
end)

describe("redirect", function()
  it("is temporary unless said", function()
    local globals, told = load_verbs()
    globals.redirect { from = "/a", to = "/b" }
    globals.redirect { from = "/c", to = "/d", status = 308 }
    assert.same({ "redirect", "/a", "/b", 302, "vhost.lua:7" }, told[1])
    assert.equal(308, told[2][4])
  end)

  it("needs a status that redirects", function()
    local globals = load_verbs()
    assert.truthy(failure(globals.redirect, { from = "/a", to = "/b", status = 304 }):find("status is 301", 1, true))
  end)
end)

describe("errors", function()
  it("takes files, here or in public, and functions", function()
    local globals, told = load_verbs()
    globals.errors { [404] = "404.html" }
    globals.errors { [500] = "500.html" }
    globals.errors { [403] = handler }
    assert.same({ { "error", 404, "404.html" }, { "error", 500, "public/500.html" }, { "error", 403, handler } }, told)
  end)

  for _, pages in ipairs { { [200] = "404.html" }, { ["404"] = "404.html" }, { [404.5] = "404.html" }, { [404] = 5 } } do
    it("refuses " .. tostring(next(pages)), function()
      local globals = load_verbs()
      assert.truthy(failure(globals.errors, pages):find("vhost.lua:7: errors", 1, true))
    end)
  end
end)

describe("globals", function()
  it("hint at what was meant", function()
    local globals = load_verbs()
    local function read(name) return globals[name] end
    assert.equal('vhost.lua:7: there is no "redirct", did you mean "redirect"?', failure(read, "redirct"))
    assert.equal('vhost.lua:7: there is no "prnit", did you mean "print"?', failure(read, "prnit"))
    assert.equal('vhost.lua:7: there is no "xyzzy"', failure(read, "xyzzy"))
  end)

  it("name who can where an owner cannot", function()
    local globals = load_verbs()
    local function read(name) return globals[name] end
    for _, name in ipairs { "user", "uid", "hosts", "limits", "grants", "listen" } do
      assert.truthy(failure(read, name):find("only the admin of this machine can, in server.lua", 1, true))
    end
  end)

  it("hold facts that cannot be changed", function()
    local globals = load_verbs()
    assert.equal("alice", globals.site.name)
    assert.truthy(failure(function() globals.site.uid = 0 end):find("site cannot be changed", 1, true))
  end)
end)
