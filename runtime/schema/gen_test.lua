-- SPDX-License-Identifier: Apache-2.0
-- gen_test.lua: every message and every link in one C table each, so that a test or a fuzz target
-- covers a new message without being edited. Linked by tests only.

local vocabulary = require("vocabulary")

local M = {}

local HEADER = [[
/* Generated from runtime/schema/messages.lua: do not edit. For tests only. */
#ifndef LUTTPD_SCHEMA_EVERY_MESSAGE_H
#define LUTTPD_SCHEMA_EVERY_MESSAGE_H

#include "schema/messages.h"

/** Where the values of a test message come from. Each call must keep its bound. */
struct message_source {
    uint64_t (*number)(void *context);                       /* any value: cut to the member's width */
    size_t (*length)(void *context, size_t max);             /* 0 to max */
    struct slice (*bytes)(void *context, size_t n, bool text); /* n bytes, without NUL where text */
    void *context;
};

enum flaw_kind { FLAW_ENUM, FLAW_BOOLEAN, FLAW_LENGTH, FLAW_NUL, FLAW_COUNT, FLAW_FIELD_LENGTH };

/** One thing that can be wrong with a message whose texts, bytes and fields are all empty. */
struct message_flaw {
    const char *field;
    enum flaw_kind kind;
    size_t offset;  /* of the member in the smallest payload */
    uint32_t value; /* the smallest one that is wrong */
};

struct any_message {
    const char *name;
    uint16_t type;
    size_t min, max;    /* bytes of payload */
    size_t struct_size; /* bytes of the decoded form */
    void (*fill)(void *m, const struct message_source *s);
    size_t (*encode)(const void *m, void *payload, size_t room);
    int (*decode)(void *m, const uint8_t *payload, size_t size);
    const struct message_flaw *flaws; /* the last has a NULL field */
};

/** Ends with an entry whose name is NULL. */
extern const struct any_message every_message[];

struct link_message {
    uint16_t type;
    bool when_starting, when_serving;
    size_t fds;
};

struct any_link {
    const char *name;
    const struct link_message *messages; /* ends with type 0 */
    /* Dispatches to handlers that all return 1 and store the type they were made for in *seen. */
    int (*dispatch)(uint16_t *seen, enum phase phase, uint16_t type, const uint8_t *payload, size_t size,
            struct packet *p);
    /* The same with no handler at all. */
    int (*dispatch_to_nobody)(enum phase phase, uint16_t type, const uint8_t *payload, size_t size,
            struct packet *p);
};

/** Ends with an entry whose name is NULL. */
extern const struct any_link every_link[];

#endif
]]

local SOURCE_TOP = [[
/* Generated from runtime/schema/messages.lua: do not edit. For tests only. */
#include "schema/every_message.h"

]]

function M.header()
    return HEADER
end

local function fill_field(message, field)
    local member = "m->" .. field.name
    local most = ("MESSAGE_%s_%s_MAX"):format(message.name, field.name:upper())
    local number = "s->number(s->context)"
    if field.type == "enumerated" then
        return ("    %s = (enum %s)(%s %% %s_COUNT);\n"):format(member, field.of, number, field.of:upper())
    elseif field.type == "boolean" then
        return ("    %s = (%s & 1) != 0;\n"):format(member, number)
    elseif field.type == "text" or field.type == "bytes" then
        return ("    %s = s->bytes(s->context, s->length(s->context, %s), %s);\n"):format(
            member, most, tostring(field.type == "text"))
    elseif field.type == "fields" then
        return ("    %s_count = fill_fields(s, %s, %s, %s);\n"):format(
            member, member, most, (most:gsub("_MAX$", "_BYTES_MAX")))
    end
    local ctype = ("uint%d_t"):format(vocabulary.scalar_bytes[field.type] * 8)
    if field.count then
        return ("    for (size_t i = 0; i < %d; i++) {\n        %s[i] = (%s)%s;\n    }\n"):format(
            field.count, member, ctype, number)
    end
    return ("    %s = (%s)%s;\n"):format(member, ctype, number)
end

local FILL_FIELDS = [[
static size_t fill_fields(const struct message_source *s, struct field *out, size_t max, size_t room) {
    size_t count = s->length(s->context, max);
    for (size_t i = 0; i < count; i++) {
        size_t name = s->length(s->context, room / (count - i));
        size_t value = s->length(s->context, room / (count - i) - name);
        out[i].name = s->bytes(s->context, name, false);
        out[i].value = s->bytes(s->context, value, false);
        room -= name + value;
    }
    return count;
}

]]

