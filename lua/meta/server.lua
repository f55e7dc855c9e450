---@meta
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: ignore
-- server.lua: what an editor may know about the names of server.lua. Never executed. docs/SERVER.md explains.

---@class luttpd.Listen
---@field [1] string "0.0.0.0:80", "[::]:80" or "unix:/run/site.sock"
---@field processes? integer listener processes, 1 unless said
---@field parsing? string file of its own parsing policy, beside server.lua
---@field limits? luttpd.ParsingLimits over those of the parsing policy
---@field proxies? string[] whose Forwarded and X-Forwarded-* are believed: "10.0.0.0/8", "::1", "unix"
---@field proxy_protocol? string[] who begins each connection with a PROXY header
---@field defer_accept? boolean
---@field fast_open? boolean

---@class luttpd.VhostLimits
---@field memory? string "128MB" unless said
---@field cpu? string of a script without a pause, "100ms" unless said
---@field wall? string of a request, "10s" unless said
---@field processes? integer 4 unless said

---@class luttpd.Vhost
---@field hosts? string[] "a.example", "*.a.example", "[::1]"
---@field default? boolean it answers for every other host
---@field user string|integer "auto", or the name or number of an account
---@field root string its directory
---@field limits? luttpd.VhostLimits
---@field hardened? boolean no compiled Lua
---@field shared_user? boolean another vhost may have the same user

---Where luttpd listens.
---@param listen string|luttpd.Listen
function listen(listen) end

---A site: `vhost "name" { ... }`
---@param name string
---@return fun(vhost: luttpd.Vhost)
function vhost(name) end

---For vhosts that do not say so themselves.
---@param defaults { limits?: luttpd.VhostLimits, hardened?: boolean }
function defaults(defaults) end

---@param logs string|{ dir?: string, format?: "combined"|"json"|"both" }
function logs(logs) end

---The numbers for `user = "auto"`.
---@param range { first?: integer, count?: integer }
function automatic_users(range) end

---The parsing policy of listens without one of their own.
---@param file string beside server.lua
function parsing(file) end

---The routing policy.
---@param file string beside server.lua
function routing(file) end
