-- SPDX-License-Identifier: Apache-2.0
-- The parsing policy where server.lua names none: what each request must keep to before any site sees
-- it. A policy of one's own says only what shall differ; docs/PARSING.md has the whole language.

-- What one client may ask for. What a listen statement says itself goes first. 0 is no limit, where
-- one is allowed.
limits {
  head = "16KB",             -- request line and fields together (431)
  target = "8KB",            -- path and query as sent (414)
  fields = 128,              -- lines of fields (431)
  trailer = "4KB",           -- fields behind a chunked body (431)
  extensions = "4KB",        -- extensions of all its chunks (400)
  body = "1GB",              -- content (413)
  head_time = "10s",         -- until a head is complete (408)
  idle_time = "60s",         -- between two requests of a connection
  body_rate = "500B",        -- content that comes in a second, on average
  send_rate = "500B",        -- answer that the client takes in a second, on average
  requests = 10000,          -- of one connection
  connections = 0,           -- of one listener process: as many as there are descriptors
  address_connections = 512, -- of one IPv4 address or IPv6 /64, in one listener process
}

-- A path is decoded once, and its dot segments are removed, before anyone looks at it.
paths {
  utf8 = "any",             -- "require": 400 where a path is not UTF-8
  encoded_slash = "refuse", -- 400 where a path holds %2F; "keep": it stays encoded
}

-- methods { "GET", "HEAD", "POST" } would allow these alone. Without it all are, but CONNECT and TRACE.
-- field "x-name" { ... } and reject { ... } are rules of one's own: there are none.
-- on_head(function(head) ... end) would look at each request in Lua: nothing does.
