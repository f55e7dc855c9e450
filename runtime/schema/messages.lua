-- SPDX-License-Identifier: Apache-2.0
-- messages.lua: every message that two running luttpd processes may exchange, and nothing else. What
-- config writes into sealed files is in messages_records.lua, which sees the globals of this file.
-- Read by gen.lua, which emits the C codecs, the dispatch tables, docs/MESSAGES.md and the
-- vocabulary of the hostile peers. An id is never reused. Numbers are little-endian on the wire.
--
-- via says where a message travels:
--   control  a SEQPACKET socket pair (master and a child, router and a listener)
--   pair     the socket pair of a data or log channel: doorbells, descriptors
--   ring     a shared-memory ring
--   record   a file of messages: the plan and the route map, in sealed memfds
-- when says in which phase of its sender's life it may be sent: starting, serving, any.

MAX_NAME = 64          -- bytes in a vhost's name
MAX_HOST = 255         -- bytes in a host name
local MAX_PATH = 4096        -- bytes in a path
local MAX_QUERY = 7168       -- bytes in a query: with both paths and the fields, OPEN fits a record
local MAX_BODY = 16384       -- bytes of content in one BODY

enum "level" { "info", "warning", "error" }
enum "peer" { "router", "listener", "vhost", "logger" }
enum "scheme" { "http", "https" }
enum "family" { "none", "inet", "inet6", "unix" }
enum "host_kind" { "exact", "wildcard", "default" }
enum "verdict" { "vhost", "none", "redirect", "answer" }
enum "reuse" { "once", "path", "prefix", "authority" }
enum "selector" { "none", "cookie", "field" }
enum "trust" { "proxy_protocol", "forwarded" }
enum "subject" { "method", "host", "path", "query", "field" }
enum "match" { "equals", "prefix", "suffix", "contains", "present", "absent", "grammar" }
enum "reason" { "cancelled", "timeout", "too_large", "protocol", "internal", "refused" }
enum "version" { "http10", "http11" }
enum "log_format" { "combined", "json", "both" }

-- Control: master starts a role -------------------------------------------------------------------

message "START_CONFIG" {
  id = 1, from = "master", to = "config", via = "control", when = "starting", fds = 4,
  doc = "Evaluate one configuration. Descriptors: its directory, /etc/passwd, /etc/group, the table of automatic users.",
  text "directory" { max = 4095, doc = "its absolute path: relative paths in the configuration begin there" },
  text "file" { max = 255, doc = "name of the configuration inside its directory" },
  boolean "check_only" { doc = "allot no new automatic user" },
  boolean "single_user" { doc = "luttpd runs without root: every vhost runs as the caller" },
  u32 "uid" { doc = "the caller's user, for single_user" },
  u32 "gid" { doc = "the caller's group, for single_user" },
}

message "START_ROUTER" {
  id = 2, from = "master", to = "router", via = "control", when = "starting", fds = 2,
  doc = "Route by this map and this policy. Descriptors: the sealed route map, the sealed policies.",
  u64 "epoch" { doc = "of the policies; rises with each reload" },
}

message "START_LISTENER" {
  id = 3, from = "master", to = "listener", via = "control", when = "starting", fds = 3,
  doc = "Serve one socket. Descriptors: the listening socket, the sealed route map, the sealed policies.",
  u32 "listener" { doc = "number of this listener process" },
  u16 "listen" { doc = "number of the listen statement, from 0: which limits and policy are its own" },
  u64 "epoch" { doc = "of the policies; rises with each reload" },
  u16 "port" { doc = "the port it is bound to, 0 for none" },
}

message "START_VHOST" {
  id = 4, from = "master", to = "vhost", via = "control", when = "starting", fds = 1,
  doc = "Be one vhost. Descriptor: its root directory.",
  u64 "vhost" { doc = "number of the vhost, never reused" },
  u64 "generation",
  text "name" { max = MAX_NAME },
  u64 "memory_bytes" { doc = "soft cap of the Lua heap" },
  u32 "cpu_ms" { doc = "longest run of a script without yielding" },
  u32 "wall_ms" { doc = "deadline of one request" },
  boolean "hardened" { doc = "no JIT and no executable pages" },
  u32 "role_uids" { count = 8, doc = "user of each role, in the order of processes.lua, so that a page can show them" },
}

