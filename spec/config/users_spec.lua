-- SPDX-License-Identifier: Apache-2.0
package.path = "spec/config/?.lua;" .. package.path
local accounts = require "config.accounts"
local Automatic = require "config.automatic"
local harness = require "harness"

local function text(user, more)
  return ([[listen "127.0.0.1:80"
vhost "a" { hosts = { "a.example" }, root = "/srv/a", user = %s, %s }]]):format(user, more or "")
end

local function two(first, second)
  return text(first) .. ([[

vhost "b" { hosts = { "b.example" }, root = "/srv/b", user = %s }]]):format(second)
end

local function user(source, options)
  local vhost = harness.plan(source, options).vhosts[1]
  return vhost.uid, vhost.gid, vhost.automatic
end

describe("accounts.parse", function()
  it("passes over what is no entry, and keeps the first of two", function()
    local parsed = accounts.parse("a:x:1:2:::\n+::::::\nbad\nb:x:one:2:::\na:x:3:4:::\n:x:5:5:::\nc:x:1:9:::\n#d:x:6:6:::\n",
      "g:x:2:\nh:x:2:a\n-g:x:7:\n")
    assert.same({ name = "a", uid = 1, gid = 2 }, parsed.users.a)
    assert.equal("a", parsed.by_uid[1].name)
    assert.is_nil(parsed.users.b)
    assert.is_nil(parsed.users[""])
    assert.same({ [2] = "g" }, parsed.groups)
  end)

  it("reads a last line without newline", function()
    assert.equal(7, accounts.parse("a:x:7:8::/:/bin/sh", "").users.a.uid)
  end)
end)

