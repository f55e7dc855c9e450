-- SPDX-License-Identifier: Apache-2.0
-- What `make run` serves: two sites, each in a process and under a user of its own. This file belongs
-- to whoever runs the machine; what a site does stands in its own vhost.lua and belongs to its owner.
-- `luttpd check -c vhosts/server.lua -s build/state` says what is wrong with it, line by line.

listen "127.0.0.1:8080" -- this machine only; "0.0.0.0:8080" is every network, "[::1]:8080" IPv6

logs "../build/logs" -- one directory for each site, which only that site's user can read

vhost "first" {
  hosts = { "localhost" },
  default = true, -- answers for every other host name too
  user = "auto",  -- a user number that no other site has, remembered in the state directory
  root = "first",
}

vhost "second" {
  hosts = { "second.localhost" },
  user = "auto",
  root = "second",
}
