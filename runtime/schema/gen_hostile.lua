-- SPDX-License-Identifier: Apache-2.0
-- gen_hostile.lua: the vocabulary as JSON for the fake peers of tests/hostile, and the list of
-- everything that a hostile peer can get wrong about each message. tests/hostile/codec.py makes
-- the bytes of each case.

local M = {}

local KEY_ORDER = { "name", "message", "case", "id", "from", "to", "via", "when", "fds", "min", "max", "doc", "type",
    "count", "of", "field", "value", "header_bytes", "packet_payload_max", "record_payload_max", "packet_fds_max",
    "limits", "enums", "fields", "messages", "links", "receiver", "sender" }

local function encode_text(text)
    return '"' .. text:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local encode

-- One line for what is small, one line for each item of a list of objects.
local function encode_object(value, indent)
    local parts, known = {}, {}
    for _, key in ipairs(KEY_ORDER) do
        known[key] = true
        if value[key] ~= nil then parts[#parts + 1] = encode_text(key) .. ": " .. encode(value[key], indent) end
    end
    for key in pairs(value) do assert(known[key], "gen_hostile.lua: no place for the key " .. tostring(key)) end
    return "{" .. table.concat(parts, ", ") .. "}"
end

local function encode_list(value, indent)
    local parts, inner = {}, indent .. "  "
    for i, item in ipairs(value) do parts[i] = encode(item, inner) end
    if type(value[1]) ~= "table" then return "[" .. table.concat(parts, ", ") .. "]" end
    return "[\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. indent .. "]"
end

function encode(value, indent)
    if type(value) == "string" then return encode_text(value) end
    if type(value) ~= "table" then return tostring(value) end
    if #value > 0 or next(value) == nil then return encode_list(value, indent) end
    return encode_object(value, indent)
end

local function copy_field(field)
    return { name = field.name, type = field.type, max = field.max, count = field.count, of = field.of }
end

--- Everything that codec.py needs to speak as any process.
function M.vocabulary(model)
    local enums, messages, links = {}, {}, {}
    for i, enum in ipairs(model.enums) do enums[i] = { name = enum.name, of = enum.values } end
    for i, message in ipairs(model.messages) do
        local fields = {}
        for k, field in ipairs(message.fields) do fields[k] = copy_field(field) end
        messages[i] = { name = message.name, id = message.id, from = message.from, to = message.to, via = message.via,
            when = message.when, fds = message.fds, min = message.min, max = message.max, doc = message.doc, fields = fields }
    end
    for i, link in ipairs(model.links) do
        local names = {}
        for k, message in ipairs(link.messages) do names[k] = message.name end
        links[i] = { name = link.name, receiver = link.receiver, sender = link.sender, via = link.via, messages = names }
    end
    return encode({ limits = model.limits, enums = enums, messages = messages, links = links }, "") .. "\n"
end

local function field_cases(add, field, enum_counts)
    if field.type == "enumerated" then
        add("enum", field.name, enum_counts[field.of])
        add("enum", field.name, 255)
    elseif field.type == "boolean" then
        add("boolean", field.name, 2)
    elseif field.type == "fields" then
        add("count", field.name, field.count + 1)
        add("count", field.name, 65535)
        add("field_length", field.name, field.max + 1)
        add("field_length", field.name, 65535)
    elseif field.max then
        add("length", field.name, field.max + 1)
        add("length", field.name, 65535)
        if field.type == "text" then add("nul", field.name, 0) end
    end
end

-- Says who may not send the message although they talk to that receiver on that way.
local function direction_cases(add, message, model)
    for _, link in ipairs(model.links) do
        local allowed = false
        for _, other in ipairs(link.messages) do allowed = allowed or other == message end
        if link.via == message.via and not allowed then
            add("direction", nil, nil, link.sender, link.receiver)
        end
    end
end

local function message_cases(message, model, enum_counts, out)
    local function add(case, field, value, sender, receiver)
        local name = message.name .. "." .. case
        if field then name = name .. "." .. field end
        if value then name = name .. "." .. value end
        if sender then name = ("%s.%s-to-%s"):format(name, sender, receiver) end
        out[#out + 1] = { name = name, message = message.name, case = case, field = field, value = value, via = message.via,
            from = sender and { sender } or message.from, to = receiver and { receiver } or message.to }
    end
    if message.min > 0 then
        add("short")
        add("empty")
    end
    add("leftover", nil, 1)
    for _, field in ipairs(message.fields) do field_cases(add, field, enum_counts) end
    if message.when ~= "any" then add("phase") end
    if message.via == "control" or message.via == "pair" then
        if message.fds > 0 then add("descriptors", nil, message.fds - 1) end
        if message.fds < model.limits.packet_fds_max then add("descriptors", nil, message.fds + 1) end
    end
    direction_cases(add, message, model)
end

-- What is wrong with the frame and not with any message.
local function frame_cases(model, out)
    local unused = 1
    for _, message in ipairs(model.messages) do unused = math.max(unused, message.id + 1) end
    for _, link in ipairs(model.links) do
        local function add(case, value)
            out[#out + 1] = { name = ("frame.%s.%s"):format(case, link.name), case = case, value = value, via = link.via,
                from = { link.sender }, to = { link.receiver } }
        end
        add("type_unknown", unused)
        add("type_zero", 0)
        add("size_too_large", 0xffffffff)
        add("reserved", 1)
    end
end

--- The hostile stub of each message: a list of cases that tests parametrize over.
function M.cases(model)
    local out, enum_counts = {}, {}
    for _, enum in ipairs(model.enums) do enum_counts[enum.name] = #enum.values end
    for _, message in ipairs(model.messages) do message_cases(message, model, enum_counts, out) end
    frame_cases(model, out)
    return encode(out, "") .. "\n"
end

return M
