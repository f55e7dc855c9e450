-- SPDX-License-Identifier: Apache-2.0
any "/*" (function(req, res) res:text(site.name .. " sees " .. req.path .. "\n") end)
