-- SPDX-License-Identifier: Apache-2.0
local harness = require "routing.harness"

local function policy(text)
  local rules, reason = harness.rules(text)
  return assert(rules, reason)
end

-- The vhost that answers, or the verdict; then how far it holds.
local function shape(answer)
  local what = answer.verdict == "vhost" and answer.choices[1].vhost or answer.verdict
  local reuse = answer.reuse .. (answer.prefix_bytes and answer.prefix_bytes or "")
  return what .. " " .. reuse .. (answer.selector and " " .. answer.selector .. " " .. answer.selector_name or "")
end

local function assert_all(rules, cases)
  for _, case in ipairs(cases) do
    assert.equal(case[3], shape(harness.ask(rules, case[1], case[2], case[4])), case[1] .. case[2])
  end
end

describe("hosts", function()
  local rules = policy [[
    route "a.example" { to = "exact" }
    route "*.example" { to = "wild" }
    route ".deep.example" { to = "deep" }
    route "*.deep.example" { to = "deeper" }
    route "*" { to = "any" }
    route "[::1]" { to = "address" }
  ]]

  it("match the most specific pattern first", function()
    assert_all(rules, {
      { "a.example", "/", "exact authority" }, { "b.example", "/x", "wild authority" },
      { "x.a.example", "/", "wild authority" }, { "deep.example", "/", "deep authority" },
      { "x.deep.example", "/", "deeper authority" }, { "example", "/", "any authority" },
      { "", "/", "any authority" }, { "[::1]", "/", "address authority" }, { ".example", "/", "any authority" },
    })
  end)

  it("are server.lua's where no route matches", function()
    assert_all(policy [[route "a.example" { to = "a" }]], { { "b.example", "/x/y", "map authority" } })
  end)

  it("fall to a less specific pattern where no prefix matches", function()
    assert_all(policy [[
      route "a.example/blog" { to = "blog" }
      route "*.example" { to = "wild" }
      route "*/status" { answer = 200, text = "fine" }
    ]], {
      { "a.example", "/blog/x", "blog prefix5" }, { "a.example", "/other/x", "wild prefix6" },
      { "a.example", "/status", "wild prefix7" }, { "b.test", "/status/x", "answer prefix7" },
      { "b.test", "/x", "map prefix2" }, { "b.test", "/", "map path" },
    })
  end)
end)

describe("prefixes", function()
  local rules = policy [[
    route "a.example" { to = "root" }
    route "a.example/blog" { to = "blog" }
    route "a.example/blog/admin/new" { to = "admin" }
    route "b.example/x" { to = "x" }
  ]]

  it("match at a segment's border, the longest first, and hold exactly as far as they may", function()
    assert_all(rules, {
      { "a.example", "/", "root path" }, { "a.example", "/blogger", "root prefix8" },
      { "a.example", "/blogger/x", "root prefix8" }, { "a.example", "/blog", "blog path" },
      { "a.example", "/blog/", "blog path" }, { "a.example", "/blog/2024/x", "blog prefix10" },
      { "a.example", "/blog/admin", "blog path" }, { "a.example", "/blog/admin/old", "blog prefix15" },
      { "a.example", "/blog/admin/new", "admin prefix15" }, { "a.example", "/blog/admin/new/x", "admin prefix15" },
      { "b.example", "/x", "x prefix2" }, { "b.example", "/y", "map prefix2" },
    })
  end)
end)

describe("actions", function()
  it("split among vhosts", function()
    local answer = harness.ask(policy [[route "a" { split = { new = 5, old = 95 }, by = "request" }]], "a", "/")
    assert.same({ { vhost = "new", weight = 5 }, { vhost = "old", weight = 95 } }, answer.choices)
    assert.is_false(answer.by_client)
    assert.is_true(harness.ask(policy [[route "a" { split = { x = 1 } }]], "a", "/").by_client)
  end)

  it("redirect, keeping the path behind the prefix", function()
    local rules = policy [[
      route "a/old" { redirect = "https://new.example/", status = 301, keep_path = true }
      route "b" { redirect = "/elsewhere" }
    ]]
    local answer = harness.ask(rules, "a", "/old/x")
    assert.same({ "redirect", "https://new.example", 301, true, 4 },
      { answer.verdict, answer.location, answer.status, answer.keep_path, answer.keep_from })
    answer = harness.ask(rules, "b", "/")
    assert.same({ "/elsewhere", 302, false }, { answer.location, answer.status, answer.keep_path })
  end)

  it("answer, but not for the addresses that are excepted", function()
    local rules = policy [[
      route "a" { to = "a" }
      route "a/shop" { answer = 503, text = "Back at noon.", retry = "1500ms",
        except = { addresses = { "10.0.0.0/9", "2001:db8::/33" } } }
    ]]
    local answer = harness.ask(rules, "a", "/shop")
    assert.same({ "answer", 503, "Back at noon.", 2, "once" },
      { answer.verdict, answer.status, answer.text, answer.retry_s, answer.reuse })
    local function from(family, address) return { family = family, address = address } end
    local v6 = "\32\1\13\184"
    assert_all(rules, {
      { "a", "/shop", "a once", from("inet", "\10\127\0\1") }, { "a", "/shop", "answer once", from("inet", "\10\128\0\1") },
      { "a", "/shop", "a once", from("inet6", v6 .. "\127" .. ("\1"):rep(11)) },
      { "a", "/shop", "answer once", from("inet6", v6 .. "\128" .. ("\1"):rep(11)) },
      { "a", "/shop", "a once", from("inet6", ("\0"):rep(10) .. "\255\255\10\1\1\1") },
      { "a", "/shop", "answer once", from("unix", "") }, { "a", "/", "a path" },
    })
  end)

  it("leave no selector behind where an answer holds once", function()
    local rules = policy [[
      route "a" { cookie = "c", values = { x = "v" }, to = "w" }
      route "a/p" { answer = 503, except = { addresses = { "127.0.0.1" } } }
    ]]
    local answer = harness.ask(rules, "a", "/p")
    assert.same({ "w", "once" }, { answer.choices[1].vhost, answer.reuse })
    assert.is_nil(answer.selector)
    assert.is_nil(answer.selector_name)
  end)

  it("select by cookie and by field", function()
    local rules = policy [[
      route "a" { cookie = "canary", values = { on = "next", [""] = "empty" }, to = "now" }
      route "b" { field = "X-Tenant", values = { one = "first" }, to = "rest" }
    ]]
    local function with(...)
      local fields = {}
      for i, line in ipairs { ... } do fields[i] = { line:match "^([^:]+):(.*)$" } end
      return { fields = fields }
    end
    local cookie, field = " authority cookie canary", " authority field x-tenant"
    assert_all(rules, {
      { "a", "/", "now" .. cookie }, { "a", "/", "next" .. cookie, with "cookie:canary=on" },
      { "a", "/", "next" .. cookie, with "cookie:x=y;  canary = on ; z" },
      { "a", "/", "next" .. cookie, with("cookie:x=y", "cookie:canary=on; canary=off") },
      { "a", "/", "now" .. cookie, with "cookie:canary=off; canary=on" },
      { "a", "/", "now" .. cookie, with "cookie:Canary=on" }, { "a", "/", "now" .. cookie, with "x-cookie:canary=on" },
      { "a", "/", "empty" .. cookie, with "cookie:canary=" }, { "a", "/", "now" .. cookie, with "cookie:canary" },
      { "a", "/", "now once", with("cookie:canary=" .. ("x"):rep(65)) },
      { "b", "/", "first" .. field, with("x-tenant:one", "x-tenant:two") }, { "b", "/", "rest" .. field },
    })
    assert.same({ "cookie", "x-tenant" }, rules.fields)
  end)
end)

