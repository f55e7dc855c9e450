-- SPDX-License-Identifier: Apache-2.0
-- messages_records.lua: what config writes into its three sealed files: the plan, the route map, the policies.
-- Read after messages.lua, whose enums and limits it uses. An id is never reused, in either file.

-- Records of the plan: for master only -----------------------------------------------------------

message "PLAN_SERVER" {
  id = 30, from = "config", to = "master", via = "record", when = "any",
  doc = "First record of the plan.",
  text "logs" { max = 4095, doc = "log directory, absolute" },
  enumerated "format" { of = "log_format" },
  u32 "listens" { doc = "how many PLAN_LISTEN follow" },
  u32 "vhosts" { doc = "how many PLAN_VHOST follow" },
  u64 "fingerprint" { doc = "of plan and route map, whatever numbers the vhosts have: equal where only policies differ" },
}

message "PLAN_LISTEN" {
  id = 31, from = "config", to = "master", via = "record", when = "any",
  doc = "A socket to bind.",
  enumerated "family" { of = "family" },
  bytes "address" { max = 108, doc = "4 or 16 bytes in network order; a path for unix" },
  u16 "port",
  u16 "processes" { doc = "how many listener processes serve it" },
  boolean "defer_accept" { doc = "TCP: a connection is accepted once its first bytes are here" },
  boolean "fast_open" { doc = "TCP: data may come with the SYN" },
}

message "PLAN_VHOST" {
  id = 32, from = "config", to = "master", via = "record", when = "any",
  doc = "A vhost to run.",
  u64 "vhost",
  text "name" { max = MAX_NAME },
  u32 "uid", u32 "gid",
  boolean "automatic" { doc = "the user comes from the reserved range" },
  boolean "shared_user" { doc = "the admin allows another vhost under the same user" },
  text "root" { max = 4095, doc = "absolute path" },
  u64 "memory_bytes", u32 "cpu_ms", u32 "wall_ms", u32 "processes",
  boolean "hardened",
}

-- Records of the route map: for router, listeners and logger ---------------------------------------

message "ROUTE_VHOST" {
  id = 40, from = "config", to = { "router", "listener", "logger" }, via = "record", when = "any",
  doc = "Names a vhost. Comes before every ROUTE_HOST that mentions it.",
  u64 "vhost",
  text "name" { max = MAX_NAME },
}

message "ROUTE_HOST" {
  id = 41, from = "config", to = { "router", "listener", "logger" }, via = "record", when = "any",
  doc = "Says which vhost may answer for a host pattern.",
  enumerated "kind" { of = "host_kind" },
  text "host" { max = MAX_HOST, doc = "lower case; for wildcard the suffix behind the star's dot; empty for default" },
  u64 "vhost",
}

-- Records of the policies: for router and listeners ---------------------------------------------------

message "ROUTE_ALSO" {
  id = 42, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "The routing policy may let this vhost answer for the host pattern too. By name: policies outlive numbers.",
  enumerated "kind" { of = "host_kind" },
  text "host" { max = MAX_HOST, doc = "as in ROUTE_HOST" },
  text "vhost" { max = MAX_NAME },
}

message "ROUTE_FIELD" {
  id = 43, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "A field that the routing policy's functions look at: ROUTE_ASK carries it. At most 8 of them.",
  text "name" { max = 64, doc = "lower case" },
}

message "POLICY_TEXT" {
  id = 44, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "A piece of a policy's script; the pieces of one follow each other.",
  u16 "policy" { doc = "0: routing; else the parsing policy of that number" },
  text "file" { max = 255, doc = "its name, for messages" },
  bytes "part" { max = 16384 },
}

message "POLICY_PARSING" {
  id = 45, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "A parsing policy. Its methods, fields, rules and text follow.",
  u16 "policy" { doc = "its number, from 1, in order" },
  boolean "refuse_bad_utf8" { doc = "a path that is not UTF-8 is 400" },
  boolean "keep_encoded_slash" { doc = "%2F in a path stays as it is; else it is 400" },
  boolean "scripted" { doc = "it has a hook or grammars: POLICY_TEXT follows" },
}

message "POLICY_METHOD" {
  id = 46, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "A method that the policy allows. Without any: all but CONNECT and TRACE.",
  u16 "policy",
  text "method" { max = 32 },
}

message "POLICY_FIELD" {
  id = 47, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "A rule for one field.",
  u16 "policy",
  text "name" { max = 64, doc = "lower case" },
  u16 "required" { doc = "status where it is missing; 0: it may be" },
  u16 "repeated" { doc = "status where it comes more than once; 0: it may" },
  u16 "too_long" { doc = "status where a value has more than max_bytes; 0: no maximum" },
  u32 "max_bytes",
  boolean "remove" { doc = "the vhost does not see it" },
}

message "POLICY_RULE" {
  id = 48, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "Refuses a request for which all conditions that follow hold.",
  u16 "policy",
  u16 "status" { doc = "400 to 599" },
}

message "POLICY_CONDITION" {
  id = 49, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "One condition of the rule before it. Each further pattern of the same condition comes as an alternative.",
  boolean "alternative" { doc = "or-ed with the condition before, else and-ed" },
  enumerated "subject" { of = "subject" },
  text "name" { max = 64, doc = "of the field, lower case; else empty" },
  enumerated "match" { of = "match" },
  boolean "negated",
  boolean "fold" { doc = "the case of letters does not matter; pattern is lower case" },
  bytes "pattern" { max = 1024, doc = "empty for present, absent and grammar" },
  u16 "grammar" { doc = "match grammar: its number among those of the policy's script, from 1 in order; else 0" },
}

message "POLICY_LISTEN" {
  id = 57, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "Limits of the listeners of one listen statement. Rates are bytes in a second; 0 means no limit but where a field says otherwise.",
  u16 "listen" { doc = "number of the listen statement, from 0" },
  u16 "policy" { doc = "its parsing policy, from 1" },
  u32 "head_bytes" { doc = "never 0" }, u32 "target_bytes" { doc = "never 0" }, u32 "fields" { doc = "never 0" },
  u32 "trailer_bytes", u32 "extension_bytes",
  u64 "body_bytes",
  u32 "head_ms" { doc = "for a whole head" }, u32 "idle_ms" { doc = "between requests" },
  u32 "body_rate", u32 "send_rate",
  u32 "requests" { doc = "on one connection" },
  u32 "connections" { doc = "of one listener process; 0: as many as there are descriptors" },
  u32 "address_connections" { doc = "of one IPv4 address or IPv6 /64" },
}

message "POLICY_NETWORK" {
  id = 58, from = "config", to = { "router", "listener" }, via = "record", when = "any",
  doc = "Who is trusted by the listeners of a listen statement, and in what.",
  u16 "listen",
  enumerated "trust" { of = "trust" },
  enumerated "family" { of = "family", doc = "unix: whoever reaches the socket" },
  bytes "address" { max = 16 },
  u16 "bits" { doc = "how many of its bits count" },
}
