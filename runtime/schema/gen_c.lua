-- SPDX-License-Identifier: Apache-2.0
-- gen_c.lua: the structs of messages.lua, and their codecs in C.
-- The text that does not depend on a message stands in gen_c_text.lua; dispatch in gen_dispatch.lua.

local dispatch = require("gen_dispatch")
local text = require("gen_c_text")
local vocabulary = require("vocabulary")

local M = {}

local C_TYPES = { u8 = "uint8_t", u16 = "uint16_t", u32 = "uint32_t", u64 = "uint64_t", boolean = "bool" }
local SENDERS = { control = "send", pair = "send", ring = "put", record = "append" }

-- Replaces each $word (letters only) by values[word].
local function fill(template, values)
    return (template:gsub("%$(%a+)", function(name) return tostring(assert(values[name], name)) end))
end

local function constant(message, field, suffix)
    return ("MESSAGE_%s_%s%s"):format(message.name, field.name:upper(), suffix)
end

local function is_fixed(field)
    return vocabulary.scalar_bytes[field.type] ~= nil
end

-- Declarations ------------------------------------------------------------------------------------

local function declare_enum(enum)
    local upper, names = enum.name:upper(), {}
    for i, value in ipairs(enum.values) do names[i] = ("%s_%s"):format(upper, value:upper()) end
    return fill("enum $name { $list };\n#define $upper_COUNT $count\nconst char *$name_name(enum $name value);\n",
        { name = enum.name, upper = upper, list = table.concat(names, ", "), count = #enum.values })
end

local function declare_member(message, field)
    local doc = field.doc and (" /* %s */"):format(field.doc) or ""
    if field.type == "enumerated" then
        return ("    enum %s %s;%s\n"):format(field.of, field.name, doc)
    elseif field.type == "text" or field.type == "bytes" then
        return ("    struct slice %s;%s\n"):format(field.name, doc)
    elseif field.type == "fields" then
        return ("    struct field %s[%s];%s\n    size_t %s_count;\n"):format(
            field.name, constant(message, field, "_MAX"), doc, field.name)
    end
    local array = field.count and ("[%d]"):format(field.count) or ""
    return ("    %s %s%s;%s\n"):format(C_TYPES[field.type], field.name, array, doc)
end

local function declare_constants(message)
    local lines = { ("#define MESSAGE_%s_MAX %d /* bytes of payload */\n"):format(message.name, message.max) }
    for _, field in ipairs(message.fields) do
        if field.type == "fields" then
            lines[#lines + 1] = ("#define %s %d /* entries */\n"):format(constant(message, field, "_MAX"), field.count)
            lines[#lines + 1] = ("#define %s %d /* names and values together */\n"):format(
                constant(message, field, "_BYTES_MAX"), field.max)
        elseif not is_fixed(field) then
            lines[#lines + 1] = ("#define %s %d\n"):format(constant(message, field, "_MAX"), field.max)
        end
    end
    return table.concat(lines)
end

local function declare_message(message)
    local members = {}
    for i, field in ipairs(message.fields) do members[i] = declare_member(message, field) end
    if #members == 0 then members[1] = "    uint8_t none; /* nothing to say */\n" end
    return fill(text.message_declaration, {
        doc = message.doc, from = table.concat(message.from, ", "), to = table.concat(message.to, ", "),
        via = message.via, when = message.when, fds = message.fds, constants = declare_constants(message),
        lower = message.lower, members = table.concat(members),
    }) .. fill(text.sender_declaration[SENDERS[message.via]], { lower = message.lower }) .. "\n"
end

function M.header(model)
    local parts, ids = { text.header_top }, {}
    for _, enum in ipairs(model.enums) do parts[#parts + 1] = declare_enum(enum) .. "\n" end
    for i, message in ipairs(model.messages) do ids[i] = ("    MESSAGE_%s = %d,\n"):format(message.name, message.id) end
    parts[#parts + 1] = ("enum message_id {\n%s};\n\n"):format(table.concat(ids))
    parts[#parts + 1] = text.header_common
    for _, message in ipairs(model.messages) do parts[#parts + 1] = declare_message(message) end
    for _, link in ipairs(model.links) do parts[#parts + 1] = dispatch.declare(link) end
    parts[#parts + 1] = "#endif\n"
    return table.concat(parts)
end

-- Definitions -------------------------------------------------------------------------------------

-- Conditions under which a field may be sent, as C expressions.
local function validity(message)
    local checks = {}
    for _, field in ipairs(message.fields) do
        local member, most = "m->" .. field.name, constant(message, field, "_MAX")
        if field.type == "enumerated" then
            checks[#checks + 1] = ("(unsigned)%s < %s_COUNT"):format(member, field.of:upper())
        elseif field.type == "bytes" then
            checks[#checks + 1] = ("%s.n <= %s"):format(member, most)
        elseif field.type == "text" then
            checks[#checks + 1] = ("text_fits(%s, %s)"):format(member, most)
        elseif field.type == "fields" then
            checks[#checks + 1] = ("fields_fit(%s, %s_count, %s, %s)"):format(
                member, member, most, constant(message, field, "_BYTES_MAX"))
        end
    end
    return #checks > 0 and table.concat(checks, " &&\n           ") or nil
end

local function size_terms(message)
    local terms = { tostring(message.min) }
    for _, field in ipairs(message.fields) do
        if field.type == "fields" then
            terms[#terms + 1] = ("fields_size(m->%s, m->%s_count)"):format(field.name, field.name)
        elseif not is_fixed(field) then
            terms[#terms + 1] = ("m->%s.n"):format(field.name)
        end
    end
    return table.concat(terms, " + ")
end

local function pack_field(field)
    local member = "m->" .. field.name
    if field.type == "fields" then
        return ("    at = pack_fields(at, %s, %s_count);\n"):format(member, member)
    elseif not is_fixed(field) then
        return ("    at = pack_bytes(at, %s);\n"):format(member)
    elseif field.count then
        return ("    for (size_t i = 0; i < %d; i++) {\n        at = pack_%s(at, %s[i]);\n    }\n"):format(
            field.count, field.type, member)
    elseif field.type == "enumerated" or field.type == "boolean" then
        return ("    at = pack_u8(at, (uint8_t)%s);\n"):format(member)
    end
    return ("    at = pack_%s(at, %s);\n"):format(field.type, member)
end

local function take_field(message, field)
    local member, most = "out->" .. field.name, constant(message, field, "_MAX")
    if field.type == "fields" then
        return ("    if (!take_fields(&c, %s, &%s_count, %s, %s)) {\n        return -EBADMSG;\n    }\n"):format(
            member, member, most, constant(message, field, "_BYTES_MAX"))
    elseif not is_fixed(field) then
        return ("    if (!take_%s(&c, &%s, %s)) {\n        return -EBADMSG;\n    }\n"):format(field.type, member, most)
    elseif field.count then
        return ("    for (size_t i = 0; i < %d; i++) {\n        %s[i] = take_%s(&c);\n    }\n"):format(
            field.count, member, field.type)
    elseif field.type == "enumerated" then
        return ("    if (*c.at >= %s_COUNT) {\n        return -EBADMSG;\n    }\n    %s = (enum %s)take_u8(&c);\n"):format(
            field.of:upper(), member, field.of)
    elseif field.type == "boolean" then
        return ("    if (*c.at > 1) {\n        return -EBADMSG;\n    }\n    %s = take_u8(&c) == 1;\n"):format(member)
    end
    return ("    %s = take_%s(&c);\n"):format(member, field.type)
end

-- Neighbours of fixed size share one bounds check.
local function run_of_fixed(fields, first)
    local bytes = 0
    for i = first, #fields do
        if not is_fixed(fields[i]) then break end
        bytes = bytes + vocabulary.scalar_bytes[fields[i].type] * (fields[i].count or 1)
    end
    return bytes
end

local function decode_body(message)
    local lines = {}
    for i, field in ipairs(message.fields) do
        local starts_run = is_fixed(field) and (i == 1 or not is_fixed(message.fields[i - 1]))
        if starts_run then
            lines[#lines + 1] = ("    if (c.left < %d) {\n        return -EBADMSG;\n    }\n"):format(
                run_of_fixed(message.fields, i))
        end
        lines[#lines + 1] = take_field(message, field)
    end
    if #lines == 0 then lines[1] = "    out->none = 0;\n" end
    return table.concat(lines)
end

local function define_message(message)
    local packs = {}
    for i, field in ipairs(message.fields) do packs[i] = pack_field(field) end
    local valid = validity(message)
    local values = {
        name = message.name, lower = message.lower, size = size_terms(message), fds = message.fds,
        unusedsize = size_terms(message) == tostring(message.min) and "    (void)m;\n" or "",
        unusedvalid = valid and "" or "    (void)m;\n", valid = valid or "true",
        unusedpack = #packs > 0 and "" or "    (void)m;\n", packs = table.concat(packs),
        takes = decode_body(message),
    }
    return fill(text.message_definition, values) .. fill(text.sender_definition[SENDERS[message.via]], values)
end

local function define_names(model)
    local parts = {}
    for _, enum in ipairs(model.enums) do
        parts[#parts + 1] = fill(text.enum_definition, {
            name = enum.name, upper = enum.name:upper(),
            list = '"' .. table.concat(enum.values, '", "') .. '"',
        })
    end
    local cases = {}
    for i, message in ipairs(model.messages) do
        cases[i] = ('    case MESSAGE_%s:\n        return "%s";\n'):format(message.name, message.name)
    end
    parts[#parts + 1] = fill(text.message_name_definition, { cases = table.concat(cases) })
    return table.concat(parts)
end

local function define_limits(model)
    local lines = {}
    for _, message in ipairs(model.messages) do
        local packet = SENDERS[message.via] == "send"
        lines[#lines + 1] = ('_Static_assert(MESSAGE_%s_MAX <= %s, "fits its carrier");\n'):format(
            message.name, packet and "PACKET_PAYLOAD_MAX" or "RECORD_PAYLOAD_MAX")
    end
    return table.concat(lines) .. "\n"
end

-- A helper that no message needs would be an unused function: each is emitted on demand.
local function define_helpers(model)
    local used = { u8 = false, bytes = true }
    for _, message in ipairs(model.messages) do
        for _, field in ipairs(message.fields) do
            local boxed = field.type == "enumerated" or field.type == "boolean"
            used[boxed and "u8" or field.type] = true
        end
    end
    local parts = { text.helpers_always }
    for _, kind in ipairs({ "u8", "u32", "u64" }) do
        if used[kind] then parts[#parts + 1] = fill(text.helper_integer, { kind = kind, ctype = C_TYPES[kind] }) end
    end
    if used.text then parts[#parts + 1] = text.helpers_text end
    if used.fields then parts[#parts + 1] = text.helpers_fields end
    return table.concat(parts)
end

function M.source(model)
    local limits = model.limits
    local parts = {
        fill(text.source_top, { packet = limits.packet_payload_max, record = limits.record_payload_max,
            fds = limits.packet_fds_max, header = limits.header_bytes }),
        define_limits(model), define_helpers(model), define_names(model),
    }
    for _, message in ipairs(model.messages) do parts[#parts + 1] = define_message(message) end
    for _, link in ipairs(model.links) do parts[#parts + 1] = dispatch.define(link) end
    return table.concat(parts)
end

return M
