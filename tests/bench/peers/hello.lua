-- SPDX-License-Identifier: Apache-2.0
-- The answer of nginx's Lua module. A length of its own, so that nothing is chunked.
-- luacheck: globals ngx
local body = "hello " .. (ngx.var.arg_name or "")
ngx.header["Content-Length"] = #body
ngx.print(body)
