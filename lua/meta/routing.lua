---@meta
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: ignore
-- routing.lua: what an editor may know about the names of a routing policy. Never executed. docs/ROUTING.md explains.

---@class luttpd.RouteRequest
---@field method string
---@field host string lower case, without port
---@field path string decoded once, without dot segments
---@field query string without the question mark; empty above 2 KB
---@field scheme "http"|"https"
---@field address string of the client; empty for a unix socket
---@field cookies table<string, string> first value of each name
---@field headers table<string, string> those that `fields` names, and cookie; names in lower case

---@class luttpd.RouteAnswer
---@field redirect? string location: a whole one, or a path
---@field answer? integer status: 200, or 400 to 599
---@field status? 301|302|303|307|308 of a redirect, 302 unless said
---@field text? string of an answer: a sentence, at most 512 bytes
---@field retry? string of an answer: Retry-After, such as "60s"

---@class luttpd.RouteReuse
---@field reuse? "once"|"path"|"prefix"|"host" how far the answer holds, "once" unless said
---@field time? string how long, such as "60s"; until the policy changes unless said

---@class luttpd.RouteExcept
---@field addresses string[] "10.0.0.0/8", "::1", "unix"

---@class luttpd.Route one of to, split, redirect, answer, decide; or cookie or field with values and to
---@field to? string the vhost that answers
---@field split? table<string, integer> weights of up to eight vhosts
---@field by? "client"|"request" for split, "client" unless said
---@field redirect? string location: a whole one, or a path
---@field status? 301|302|303|307|308 of a redirect, 302 unless said
---@field keep_path? boolean of a redirect: what follows the prefix, and the query, are added
---@field answer? integer status: 200, or 400 to 599
---@field text? string of an answer: a sentence, at most 512 bytes
---@field retry? string of an answer: Retry-After, such as "1h"
---@field cookie? string name of the cookie that chooses among values
---@field field? string name of the field that chooses among values
---@field values? table<string, string> vhosts by value
---@field decide? fun(request: luttpd.RouteRequest): string|luttpd.RouteAnswer|nil, luttpd.RouteReuse|nil
---@field vhosts? string[] those that decide may name
---@field fields? string[] names of fields that decide looks at
---@field except? luttpd.RouteExcept clients for whom the route does not exist

---A host, "a.example", "*.a.example", ".a.example" or "*", and perhaps a path prefix: "a.example/blog".
---@param pattern string
---@return fun(route: luttpd.Route)
function route(pattern) end
