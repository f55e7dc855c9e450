-- SPDX-License-Identifier: Apache-2.0
-- What each kind of Lua file may name without declaring it.
std = "luajit"
cache = false
max_line_length = 140
exclude_files = { "build", "tests/unit/*/attacks" } -- attacks waste on purpose

local message_words = { "enum", "message", "u8", "u16", "u32", "u64", "boolean", "text", "bytes", "fields", "enumerated",
  "MAX_NAME", "MAX_HOST" }
local process_words = { "process", "sanitizer", "only", "lacks", "has", "own_pid", "fails" }
local server_words = { "listen", "defaults", "vhost", "logs", "automatic_users", "parsing", "routing" }
local policy_words = { "limits", "methods", "paths", "field", "reject", "on_head", "route", "lpeg" }
local vhost_words = {
  "files", "redirect", "errors", "get", "post", "put", "patch", "delete", "options", "any", "site", "json",
}

files["runtime/schema/messages.lua"] =
  { std = "none", read_globals = message_words, globals = { "MAX_NAME", "MAX_HOST" }, max_line_length = 240 }
files["runtime/schema/messages_records.lua"] =
  { std = "none", read_globals = message_words, max_line_length = 240 }
files["runtime/schema/processes.lua"] = { std = "none", read_globals = process_words, max_line_length = 240 }
files["**/server.lua"] = { read_globals = server_words }
files["**/parsing.lua"] = { read_globals = policy_words }
files["**/routing.lua"] = { read_globals = policy_words }
files["**/vhost.lua"] = { read_globals = vhost_words }
files["vhosts"] = { read_globals = vhost_words } -- modules see what vhost.lua sees
files["spec"] = { std = "+busted" }