message "START_LOGGER" {
  id = 5, from = "master", to = "logger", via = "control", when = "starting", fds = 2,
  doc = "Write the logs. Descriptors: the log directory, the sealed route map (it names the vhosts).",
  enumerated "format" { of = "log_format" },
}

-- Control: what a child tells master, and the other way ------------------------------------------

message "READY" {
  id = 10, from = { "config", "router", "listener", "vhost", "logger" }, to = "master", via = "control", when = "starting",
  doc = "The cage is closed and the role can serve.",
}

message "NOTE" {
  id = 11, from = { "config", "router", "listener", "vhost", "logger" }, to = "master", via = "control", when = "any",
  doc = "A line for the server's own log. Master escapes it, limits its rate and puts the sender's name before it.",
  enumerated "level" { of = "level" },
  text "text" { max = 1024 },
}

message "STOP" {
  id = 12, from = "master", to = { "router", "listener", "vhost", "logger" }, via = "control", when = "any",
  doc = "Finish what is open, accept nothing new, then exit.",
  u32 "drain_ms" { doc = "exit by then at the latest" },
}

message "REOPEN" {
  id = 13, from = "master", to = "logger", via = "control", when = "serving",
  doc = "Close and reopen every log file (SIGUSR1).",
}

message "POLICY" {
  id = 14, from = "master", to = { "router", "listener" }, via = "control", when = "serving", fds = 1,
  doc = "Use these policies from the next request on. Descriptor: the sealed policies.",
  u64 "epoch" { doc = "greater than the one before" },
}

message "POLICY_TAKEN" {
  id = 15, from = { "router", "listener" }, to = "master", via = "control", when = "serving",
  doc = "The policies of this epoch are in use; or they could not be loaded, and the old ones stay.",
  u64 "epoch",
  boolean "taken",
  text "why" { max = 512, doc = "empty where taken" },
}

-- Control: the configuration's outcome ------------------------------------------------------------

message "PLAN" {
  id = 20, from = "config", to = "master", via = "control", when = "serving", fds = 3,
  doc = "The configuration is good. Descriptors: the plan, the route map, the policies, all sealed files of records.",
}

message "FAULT" {
  id = 21, from = "config", to = "master", via = "control", when = "serving",
  doc = "One mistake in the configuration. Sent once for each; no PLAN follows.",
  text "file" { max = 255 },
  u32 "line" { doc = "0 where no line is known" },
  text "key" { max = 255, doc = "key path, such as vhost.alice.limits.memory" },
  text "reason" { max = 512 },
}

-- Control: introductions --------------------------------------------------------------------------

message "INTRODUCE" {
  id = 50, from = "router", to = "master", via = "control", when = "serving",
  doc = "Asks for a data channel between a listener and a vhost.",
  u32 "listener", u64 "vhost",
}

message "CHANNEL" {
  id = 51, from = "master", to = { "router", "listener", "vhost", "logger" }, via = "control", when = "any", fds = 1,
  doc = "One end of a socket pair, stamped with who holds the other. router and listener: a control channel; listener and vhost: a data channel; with logger: a log channel.",
  enumerated "peer" { of = "peer" },
  u64 "id" { doc = "vhost or listener number of the peer, 0 for router and logger" },
  u64 "generation" { doc = "of a vhost or listener, else 0" },
  u64 "device" { doc = "st_dev of a vhost's root: the only one from which it may pass files; else 0" },
}

message "CHANNEL_REFUSED" {
  id = 52, from = "master", to = "listener", via = "control", when = "serving",
  doc = "The vhost does not exist or cannot be started now.",
  u64 "vhost",
  u32 "retry_ms" { doc = "when to ask again" },
}

