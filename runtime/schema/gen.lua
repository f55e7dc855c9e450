-- SPDX-License-Identifier: Apache-2.0
-- gen.lua: writes what follows from messages.lua and processes.lua. Run by the build, one of:
--   luajit runtime/schema/gen.lua --out BUILD/gen   C: schema/messages.h and .c, schema/processes.h and .c,
--                                                   schema/every_message.h and .c for tests,
--                                                   cage/filter_rules.h for the cage's filters
--   luajit runtime/schema/gen.lua --docs TREE       the committed half: docs/ and tests/hostile/
--   luajit runtime/schema/gen.lua --check TREE      fails where the committed half is not up to date

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path

local vocabulary = require("vocabulary")

local function read(path)
    local file = io.open(path, "rb")
    if not file then return nil end
    local text = file:read("*a")
    file:close()
    return text
end

local function fail(message)
    io.stderr:write(message, "\n")
    os.exit(1)
end

-- An unchanged file keeps its time, so that nothing is compiled again.
local function write(path, text)
    if read(path) == text then return end
    local file, reason = io.open(path, "wb")
    if not file then fail(reason) end
    file:write(text)
    file:close()
end

local function load_model()
    local sources = {}
    for _, name in ipairs({ "messages.lua", "messages_records.lua" }) do
        sources[#sources + 1] = read(here .. "/" .. name) or fail("no " .. name)
        sources[#sources + 1] = "runtime/schema/" .. name
    end
    local ok, model = pcall(vocabulary.parse, unpack(sources))
    if not ok then fail(model) end
    return model
end

local function code_files(model)
    local c, test = require("gen_c"), require("gen_test")
    return {
        ["schema/messages.h"] = c.header(model),
        ["schema/messages.c"] = c.source(model),
        ["schema/every_message.h"] = test.header(),
        ["schema/every_message.c"] = test.source(model),
    }
end

-- processes.lua has a generator of its own, which writes beneath one folder.
local function generate_processes(folder)
    local command = ("'%s' '%s/gen_processes.lua' '%s/processes.lua' '%s'"):format(arg[-1], here, here, folder)
    if os.execute(command) ~= 0 then fail("gen_processes.lua failed") end
end

local function processes_document()
    local folder = os.tmpname()
    os.remove(folder)
    generate_processes(folder)
    local text = read(folder .. "/docs/PROCESSES.md") or fail("gen_processes.lua wrote no docs/PROCESSES.md")
    os.execute(("rm -r '%s'"):format(folder))
    return text
end

local function document_files(model)
    local docs, hostile = require("gen_docs"), require("gen_hostile")
    return {
        ["docs/MESSAGES.md"] = docs.markdown(model),
        ["docs/PROCESSES.md"] = processes_document(),
        ["tests/hostile/vocabulary.json"] = hostile.vocabulary(model),
        ["tests/hostile/hostile_cases.json"] = hostile.cases(model),
    }
end

local function write_all(base, files)
    for path, text in pairs(files) do
        os.execute(("mkdir -p '%s/%s'"):format(base, path:match("^(.*)/")))
        write(base .. "/" .. path, text)
    end
end

local function check_all(base, files)
    local stale = {}
    for path, text in pairs(files) do
        if read(base .. "/" .. path) ~= text then stale[#stale + 1] = path end
    end
    if #stale > 0 then
        table.sort(stale)
        fail("not what messages.lua says: " .. table.concat(stale, ", ") .. "; run: make generate")
    end
end

local mode, target = arg[1], arg[2]
if mode == "--out" and target then
    write_all(target, code_files(load_model()))
    generate_processes(target)
elseif mode == "--docs" and target then
    write_all(target, document_files(load_model()))
elseif mode == "--check" and target then
    check_all(target, document_files(load_model()))
else
    fail("usage: gen.lua --out DIR | --docs DIR | --check DIR")
end
