-- SPDX-License-Identifier: Apache-2.0
get "/" (function(req, res)
  res:text("Hello, " .. req.headers["luttpd-visitor"] .. ".\n")
end)

get "/api/:what" (function(req, res)
  res:json { what = req.params.what }
end)

get "/item/:number" (function(req, res)
  res:text("Item " .. req.params.number .. "\n")
end)

files "/" { dir = "public" }
