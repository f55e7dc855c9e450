-- SPDX-License-Identifier: Apache-2.0
-- gen_processes.lua: turns processes.lua into what the build needs.
-- Runs in: the build, under luajit. Usage: gen_processes.lua PROCESSES OUTDIR
--   OUTDIR/schema/processes.h, .c   enum role, enum filter, role_facts
--   OUTDIR/cage/filter_rules.h      the rules for compile_filters.c
--   OUTDIR/docs/PROCESSES.md        the same for people

package.path = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path
local document = require("gen_processes_docs")

local source, out = arg[1], arg[2]
if not out then error("usage: gen_processes.lua PROCESSES OUTDIR", 0) end

local roles, sanitizer = {}, nil
local KEYS = {
  account = "string", uid = "number", peers = "table", holds = "string", does = "string", never = "table",
  network = "string", root = "string", landlock = true, drains = "boolean", first = "table",
  capabilities = "table", calls = "table", executable = "table", refuse = "table",
}

-- The vocabulary of processes.lua --------------------------------------------------------------------

local function rule(name, action, tests)
  return { name = name, action = action, tests = tests or {} }
end

local function test(argument, mask, value)
  return { argument = argument, mask = mask, value = value }
end

local vocabulary = {}

function vocabulary.process(name)
  return function(facts)
    for key, value in pairs(facts) do
      local kind = KEYS[key]
      if not kind then error(name .. ": unknown key " .. key, 2) end
      if kind ~= true and type(value) ~= kind then error(name .. ": " .. key .. " must be a " .. kind, 2) end
    end
    facts.name = name
    roles[#roles + 1] = facts
  end
end

function vocabulary.sanitizer(calls) sanitizer = calls end

function vocabulary.only(name, ...)
  local first, values = ...
  if type(values) ~= "table" then
    local tests = {}
    for i = 1, select("#", ...), 2 do
      local argument, value = select(i, ...)
      tests[#tests + 1] = test(argument, "0xffffffff", value)
    end
    return rule(name, "allow", tests)
  end
  local rules = {}
  for _, value in ipairs(values) do
    rules[#rules + 1] = rule(name, "allow", { test(first, "0xffffffff", value) })
  end
  return rules
end

function vocabulary.lacks(name, argument, flags)
  return rule(name, "allow", { test(argument, flags, "0") })
end

function vocabulary.has(name, argument, flags)
  return rule(name, "allow", { test(argument, flags, flags) })
end

function vocabulary.own_pid(name, argument)
  return rule(name, "allow", { test(argument, "0xffffffff", "CAGE_OWN_PID_MARK") })
end

function vocabulary.fails(name, code) return rule(name, code) end

-- Filters ------------------------------------------------------------------------------------------------

-- Flattens nested lists of calls into rules.
local function flatten(list, into)
  into = into or {}
  for _, item in ipairs(list) do
    if type(item) == "string" then
      into[#into + 1] = rule(item, "allow")
    elseif item.name then
      into[#into + 1] = item
    else
      flatten(item, into)
    end
  end
  return into
end

-- The rules of base whose call is not mentioned in winners, then winners.
local function override(base, winners)
  local mentioned, merged = {}, {}
  for _, r in ipairs(winners) do mentioned[r.name] = true end
  for _, r in ipairs(base) do
    if not mentioned[r.name] then merged[#merged + 1] = r end
  end
  for _, r in ipairs(winners) do merged[#merged + 1] = r end
  return merged
end

-- A call that is allowed without a condition would silently void its conditions: refuse such lists.
local function check(filter)
  local bare, tested = {}, {}
  for _, r in ipairs(filter.rules) do
    if #r.tests == 0 then
      if bare[r.name] then error(filter.name .. ": " .. r.name .. " is listed twice", 0) end
      bare[r.name] = true
    else
      tested[r.name] = true
    end
  end
  for name in pairs(tested) do
    if bare[name] then error(filter.name .. ": " .. name .. " is listed with and without a condition", 0) end
  end
end

-- master's refusals are written as what is refused; turn the action round.
local function refusals(list)
  local rules = flatten(list)
  for _, r in ipairs(rules) do r.action = "EPERM" end
  return rules
end

local function collect_filters()
  local filters = {}
  local function add(name, role, rules, default)
    local f = { name = name, role = role, rules = rules, default = default }
    check(f)
    filters[#filters + 1] = f
    return f
  end
  for _, role in ipairs(roles) do
    if role.refuse then
      role.strict = add(role.name, role, refusals(role.refuse), "allow")
      role.loose = role.strict
    elseif role.executable then
      local rules = flatten(role.calls)
      role.loose = add(role.name, role, override(rules, flatten(role.executable)), "kill")
      role.strict = add(role.name .. "_hardened", role, rules, "kill")
    else
      role.strict = add(role.name, role, flatten(role.calls), "kill")
      role.loose = role.strict
    end
  end
  return filters
end

-- Output -----------------------------------------------------------------------------------------------

local BANNER = "/* SPDX-License-Identifier: Apache-2.0 */\n"
  .. "/* Generated from processes.lua by gen_processes.lua: do not edit. */\n"

local function write(path, text)
  local file = assert(io.open(out .. "/" .. path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function upper(name) return (name:upper():gsub("[^%w]", "_")) end
local function quoted(text) return text and ("%q"):format(text) or "NULL" end

local function mask(names, format)
  local parts = {}
  for _, name in ipairs(names) do parts[#parts + 1] = format:format(upper(name)) end
  return #parts > 0 and table.concat(parts, " | ") or "0"
end

local function landlock(role)
  if role.landlock == "unused" then return "0" end
  if role.landlock == "nothing" then return "ROLE_LANDLOCK" end
  return "ROLE_LANDLOCK | " .. mask(role.landlock, "ROLE_LANDLOCK_%s")
end

local HEADER = BANNER .. [[
#ifndef LUTTPD_SCHEMA_PROCESSES_H
#define LUTTPD_SCHEMA_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** The kinds of process, in the order of processes.lua. */
enum role { %s, ROLE_COUNT };

/** The compiled seccomp filters. */
enum filter { %s, FILTER_COUNT };

#define ROLE_LANDLOCK 1u       /* landlock is closed; alone: nothing is reachable */
#define ROLE_LANDLOCK_READ 2u  /* a directory to read beneath */
#define ROLE_LANDLOCK_WRITE 4u /* a directory to read and write beneath */

#define ROLE_NEVER_MAX %d

/** What processes.lua says about one kind of process. Everything lives as long as the program. */
struct role_facts {
    const char *name;
    const char *account;        /* NULL: the owner's */
    uid_t reserved_uid;         /* where the account does not exist; also the group. 0: master, owners */
    const char *holds;          /* plain sentences */
    const char *does;
    const char *never[ROLE_NEVER_MAX + 1]; /* ends with NULL */
    uint32_t peers;             /* bit 1 << role for each */
    bool empty_network;
    bool empty_root;
    bool drains;                /* else killed with its parent */
    uint32_t landlock;          /* ROLE_LANDLOCK bits */
    uint64_t first_capabilities; /* bits 1 << CAP_x: for the role's own first step */
    uint64_t capabilities;      /* kept for good */
    enum filter filter;         /* no executable pages */
    enum filter filter_executable; /* with them, where the role may have them; else equal to filter */
};

extern const struct role_facts role_facts[ROLE_COUNT];

#endif
]]

local function header(filters)
  local names, kinds, longest = {}, {}, 0
  for i, role in ipairs(roles) do
    names[i] = "ROLE_" .. upper(role.name)
    longest = math.max(longest, #role.never)
  end
  for i, f in ipairs(filters) do kinds[i] = "FILTER_" .. upper(f.name) end
  return HEADER:format(table.concat(names, ", "), table.concat(kinds, ", "), longest)
end

local function facts(role)
  local never = {}
  for i, sentence in ipairs(role.never) do never[i] = quoted(sentence) end
  local lines = {
    ("    [ROLE_%s] = {"):format(upper(role.name)),
    (".name = %s, .account = %s, .reserved_uid = %d,"):format(quoted(role.name), quoted(role.account), role.uid or 0),
    (".holds = %s,"):format(quoted(role.holds)),
    (".does = %s,"):format(quoted(role.does)),
    (".never = { %s },"):format(table.concat(never, ",\n            ")),
    (".peers = %s,"):format(mask(role.peers, "1u << ROLE_%s")),
    (".empty_network = %s, .empty_root = %s, .drains = %s,"):format(
      role.network == "none", role.root == "empty", role.drains),
    (".landlock = %s,"):format(landlock(role)),
    (".first_capabilities = %s,"):format(mask(role.first, "UINT64_C(1) << CAP_%s")),
    (".capabilities = %s,"):format(mask(role.capabilities, "UINT64_C(1) << CAP_%s")),
    (".filter = FILTER_%s, .filter_executable = FILTER_%s,"):format(upper(role.strict.name), upper(role.loose.name)),
  }
  return table.concat(lines, "\n        ") .. "\n    },\n"
end

local function body()
  local parts = { BANNER, '#include "schema/processes.h"\n\n#include <linux/capability.h>\n#include <stddef.h>\n\n',
    "const struct role_facts role_facts[ROLE_COUNT] = {\n" }
  for _, role in ipairs(roles) do parts[#parts + 1] = facts(role) end
  parts[#parts + 1] = "};\n"
  return table.concat(parts)
end

local function rule_line(f, r)
  local tests = {}
  for i, t in ipairs(r.tests) do
    tests[i] = ("{%d, SCMP_CMP_MASKED_EQ, (uint32_t)(%s), (uint32_t)(%s)}"):format(t.argument, t.mask, t.value)
  end
  local action = r.action == "allow" and "SCMP_ACT_ALLOW" or ("SCMP_ACT_ERRNO(%s)"):format(r.action)
  return ('    {FILTER_%s, "%s", %s, %d, {%s}},\n'):format(upper(f.name), r.name, action, #tests,
    #tests > 0 and table.concat(tests, ", ") or "{0}")
end

local function rules(filters)
  local parts = { BANNER, "\nstatic const struct outline filters[FILTER_COUNT] = {\n" }
  for _, f in ipairs(filters) do
    parts[#parts + 1] = ('    {"%s", SCMP_ACT_%s, %s},\n'):format(f.name:gsub("%W", "_"),
      f.default == "allow" and "ALLOW" or "KILL_PROCESS",
      f.default == "allow" and "SCMP_ACT_ERRNO(ENOSYS)" or "SCMP_ACT_KILL_PROCESS")
  end
  parts[#parts + 1] = "};\n\nstatic const struct rule rules[] = {\n#ifndef LUTTPD_ASAN\n"
  for _, f in ipairs(filters) do
    for _, r in ipairs(f.rules) do parts[#parts + 1] = rule_line(f, r) end
  end
  parts[#parts + 1] = "#else\n"
  local extra = flatten(sanitizer)
  for _, f in ipairs(filters) do
    local merged = f.default == "kill" and override(f.rules, extra) or f.rules
    for _, r in ipairs(merged) do parts[#parts + 1] = rule_line(f, r) end
  end
  parts[#parts + 1] = "#endif\n};\n"
  return table.concat(parts)
end

-- Main ----------------------------------------------------------------------------------------------------

local chunk = assert(loadfile(source))
setfenv(chunk, vocabulary)()
local filters = collect_filters()
for _, folder in ipairs({ "schema", "cage", "docs" }) do
  assert(os.execute(("mkdir -p '%s/%s'"):format(out, folder)) == 0)
end
write("schema/processes.h", header(filters))
write("schema/processes.c", body())
write("cage/filter_rules.h", rules(filters))
write("docs/PROCESSES.md", document(roles, flatten))