message "BLAME" {
  id = 53, from = { "router", "listener", "logger" }, to = "master", via = "control", when = "serving",
  doc = "The sender has cut off this peer, which broke a rule: please replace it. Only the more trusted may accuse: the router a listener, a listener or the logger a vhost. Master believes each a few times a minute.",
  enumerated "peer" { of = "peer" },
  u64 "id" { doc = "as CHANNEL named the peer" },
  u64 "generation" { doc = "likewise" },
}

message "RING" {
  id = 55, from = { "listener", "logger" }, to = { "router", "listener", "vhost" }, via = "pair", when = "any", fds = 1,
  doc = "The sealed memfd that holds the rings of this channel. First packet on it.",
}

message "DOORBELL" {
  id = 56, from = { "router", "listener", "vhost", "logger" }, to = { "router", "listener", "vhost", "logger" }, via = "pair", when = "any",
  doc = "Look at the ring: sent only while its reader sleeps.",
}

-- Control between router and listener ---------------------------------------------------------------

message "ROUTE_ASK" {
  id = 60, from = "listener", to = "router", via = "control", when = "any",
  doc = "Which vhost answers this?",
  u32 "ask" { doc = "chosen by the listener, comes back in ROUTE" },
  text "method" { max = 32 },
  text "authority" { max = MAX_HOST, doc = "host without port, lower case" },
  bytes "path" { max = MAX_PATH, doc = "canonical" },
  bytes "query" { max = 2048, doc = "empty where it is longer" },
  enumerated "scheme" { of = "scheme" },
  enumerated "family" { of = "family" },
  bytes "address" { max = 16, doc = "of the client, network order" },
  fields "fields" { max = 2048, count = 16, doc = "those that ROUTE_FIELD names, as far as they fit" },
}

message "ROUTE" {
  id = 61, from = "router", to = "listener", via = "control", when = "any",
  doc = "The answer to ROUTE_ASK, and how far it may be reused.",
  u32 "ask",
  u64 "epoch" { doc = "of the policy that decided" },
  enumerated "verdict" { of = "verdict" },
  u16 "choices" { doc = "vhost: how many of vhosts count" },
  u64 "vhosts" { count = 8, doc = "one of them answers" },
  u32 "weights" { count = 8, doc = "how often each, relative to the others" },
  boolean "by_client" { doc = "the same client always gets the same one; else each request may get another" },
  u16 "status" { doc = "redirect and answer: the status" },
  text "location" { max = 2048, doc = "redirect: without the part of the path that is kept" },
  boolean "keep_path" { doc = "redirect: the path behind keep_from and the query are appended" },
  u16 "keep_from" { doc = "redirect: bytes of the path that are not kept" },
  text "text" { max = 512, doc = "answer: a sentence for people, may be empty" },
  u32 "retry_s" { doc = "answer: Retry-After, 0 for none" },
  enumerated "reuse" { of = "reuse" },
  u16 "prefix_bytes" { doc = "reuse prefix: how many bytes of the path count; they end before a slash or the path's end" },
  u32 "reuse_ms" { doc = "how long it may be reused; 0: until the policy changes" },
  enumerated "selector" { of = "selector" },
  text "selector_name" { max = 64, doc = "reuse only where this cookie or field (lower case) has the same value" },
}

message "CHANNEL_ASK" {
  id = 62, from = "listener", to = "router", via = "control", when = "any",
  doc = "Please have me introduced to this vhost.",
  u64 "vhost",
}

-- Rings: the exchange protocol between listener and vhost ---------------------------------------------