describe("functions", function()
  local function answer_of(body, changes, path)
    local rules = policy(('route "a" { vhosts = { "v", "w" }, fields = { "x-one" }, decide = function(request) %s end }'):format(body))
    return harness.ask(rules, "a", path or "/", changes)
  end

  it("answer with vhosts, nothing, redirects and answers, once", function()
    assert.equal("v once", shape(answer_of 'return "v"'))
    assert.equal("none once", shape(answer_of 'return nil'))
    local answer = answer_of 'return { redirect = "/login", status = 303 }'
    assert.same({ "redirect", "/login", 303, "once" }, { answer.verdict, answer.location, answer.status, answer.reuse })
    answer = answer_of 'return { answer = 451, text = "No.", retry = "2s" }, { reuse = "path", time = "1m" }'
    assert.same({ "answer", 451, "No.", 2, "path", 60000 },
      { answer.verdict, answer.status, answer.text, answer.retry_s, answer.reuse, answer.reuse_ms })
  end)

  it("may be reused as far as other routes allow", function()
    local rules = policy [[
      local function f() return "v", { reuse = "host", time = "1s" } end
      route "a" { vhosts = { "v" }, decide = f }
      route "b" { vhosts = { "v" }, decide = f }
      route "b/x" { to = "x" }
    ]]
    assert_all(rules, { { "a", "/y", "v authority" }, { "b", "/y/z", "v prefix2" }, { "b", "/", "v path" }, { "b", "/x", "x prefix2" } })
  end)

  it("see the request, and of its fields what they name", function()
    local answer = answer_of([[return { answer = 200, text = request.method .. request.host .. request.path .. request.query
      .. request.scheme .. request.address .. request.cookies.c .. request.headers["x-one"]
      .. (request.headers["x-two"] or "none") }]],
      { query = "q", fields = { { "x-one", "1" }, { "cookie", "c=3" }, { "x-one", "2" }, { "x-two", "4" } } }, "/p")
    assert.equal("GETa/pqhttp127.0.0.131, 2none", answer.text)
  end)

  local wrong = {
    ['return "other"'] = 'returned "other", which its vhosts do not name', ["return 7"] = "returned the number 7",
    ["return {}"] = "neither redirect nor answer", ['return { answer = 200, body = "" }'] = 'unknown name in an answer: "body"',
    ["return { answer = 302 }"] = "status is 200, or 400 to 599", ['return { answer = 200, text = "a\\nb" }'] = "control characters",
    ['return { redirect = "//evil.example" }'] = "a whole one", ['return { redirect = "/x\\r\\nset-cookie: a" }'] = "no spaces",
    ['return { redirect = "javascript://x" }'] = "http:// or https://", ['return { redirect = "https://a@b" }'] = "without a user",
    ['return { redirect = "https://:8/" }'] = "names a host", ['return { redirect = "HTTPS://a" }'] = "http:// or https://",
    ['return { redirect = "/", status = 304 }'] = "301, 302", ['return "v", { reuse = "all" }'] = 'reuse = "all"',
    ['return "v", { time = 5 }'] = "time = the number 5",
    ['return "v", { time = "5" }'] = "no unit", ['return "v", "path"'] = "behind its answer",
    ['return { answer = 500.5 }'] = "whole number", ['return { redirect = 7 }'] = "redirect = the number 7",
  }
  for body, reason in pairs(wrong) do
    it("fail for " .. body, function()
      local ok, message = pcall(answer_of, body)
      assert.is_false(ok)
      assert.matches(reason, message, 1, true)
    end)
  end
end)
