-- SPDX-License-Identifier: Apache-2.0
-- gen_dispatch.lua: who may say what to whom, as C tables of handlers.
-- One table for each (receiver, sender, via): what is not in it ends the peer.

local M = {}

local PHASE_TEST = { starting = "phase == PHASE_STARTING", serving = "phase == PHASE_SERVING" }

-- A struct as large as this would sit in the frame of every dispatch, were it inlined.
local function is_large(message)
    for _, field in ipairs(message.fields) do
        if field.type == "fields" then return true end
    end
    return false
end

local SIGNATURE = [[
int %s_dispatch(const struct %s *handlers, void *context, enum phase phase,
        uint16_t type, const uint8_t *payload, size_t size, struct packet *p)]]

function M.declare(link)
    local members = {}
    for i, message in ipairs(link.messages) do
        members[i] = ("    int (*%s)(void *context, const struct message_%s *m, struct packet *p);\n"):format(
            message.lower, message.lower)
    end
    return ([[
/** What %s does with what %s says via %s. A handler that is NULL refuses its message.
 * Dispatch returns the handler's value, or -EBADMSG where the message is not allowed here and now, is
 * malformed or carries a wrong number of descriptors. p: the packet it came in (borrowed; the handler
 * may take its descriptors), NULL for a ring or a record. */
struct %s {
%s};
%s;

]]):format(link.receiver, link.sender, link.via, link.name, table.concat(members), SIGNATURE:format(link.name, link.name))
end

local function define_step(link, message)
    return ([[
%s int %s_%s(const struct %s *handlers, void *context,
        const uint8_t *payload, size_t size, struct packet *p) {
    struct message_%s m;
    if (handlers->%s == NULL || message_%s_decode(&m, payload, size) != 0) {
        return -EBADMSG;
    }
    return handlers->%s(context, &m, p);
}

]]):format(is_large(message) and "__attribute__((noinline)) static" or "static", link.name, message.lower, link.name,
        message.lower, message.lower, message.lower, message.lower)
end

local function define_case(link, message)
    local refusals = { ("fds != %d"):format(message.fds) }
    if PHASE_TEST[message.when] then table.insert(refusals, 1, ("!(%s)"):format(PHASE_TEST[message.when])) end
    return ([[
    case MESSAGE_%s:
        if (%s) {
            return -EBADMSG;
        }
        return %s_%s(handlers, context, payload, size, p);
]]):format(message.name, table.concat(refusals, " || "), link.name, message.lower)
end

function M.define(link)
    local steps, cases = {}, {}
    for i, message in ipairs(link.messages) do
        steps[i] = define_step(link, message)
        cases[i] = define_case(link, message)
    end
    return table.concat(steps) .. SIGNATURE:format(link.name, link.name) .. ([[
 {
    const size_t fds = p != NULL ? p->fd_count : 0;
    (void)phase;
    switch (type) {
%s    default:
        return -EBADMSG;
    }
}

]]):format(table.concat(cases))
end

return M
