-- SPDX-License-Identifier: Apache-2.0
-- Four sites behind a routing policy: routing.lua, beside this file, says which of them answers what.

listen "127.0.0.1:8080"
logs "logs"
routing "routing.lua"

vhost "shop" { hosts = { "shop.localhost" }, user = "auto", root = "site/shop" }
vhost "shop-next" { hosts = { "next.shop.localhost" }, user = "auto", root = "site/shop-next" }
vhost "acme" { hosts = { "acme.localhost" }, user = "auto", root = "site/acme" }
vhost "globex" { hosts = { "globex.localhost" }, user = "auto", root = "site/globex" }
