-- SPDX-License-Identifier: Apache-2.0
-- One site behind a parsing policy: parsing.lua, beside this file, judges every request first.

listen "127.0.0.1:8080"
logs "logs"
parsing "parsing.lua"

vhost "shop" {
  hosts = { "shop.localhost" },
  default = true,
  user = "auto",
  root = "site",
}
