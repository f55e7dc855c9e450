-- SPDX-License-Identifier: Apache-2.0

-- The shop's next version, for those who ask for it.
route "shop.localhost" {
  cookie = "canary",
  values = { on = "shop-next" },
  to = "shop",
}

-- One host for all tenants, each below a path of its own.
route "app.localhost/acme" { to = "acme" }
route "app.localhost/globex" { to = "globex" }
route "app.localhost" { answer = 404, text = "Which tenant? Try /acme or /globex." }

-- What has moved keeps its path.
route "old.localhost" { redirect = "http://shop.localhost:8080", status = 301, keep_path = true }

-- Closed for everybody but the machine itself.
route "shop.localhost/till" {
  answer = 503,
  text = "The till opens at noon.",
  retry = "1h",
  except = { addresses = { "127.0.0.1", "::1" } },
}

-- What data cannot say: a language, by the browser's first wish.
route "www.localhost" {
  vhosts = { "acme", "globex" },
  fields = { "accept-language" },
  decide = function(request)
    local wish = request.headers["accept-language"] or ""
    if request.path == "/old" then return { redirect = "/", status = 303 }, { reuse = "path" } end
    return wish:lower():match "^de" and "acme" or "globex"
  end,
}
