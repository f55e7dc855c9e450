---@meta
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: ignore
-- parsing.lua: what an editor may know about the names of a parsing policy. Never executed. docs/PARSING.md
-- explains.

---@class luttpd.ParsingLimits
---@field head? string size of request line and fields together: "16KB"
---@field target? string size of path and query: "8KB"
---@field fields? integer lines of fields, 128 at most
---@field trailer? string size of the fields behind a chunked body: "4KB"
---@field extensions? string size of all chunk extensions: "4KB"
---@field body? string|0 size of the content: "1GB"
---@field head_time? string|0 until a head is complete: "10s"
---@field idle_time? string|0 between two requests: "60s"
---@field body_rate? string|0 content per second: "500B"
---@field send_rate? string|0 answer per second: "500B"
---@field requests? integer on one connection
---@field connections? integer of one listener process
---@field address_connections? integer of one IPv4 address or IPv6 /64

---@class luttpd.ParsingPaths
---@field utf8? "require"|"any"
---@field encoded_slash? "refuse"|"keep"

---@class luttpd.ParsingField
---@field required? integer status where it is missing: 400 to 599
---@field max? string size of a value: "4KB"; more is 431
---@field once? boolean 400 where it comes more than once
---@field remove? boolean the site does not see it

---One or several texts, of which one must match.
---@alias luttpd.Texts string|string[]

---@class luttpd.Matcher
---@field equals? luttpd.Texts
---@field prefix? luttpd.Texts
---@field suffix? luttpd.Texts
---@field contains? luttpd.Texts

---@class luttpd.Conditions
---@field method? luttpd.Matcher|userdata or an lpeg pattern, as everywhere here
---@field host? luttpd.Matcher|userdata without port; case does not matter
---@field path? luttpd.Matcher|userdata canonical: decoded once, no dot segments
---@field query? luttpd.Matcher|userdata as sent
---@field field? table<string, luttpd.Matcher|userdata|"present"|"absent"> case does not matter

---@class luttpd.Reject : luttpd.Conditions
---@field status integer 400 to 599
---@field unless? luttpd.Conditions none of which may hold

---@class luttpd.Head
---@field method string
---@field host string without port, in lower case
---@field path string canonical
---@field raw_path string as the client sent it
---@field query string as the client sent it
---@field headers table<string, string> by name in any case
---@field address string of the client; "unix" where it has none
---@field port integer of the client
---@field scheme "http"|"https"
---@field listener_port integer 0 for a UNIX socket
local head = {}

---Adds the field luttpd-NAME to the request; the last value of a name counts.
---@param name string lower-case letters, digits, hyphens; 57 bytes
---@param value string|number 1024 bytes without control characters
function head:tag(name, value) end

---@param limits luttpd.ParsingLimits
function limits(limits) end

---Allows these methods alone.
---@param list string[]
function methods(list) end

---@param paths luttpd.ParsingPaths
function paths(paths) end

---@param name string
---@return fun(rule: luttpd.ParsingField)
function field(name) end

---Refuses a request for which all conditions hold.
---@param statement luttpd.Reject
function reject(statement) end

---Looks at each request. Returns nothing to go on; a status from 400 to 599 and perhaps a sentence; or a
---redirect's status and the location.
---@param hook fun(head: luttpd.Head): integer?, string?
function on_head(hook) end
