-- SPDX-License-Identifier: Apache-2.0
-- vocabulary.lua: reads messages.lua, checks it, and hands the generators a model of it.
-- Every mistake in messages.lua ends the build with file, line, message and field.
--
-- model    { enums = { enum... }, messages = { message... }, links = { link... }, limits = {...} }
-- enum     { name, values = { string... } }
-- message  { name, lower, id, from = { role... }, to = { role... }, via, when, fds, doc, fields, min, max }
-- field    { name, type, max, count, of, doc }         max: bytes; count: entries; of: enum
-- link     { name, receiver, sender, via, messages }   everything that sender may say to receiver there

local VIAS = { control = true, pair = true, ring = true, record = true }
local WHENS = { starting = true, serving = true, any = true }
local ROLES = { "master", "config", "router", "listener", "vhost", "logger" }

-- The same numbers stand in channel/packet.h and channel/record.h; messages.c asserts that.
local LIMITS = { header_bytes = 8, packet_payload_max = 8952, record_payload_max = 32760, packet_fds_max = 4 }

local SCALAR_BYTES = { u8 = 1, u16 = 2, u32 = 4, u64 = 8, boolean = 1, enumerated = 1 }
local FIELD_OPTIONS = {
    u8 = { "doc", "count" }, u16 = { "doc", "count" }, u32 = { "doc", "count" }, u64 = { "doc", "count" },
    boolean = { "doc" }, enumerated = { "doc", "of" },
    text = { "doc", "max" }, bytes = { "doc", "max" }, fields = { "doc", "max", "count" },
}
local MESSAGE_OPTIONS = { id = true, from = true, to = true, via = true, when = true, fds = true, doc = true }

local C_KEYWORDS = {}
for word in ([[auto bool break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef union unsigned
    void volatile while none]]):gmatch("%S+") do C_KEYWORDS[word] = true end

local M = {}

local function contains(list, value)
    for _, item in ipairs(list) do
        if item == value then return true end
    end
    return false
end

-- Raises with the place in messages.lua where the declaration stands.
local function fail(where, ...)
    error(where .. ": " .. string.format(...), 0)
end

local function is_count(value, largest)
    return type(value) == "number" and value >= 1 and value <= largest and value % 1 == 0
end

local function check_name(where, what, name)
    if type(name) ~= "string" or not name:match("^[a-z][a-z0-9_]*$") or C_KEYWORDS[name] then
        fail(where, "%s cannot be called '%s': lower case, and no word of C", what, tostring(name))
    end
end

local function check_enum(where, enum)
    check_name(where, "an enum", enum.name)
    if #enum.values == 0 or #enum.values > 255 then fail(where, "enum %s needs 1 to 255 values", enum.name) end
    local seen = {}
    for _, value in ipairs(enum.values) do
        if not tostring(value):match("^[a-z][a-z0-9_]*$") then
            fail(where, "enum %s: '%s' is not lower case", enum.name, tostring(value))
        end
        if seen[value] then fail(where, "enum %s has '%s' twice", enum.name, value) end
        seen[value] = true
    end
end

local function check_field_options(where, field)
    for key in pairs(field.options) do
        if not contains(FIELD_OPTIONS[field.type], key) then
            fail(where, "%s: a field of type %s has no option '%s'", field.name, field.type, tostring(key))
        end
    end
end

local function check_field(where, field, enum_by_name)
    check_name(where, "a field", field.name)
    check_field_options(where, field)
    if field.type == "enumerated" and not enum_by_name[field.of] then
        fail(where, "%s: there is no enum '%s'", field.name, tostring(field.of))
    end
    if not SCALAR_BYTES[field.type] and not is_count(field.max, 65535) then
        fail(where, "%s: needs max = 1 to 65535 bytes", field.name)
    end
    if (field.type == "fields" or field.count ~= nil) and not is_count(field.count, 1024) then
        fail(where, "%s: needs count = 1 to 1024", field.name)
    end
end

local function role_list(where, key, value)
    local list = type(value) == "table" and value or { value }
    if #list == 0 then fail(where, "needs %s = a role or a list of roles", key) end
    for _, role in ipairs(list) do
        if not contains(ROLES, role) then fail(where, "%s: there is no role '%s'", key, tostring(role)) end
    end
    return list
end

-- Smallest and largest payload of a field.
local function field_bytes(field)
    local scalar = SCALAR_BYTES[field.type]
    if scalar then
        local bytes = scalar * (field.count or 1)
        return bytes, bytes
    elseif field.type == "fields" then
        return 2, 2 + 4 * field.count + field.max
    end
    return 2, 2 + field.max
end

local function check_size(where, message)
    local packet = message.via == "control" or message.via == "pair"
    local limit = packet and LIMITS.packet_payload_max or LIMITS.record_payload_max
    if message.max > limit then
        fail(where, "may be %d bytes long, but via %s allows %d: lower a maximum", message.max, message.via, limit)
    end
    if message.fds ~= 0 and not packet then fail(where, "only control and pair messages carry descriptors") end
    if message.fds ~= 0 and not is_count(message.fds, LIMITS.packet_fds_max) then
        fail(where, "fds = %s, but a packet carries at most %d", tostring(message.fds), LIMITS.packet_fds_max)
    end
end

