-- SPDX-License-Identifier: Apache-2.0
-- gen_docs.lua: docs/MESSAGES.md, the vocabulary as people read it.

local vocabulary = require("vocabulary")

local M = {}

local INTRODUCTION = [[
<!-- Generated from runtime/schema/messages.lua: do not edit. -->
# The messages of luttpd

Everything that two processes of luttpd may say to each other. What is not here ends the sender: a
message of another type, on another way, in another phase, with other descriptors, with a number out
of its range, or with a byte too many.

On every way a message is eight bytes of header and a payload of at most %d bytes (%d on a
socket). Integers are little-endian and unaligned.

| way | what it is |
|---|---|
| control | a SEQPACKET socket pair: master and a child, router and a listener |
| pair | the socket pair of a data or log channel: doorbells and descriptors |
| ring | a ring in shared memory |
| record | a file of messages in a sealed memfd: the plan, the route map |

| header | bytes |
|---|---|
| size of the payload | 4 |
| id of the message | 2 |
| 0 | 2 |

| type | on the wire |
|---|---|
| u16, u32, u64 | that many bits; with a count, that many of them |
| boolean | one byte, 0 or 1 |
| one of an enum | one byte, counted from 0 |
| text | u16 length, then bytes, none of them NUL |
| bytes | u16 length, then bytes |
| fields | u16 count, then for each: u16 length of the name, u16 length of the value, name, value |

]]

-- A pipe in a cell would end it.
local function cell(text)
    return (text or ""):gsub("|", "\\|")
end

local function enums(model)
    local lines = { "## Enums\n", "| enum | values, from 0 |", "|---|---|" }
    for _, enum in ipairs(model.enums) do
        lines[#lines + 1] = ("| %s | %s |"):format(enum.name, table.concat(enum.values, ", "))
    end
    return table.concat(lines, "\n") .. "\n\n"
end

local function links(model)
    local lines = { "## Who says what to whom\n", "| receiver | sender | way | messages |", "|---|---|---|---|" }
    for _, link in ipairs(model.links) do
        local names = {}
        for i, message in ipairs(link.messages) do names[i] = message.name end
        lines[#lines + 1] = ("| %s | %s | %s | %s |"):format(link.receiver, link.sender, link.via, table.concat(names, ", "))
    end
    return table.concat(lines, "\n") .. "\n\n"
end

local function type_of(field)
    if field.type == "enumerated" then return field.of end
    if vocabulary.scalar_bytes[field.type] and field.count then return ("%s, %d of them"):format(field.type, field.count) end
    return field.type
end

local function most(field)
    if field.type == "fields" then return ("%d lines, %d bytes"):format(field.count, field.max) end
    return field.max and ("%d bytes"):format(field.max) or ""
end

local function section(message)
    local lines = {
        ("### %s\n"):format(message.name),
        message.doc .. "\n",
        ("Id %d, from %s to %s via %s, when %s. Descriptors: %d. Payload: %s bytes.\n"):format(message.id,
            table.concat(message.from, ", "), table.concat(message.to, ", "), message.via, message.when, message.fds,
            message.min == message.max and message.min or ("%d to %d"):format(message.min, message.max)),
    }
    if #message.fields > 0 then
        lines[#lines + 1] = "| field | type | at most | |\n|---|---|---|---|"
        for _, field in ipairs(message.fields) do
            lines[#lines + 1] = ("| %s | %s | %s | %s |"):format(field.name, type_of(field), most(field), cell(field.doc))
        end
        lines[#lines + 1] = ""
    end
    return table.concat(lines, "\n") .. "\n"
end

--- The whole page.
function M.markdown(model)
    local parts = {
        INTRODUCTION:format(model.limits.record_payload_max, model.limits.packet_payload_max),
        enums(model), links(model), "## Messages\n\n",
    }
    for _, message in ipairs(model.messages) do parts[#parts + 1] = section(message) end
    return (table.concat(parts):gsub("\n+$", "\n"))
end

return M
