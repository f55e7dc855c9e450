---@meta
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: ignore
-- vhost.lua: what an editor may know about the names of vhost.lua. Never executed. docs/LUA.md explains.

---@class luttpd.FilesOptions
---@field dir string directory in the site's own one
---@field index? string|string[] names tried in a directory, "index.html" unless said
---@field cache? string how long browsers may keep a file: "30s", "10m", "1h", "7d"

---@class luttpd.RedirectOptions
---@field from string pattern
---@field to string path or http(s) URI; may use :name and * of the pattern
---@field status? 301|302|303|307|308 302 unless said

---@class luttpd.Request
---@field method string
---@field path string decoded
---@field raw_path string as the client sent it
---@field query table<string, string> first value of each name
---@field query_string string
---@field params table<string, string> what the pattern matched; "*" is the rest
---@field headers table<string, string> by name in any case
---@field host string
---@field scheme "http"|"https"
---@field address string of the client
---@field port integer of the client
---@field id string of the request, 16 hexadecimal digits: as in the logs and on error pages
---@field length integer|false bytes of content; false where that is not known yet
local request = {}

---Content as it comes: `for chunk in req:body() do ... end`
---@return fun(req: luttpd.Request): string|nil
---@return luttpd.Request
function request:body() end

---@param max? integer bytes, 1 MiB unless said
---@return string|nil content
---@return string|nil message
---@return integer|nil code
function request:read_all(max) end

---@param max? integer bytes, 1 MiB unless said
---@return table<string, string>|nil form first value of each name
---@return string|nil message
---@return integer|nil code
function request:form(max) end

---@param max? integer bytes, 1 MiB unless said
---@return any value nil where the content is not JSON
---@return string|nil message
---@return integer|nil code
function request:json(max) end

---@class luttpd.Response
local response = {}

---@param n integer 200 to 599
---@return luttpd.Response
function response:status(n) end

---Sets a header; a table of values makes several lines, nil removes.
---@param name string
---@param value string|number|string[]|nil
---@return luttpd.Response
function response:header(name, value) end

---@param name string
---@return string|nil value
function response:get_header(name) end

---@param content string
function response:text(content) end

---@param content string
function response:html(content) end

---@param value any
function response:json(value) end

---Sends a part of the answer; waits while the client is slow.
---@param content string
function response:write(content) end

---@param to string
---@param status? 301|302|303|307|308 302 unless said
function response:redirect(to, status) end

---Answers with the site's page for an error.
---@param n integer 400 to 599
function response:error(n) end

---@alias luttpd.Handler fun(req: luttpd.Request, res: luttpd.Response)
---@alias luttpd.Verb fun(pattern: string): fun(handler: luttpd.Handler)

---@type luttpd.Verb GET and HEAD
function get(pattern) end

---@type luttpd.Verb
function post(pattern) end

---@type luttpd.Verb
function put(pattern) end

---@type luttpd.Verb
function patch(pattern) end

---@type luttpd.Verb
function delete(pattern) end

---@type luttpd.Verb
function options(pattern) end

---@type luttpd.Verb every method
function any(pattern) end

---@param prefix string
---@return fun(options: luttpd.FilesOptions)
function files(prefix) end

---@param options luttpd.RedirectOptions
function redirect(options) end

---@param pages table<integer, string|luttpd.Handler>
function errors(pages) end

---@class luttpd.Site
---@field name string
---@field uid integer
---@field gid integer
---@field pid integer
---@field generation integer

---@type luttpd.Site
site = {}

---@class luttpd.Json
---@field null lightuserdata
json = {}

---@param value any
---@return string
function json.encode(value) end

---@param text string
---@return any value nil where the text is not JSON
---@return string|nil message
function json.decode(text) end

---Marks a table as an array, so that an empty one is [].
---@param t? table
---@return table
function json.array(t) end