local function check_facts(where, message)
    if not message.name:match("^[A-Z][A-Z0-9_]*$") then fail(where, "a message's name is in upper case") end
    check_name(where, "a message", message.lower)
    if not is_count(message.id, 65535) then fail(where, "needs id = 1 to 65535") end
    if not VIAS[message.via] then fail(where, "via '%s' is not control, pair, ring or record", tostring(message.via)) end
    if not WHENS[message.when] then fail(where, "when '%s' is not starting, serving or any", tostring(message.when)) end
    if type(message.doc) ~= "string" or message.doc == "" then fail(where, "needs doc = a sentence") end
end

local function check_message(where, message, body, enum_by_name)
    for key in pairs(body) do
        if type(key) ~= "number" and not MESSAGE_OPTIONS[key] then fail(where, "unknown option '%s'", tostring(key)) end
    end
    check_facts(where, message)
    message.from = role_list(where, "from", body.from)
    message.to = role_list(where, "to", body.to)
    local seen = {}
    for _, field in ipairs(message.fields) do
        if type(field) ~= "table" or not field.type then fail(where, "holds something that is not a field") end
        check_field(where, field, enum_by_name)
        if seen[field.name] then fail(where, "has two fields called '%s'", field.name) end
        seen[field.name] = true
        local least, most = field_bytes(field)
        message.min, message.max = message.min + least, message.max + most
    end
    check_size(where, message)
end

local function new_message(name, body)
    local message = {
        name = tostring(name), lower = tostring(name):lower(), id = body.id, via = body.via, when = body.when,
        fds = body.fds or 0, doc = body.doc, fields = {}, min = 0, max = 0,
    }
    for i, field in ipairs(body) do message.fields[i] = field end
    return message
end

-- `u32 "uid"` is a field already; `u32 "uid" { doc = ... }` adds options to it.
local function field_constructor(kind)
    return function(name)
        local field = { name = name, type = kind, options = {} }
        return setmetatable(field, { __call = function(_, options)
            field.options = options
            field.doc, field.max, field.count, field.of = options.doc, options.max, options.count, options.of
            return field
        end })
    end
end

local function place(source)
    return ("%s:%d"):format(source.file, debug.getinfo(3, "l").currentline)
end

-- The words that messages.lua may use. Declarations end up in model.
local function new_language(source, model)
    local enum_by_name, message_by_name, message_by_id = {}, {}, {}
    local language = {}
    function language.enum(name)
        local where = place(source)
        return function(values)
            local enum = { name = name, values = values }
            check_enum(where, enum)
            if enum_by_name[name] then fail(where, "enum %s is declared twice", name) end
            enum_by_name[name] = enum
            table.insert(model.enums, enum)
        end
    end
    function language.message(name)
        local where = place(source) .. ": " .. tostring(name)
        return function(body)
            local message = new_message(name, body)
            check_message(where, message, body, enum_by_name)
            if message_by_name[name] then fail(where, "is declared twice") end
            local twin = message_by_id[message.id]
            if twin then fail(where, "id %d belongs to %s", message.id, twin.name) end
            message_by_name[name], message_by_id[message.id] = message, message
            table.insert(model.messages, message)
        end
    end
    for kind in pairs(FIELD_OPTIONS) do language[kind] = field_constructor(kind) end
    return setmetatable(language, { __index = function(_, word)
        error(("%s: unknown word '%s'"):format(place(source), word), 0)
    end })
end

-- A pair socket stands beside a ring: who shares no ring has none.
local function ring_neighbours(model)
    local share_ring = {}
    for _, message in ipairs(model.messages) do
        for _, a in ipairs(message.via == "ring" and message.from or {}) do
            for _, b in ipairs(message.to) do
                share_ring[a .. b], share_ring[b .. a] = true, true
            end
        end
    end
    return share_ring
end

local function find_link(model, by_name, receiver, sender, via)
    local name = ("%s_from_%s_%s"):format(receiver, sender, via)
    if not by_name[name] then
        by_name[name] = { name = name, receiver = receiver, sender = sender, via = via, messages = {} }
        table.insert(model.links, by_name[name])
    end
    return by_name[name]
end

-- One link for each receiver, sender and way; a role does not talk to its own kind.
local function add_links(model)
    local by_name, share_ring = {}, ring_neighbours(model)
    for _, message in ipairs(model.messages) do
        for _, receiver in ipairs(message.to) do
            for _, sender in ipairs(message.from) do
                if receiver ~= sender and (message.via ~= "pair" or share_ring[receiver .. sender]) then
                    table.insert(find_link(model, by_name, receiver, sender, message.via).messages, message)
                end
            end
        end
    end
    table.sort(model.links, function(a, b) return a.name < b.name end)
end

--- Reads a vocabulary from its texts, in order. Raises a string that says where it is wrong.
---@param ... string the declarations of a file, and the name that errors show; again for each further file
---@return table model as described above
function M.parse(...)
    local model = { enums = {}, messages = {}, links = {}, limits = LIMITS }
    local source = {}
    local language = new_language(source, model)
    for i = 1, select("#", ...), 2 do
        local text, file = select(i, ...)
        local chunk, reason = loadstring(text, "=" .. file)
        if not chunk then error(reason, 0) end
        source.file = file
        setfenv(chunk, language)()
    end
    add_links(model)
    return model
end

--- The roles that a message may name, in the order of processes.lua.
M.roles = ROLES
--- Bytes of each type that has a fixed size.
M.scalar_bytes = SCALAR_BYTES

return M