describe("a vhost's user", function()
  it("is an account by name, or a number", function()
    assert.same({ 1000, 1000, false }, { user(text '"alice"') })
    assert.same({ 1001, 1001, false }, { user(text "1001") })
    assert.same({ 5000, 5000, false }, { user(text "5000") })
    assert.same({ 1003, 100, false }, { user(text '"carol"') })
  end)

  local refused = {
    { '"alise"', 'no account "alise" in /etc/passwd: did you mean "alice"?' },
    { '"zacharias"', 'no account "zacharias" in /etc/passwd: create it, or write user = "auto"' },
    { '"root"', "UID 0 is root: a vhost never runs as root" },
    { '"toor"', "UID 0 is root: a vhost never runs as root" },
    { "0", "UID 0 is root: a vhost never runs as root" },
    { '"0"', "a user's number stands without quotes: user = 0" },
    { "-1", "a user's number is a whole number from 1 to 4294967293" },
    { "4294967295", "a user's number is a whole number from 1 to 4294967293" },
    { "1.5", "a user's number is a whole number from 1 to 4294967293" },
    { "true", 'expected "auto", the name of an account, or its number, got true' },
    { '"a b"', '"a b" is not the name of an account' },
    { '"www-data"', 'UID 33 is an account of the system: give the vhost a user of its own, or "auto"' },
    { "999", 'UID 999 is an account of the system: give the vhost a user of its own, or "auto"' },
    { '"nobody"', 'nobody is not a user for a vhost: give it a user of its own, or "auto"' },
    { '"builder"', 'its group docker (998) is the system\'s: give the vhost a user of its own, or "auto"' },
    { '"_luttpd-router"', '"_luttpd-router" is one of luttpd\'s own accounts' },
    { "1950", "UID 1950 is one of luttpd's own accounts" },
    { "1899999901", "UID 1899999901 is one of luttpd's own accounts" },
    { "1900000007", "UID 1900000007 is kept for automatic users" },
  }
  for _, case in ipairs(refused) do
    it("is refused: " .. case[1], function()
      assert.same({ "server.lua:2: vhost.a.user: " .. case[2] }, harness.mistakes(text(case[1])))
    end)
  end

  it("belongs to one vhost, unless both say otherwise", function()
    assert.same({
      'server.lua:2: vhost.a.user: the vhost "b" has the same user (1000): give each its own, or write shared_user = true in both',
      'server.lua:3: vhost.b.user: the vhost "a" has the same user (1000): give each its own, or write shared_user = true in both',
    }, harness.mistakes(two('"alice"', "1000")))
    assert.equal(1, #harness.mistakes(two('"alice", shared_user = true', '"alice"')))
    assert.same({}, harness.mistakes(two('"alice", shared_user = true', '"alice", shared_user = true')))
  end)

  it("has a group of its own too: groups read logs", function()
    assert.same({
      'server.lua:2: vhost.a.user: the vhost "b" has the same group (100): give each its own, or write shared_user = true in both',
      'server.lua:3: vhost.b.user: the vhost "a" has the same group (100): give each its own, or write shared_user = true in both',
    }, harness.mistakes(two('"carol"', '"dave"')))
  end)

  it("is the caller in single-user mode, whatever is written", function()
    local options = { single_user = true, uid = 4242, gid = 4243 }
    assert.same({ 4242, 4243, false }, { user(two('"alice"', '"nobody-knows"'), options) })
    assert.same({ 'server.lua:2: vhost.a.user: "a b" is not the name of an account' }, harness.mistakes(text '"a b"', options))
    assert.same({ "server.lua:0: : single-user mode runs every vhost as its caller, and root is not a user for that" },
      harness.mistakes(text '"auto"', { single_user = true, uid = 0, gid = 0 }))
  end)
end)

describe("automatic users", function()
  it("come from the range, and are remembered", function()
    local plan, appendix = harness.plan(two('"auto"', '"auto"'))
    assert.equal(1900000000, plan.vhosts[1].uid)
    assert.equal(1900000000, plan.vhosts[1].gid)
    assert.is_true(plan.vhosts[1].automatic)
    assert.equal(1900000001, plan.vhosts[2].uid)
    assert.equal("luttpd automatic users 1\n1900000000 a\n1900000001 b\n", appendix)

    plan, appendix = harness.plan(two('"auto"', '"auto"'):gsub('vhost "a"', 'vhost "c"'), { automatic = appendix })
    assert.equal(1900000002, plan.vhosts[1].uid)
    assert.equal(1900000001, plan.vhosts[2].uid)
    assert.equal("1900000002 c\n", appendix)
  end)

  it("append nothing where all are known", function()
    local table_text = "luttpd automatic users 1\n1900000005 a\n"
    local plan, appendix = harness.plan(text '"auto"', { automatic = table_text })
    assert.equal(1900000005, plan.vhosts[1].uid)
    assert.equal("", appendix)
  end)

  it("avoid the numbers of accounts and groups", function()
    local options = { passwd = "x:x:1900000000:1:::\n", group = "y:x:1900000001:\n" }
    assert.equal(1900000002, (user(text '"auto"', options)))
  end)

  it("are never somebody else's", function()
    assert.same({ "server.lua:2: vhost.a.user: its automatic user 1900000005 now belongs to the account x" },
      harness.mistakes(text '"auto"', {
        automatic = "luttpd automatic users 1\n1900000005 a\n", passwd = "x:x:1900000005:1:::\n",
      }))
  end)

  it("come from the range that the admin gives", function()
    local ranged = "automatic_users { first = 70000, count = 10 }\n"
    assert.same({ 70000, 70000, true }, { user(ranged .. text '"auto"') })
    assert.same({ 1900000000, 1900000000, false }, { user(ranged .. text "1900000000") })
    assert.same({ "server.lua:3: vhost.a.user: UID 70009 is kept for automatic users" },
      harness.mistakes(ranged .. text "70009"))
    assert.same({ "server.lua:3: vhost.a.user: UID 1900000005 is kept for automatic users" },
      harness.mistakes(ranged .. text "1900000005", { automatic = "luttpd automatic users 1\n1900000005 b\n" }))
  end)

  it("can run out", function()
    assert.same({ "server.lua:4: vhost.b.user: no automatic user is left between 1900000000 and 1900000000: "
      .. "give automatic_users a larger count" },
      harness.mistakes("automatic_users { count = 1 }\n" .. two('"auto"', '"auto"')))
  end)

  it("are never reused, even above a range that was moved back", function()
    local automatic = Automatic.parse "luttpd automatic users 1\n1900000050 old\n"
    automatic:range(1900000000, 100, function() return nil end)
    assert.equal(1900000051, automatic:user "new")
    assert.equal(1900000050, automatic:user "old")
  end)

  it("are never shared", function()
    assert.same({ "server.lua:2: vhost.a.user: an automatic user is never shared: name an account" },
      harness.mistakes(text('"auto"', "shared_user = true")))
  end)

  local damaged = {
    { "nonsense\n", 1, 'the first line is not "luttpd automatic users 1"' },
    { "\n", 1, 'the first line is not "luttpd automatic users 1"' },
    { "luttpd automatic users 2\n", 1, 'the first line is not "luttpd automatic users 1"' },
    { "luttpd automatic users 1\n1900000000 a", 2, "the last line is cut short: if it was never finished, remove it" },
    { "luttpd automatic users 1\n1900000000 a\n\n", 3, 'not a line of the form "uid vhost"' },
    { "luttpd automatic users 1\n1900000000 A\n", 2, 'not a line of the form "uid vhost"' },
    { "luttpd automatic users 1\n0 a\n", 2, 'not a line of the form "uid vhost"' },
    { "luttpd automatic users 1\n99999999999 a\n", 2, 'not a line of the form "uid vhost"' },
    { "luttpd automatic users 1\n1900000000 a\n1900000000 b\n", 3, "the user 1900000000 stands there twice" },
    { "luttpd automatic users 1\n1900000000 a\n1900000001 a\n", 3, "the vhost a stands there twice" },
    { ("\0"):rep(64), 1, "the last line is cut short: if it was never finished, remove it" },
  }
  for _, case in ipairs(damaged) do
    it(("stop where their table is damaged: %q"):format(case[1]), function()
      assert.same({ ("automatic-users:%d: automatic_users: the table of automatic users is damaged: %s")
        :format(case[2], case[3]) }, harness.mistakes(text '"alice"', { automatic = case[1] }))
    end)
  end
end)