-- The flaws of a field at its offset in the smallest payload.
local function field_flaws(field, offset, enum_counts)
    local function flaw(kind, value)
        return ('    {"%s", %s, %d, %d},\n'):format(field.name, kind, offset, value)
    end
    if field.type == "enumerated" then
        return flaw("FLAW_ENUM", enum_counts[field.of])
    elseif field.type == "boolean" then
        return flaw("FLAW_BOOLEAN", 2)
    elseif field.type == "bytes" then
        return flaw("FLAW_LENGTH", field.max + 1)
    elseif field.type == "text" then
        return flaw("FLAW_LENGTH", field.max + 1) .. flaw("FLAW_NUL", 0)
    elseif field.type == "fields" then
        return flaw("FLAW_COUNT", field.count + 1) .. flaw("FLAW_FIELD_LENGTH", field.max + 1)
    end
    return ""
end

local function define_flaws(message, enum_counts)
    local lines, offset = {}, 0
    for _, field in ipairs(message.fields) do
        lines[#lines + 1] = field_flaws(field, offset, enum_counts)
        offset = offset + (vocabulary.scalar_bytes[field.type] or 2) * (vocabulary.scalar_bytes[field.type] and field.count or 1)
    end
    return ("static const struct message_flaw %s_flaws[] = {\n%s    {0},\n};\n\n"):format(message.lower, table.concat(lines))
end

local function define_message(message, enum_counts)
    local fills = {}
    for i, field in ipairs(message.fields) do fills[i] = fill_field(message, field) end
    if #fills == 0 then fills[1] = "    (void)s;\n    m->none = 0;\n" end
    return (([[
static void fill_$lower(void *any, const struct message_source *s) {
    struct message_$lower *m = any;
$fills}

static size_t encode_$lower(const void *m, void *payload, size_t room) {
    return message_$lower_encode(m, payload, room);
}

static int decode_$lower(void *m, const uint8_t *payload, size_t size) {
    return message_$lower_decode(m, payload, size);
}

]]):gsub("%$(%a+)", { lower = message.lower, fills = table.concat(fills) })) .. define_flaws(message, enum_counts)
end

local function message_entry(message)
    return (([[
    {"$name", MESSAGE_$name, $min, MESSAGE_$name_MAX, sizeof(struct message_$lower), fill_$lower,
     encode_$lower, decode_$lower, $lower_flaws},
]]):gsub("%$(%a+)", { name = message.name, lower = message.lower, min = tostring(message.min) }))
end

local function define_link(link)
    local handlers, members, rows = {}, {}, {}
    for i, message in ipairs(link.messages) do
        local handler = link.name .. "_saw_" .. message.lower
        handlers[i] = ([[
static int %s(void *context, const struct message_%s *m, struct packet *p) {
    (void)m;
    (void)p;
    *(uint16_t *)context = MESSAGE_%s;
    return 1;
}

]]):format(handler, message.lower, message.name)
        members[i] = ("        .%s = %s,\n"):format(message.lower, handler)
        rows[i] = ("    {MESSAGE_%s, %s, %s, %d},\n"):format(message.name, tostring(message.when ~= "serving"),
            tostring(message.when ~= "starting"), message.fds)
    end
    return table.concat(handlers) .. (([[
static int dispatch_$name(uint16_t *seen, enum phase phase, uint16_t type, const uint8_t *payload, size_t size,
        struct packet *p) {
    static const struct $name handlers = {
$members    };
    return $name_dispatch(&handlers, seen, phase, type, payload, size, p);
}

static int nobody_$name(enum phase phase, uint16_t type, const uint8_t *payload, size_t size, struct packet *p) {
    static const struct $name handlers = {0};
    return $name_dispatch(&handlers, NULL, phase, type, payload, size, p);
}

static const struct link_message $name_messages[] = {
$rows    {0},
};

]]):gsub("%$(%l+)", { name = link.name, members = table.concat(members), rows = table.concat(rows) }))
end

function M.source(model)
    local parts, entries, links, enum_counts, has_fields = { SOURCE_TOP }, {}, {}, {}, false
    for _, enum in ipairs(model.enums) do enum_counts[enum.name] = #enum.values end
    for i, message in ipairs(model.messages) do
        for _, field in ipairs(message.fields) do has_fields = has_fields or field.type == "fields" end
        entries[i] = message_entry(message)
    end
    if has_fields then parts[2] = FILL_FIELDS end
    for _, message in ipairs(model.messages) do parts[#parts + 1] = define_message(message, enum_counts) end
    for i, link in ipairs(model.links) do
        parts[#parts + 1] = define_link(link)
        links[i] = ('    {"%s", %s_messages, dispatch_%s, nobody_%s},\n'):format(link.name, link.name, link.name, link.name)
    end
    parts[#parts + 1] = ("const struct any_message every_message[] = {\n%s    {0},\n};\n\n"):format(table.concat(entries))
    parts[#parts + 1] = ("const struct any_link every_link[] = {\n%s    {0},\n};\n"):format(table.concat(links))
    return table.concat(parts)
end

return M