message "OPEN" {
  id = 70, from = "listener", to = "vhost", via = "ring", when = "any",
  doc = "A request. Its body, if any, follows as BODY, then END; without body END follows at once only if body is true.",
  u32 "stream" { doc = "chosen by the listener: slot in the low 16 bits, sequence above" },
  u64 "request" { doc = "its id, as in the log" },
  enumerated "scheme" { of = "scheme" },
  enumerated "version" { of = "version" },
  enumerated "family" { of = "family" },
  bytes "address" { max = 16, doc = "of the client, network order" },
  u16 "port" { doc = "of the client" },
  boolean "body" { doc = "BODY and END follow" },
  u64 "content_length" { doc = "LENGTH_UNKNOWN where it is not known" },
  text "method" { max = 32 },
  text "authority" { max = MAX_HOST + 6 },
  bytes "path" { max = MAX_PATH, doc = "canonical: decoded once, no dot segments, begins with /" },
  bytes "raw_path" { max = MAX_PATH, doc = "as the client sent it, empty where equal to path" },
  bytes "query" { max = MAX_QUERY, doc = "without the question mark" },
  fields "fields" { max = 16384, count = 128, doc = "field lines in order, names in lower case; no hop-by-hop fields" },
}

message "BODY" {
  id = 71, from = { "listener", "vhost" }, to = { "vhost", "listener" }, via = "ring", when = "any",
  doc = "Content, at most the credit that the receiver has granted.",
  u32 "stream",
  bytes "data" { max = MAX_BODY },
}

message "END" {
  id = 72, from = { "listener", "vhost" }, to = { "vhost", "listener" }, via = "ring", when = "any",
  doc = "The content in this direction is complete.",
  u32 "stream",
}

message "HEAD" {
  id = 73, from = "vhost", to = "listener", via = "ring", when = "any",
  doc = "The response's status and fields. BODY and FILE follow, then END, also where no content may follow.",
  u32 "stream",
  u16 "status" { doc = "200 to 599" },
  u64 "content_length" { doc = "LENGTH_UNKNOWN where it is not known" },
  fields "fields" { max = 16384, count = 128, doc = "no framing, no hop-by-hop fields, no date" },
}

message "FILE" {
  id = 74, from = "vhost", to = "listener", via = "ring", when = "any",
  doc = "Content from an open file, whose descriptor was sent before as FILE_DESCRIPTOR.",
  u32 "stream", u64 "offset", u64 "length",
}

message "FILE_DESCRIPTOR" {
  id = 75, from = "vhost", to = "listener", via = "pair", when = "any", fds = 1,
  doc = "The open file that the FILE of this stream is about to name.",
  u32 "stream",
}

message "CREDIT" {
  id = 76, from = { "listener", "vhost" }, to = { "vhost", "listener" }, via = "ring", when = "any",
  doc = "Lets the other side send that many more bytes of content on the stream.",
  u32 "stream", u32 "bytes",
}

message "RESET" {
  id = 77, from = { "listener", "vhost" }, to = { "vhost", "listener" }, via = "ring", when = "any",
  doc = "The stream ends here, unfinished.",
  u32 "stream",
  enumerated "reason" { of = "reason" },
}

-- Rings: log records --------------------------------------------------------------------------------

message "LOG_ACCESS" {
  id = 80, from = "listener", to = "logger", via = "ring", when = "any",
  doc = "One finished request.",
  u64 "vhost" { doc = "0 where no vhost answered" },
  u64 "request" { doc = "its id, as a person sees it on an error page" },
  u64 "time_us" { doc = "when the request's head was complete, since the epoch" },
  u32 "duration_us",
  u16 "status",
  u64 "sent_bytes" { doc = "of content" },
  enumerated "version" { of = "version" },
  enumerated "family" { of = "family" },
  bytes "address" { max = 16 },
  bytes "method" { max = 32 },
  bytes "target" { max = 2048, doc = "cut where longer" },
  bytes "host" { max = MAX_HOST },
  bytes "referer" { max = 1024, doc = "cut where longer" },
  bytes "agent" { max = 512, doc = "cut where longer" },
}

message "LOG_ERROR" {
  id = 81, from = { "router", "listener", "vhost" }, to = "logger", via = "ring", when = "any",
  doc = "A line for an error log: the vhost's own where a vhost sends it, else the server's.",
  u64 "time_us",
  enumerated "level" { of = "level" },
  bytes "text" { max = 8192 },
}

message "LOG_DROPPED" {
  id = 82, from = { "router", "listener", "vhost" }, to = "logger", via = "ring", when = "any",
  doc = "That many records did not fit the ring since the last one that did.",
  u64 "records",
}
