# SPDX-License-Identifier: Apache-2.0
"""What a case is made of: bytes for a connection, and what has to come of them.

    Case("two-spaces", "9112 3", b"GET  / HTTP/1.1\\r\\n...", refused(400))
    Case("decoded-once", "9110 4.2.3, 3986 2.4", get("/%2541"), seen(path="/%41", raw_path="/%2541"))

why: the section of the RFC, or the name of the attack, with its reason where that is not plain.
What a vhost sees is told by the handler `echo` of VHOST, bytes that are not printable ASCII as <hex>.
"""
import dataclasses

HOST = b"Host: a\r\n"


@dataclasses.dataclass(frozen=True)
class Answer:
    """One response. status: the codes allowed. saw: what the vhost told (a part of it).
    fields: of the response; None: absent. body: exact, or None for any. head: no content may follow."""
    status: tuple
    saw: dict = None
    fields: dict = dataclasses.field(default_factory=dict)
    body: bytes = None
    head: bool = False


@dataclasses.dataclass(frozen=True)
class Outcome:
    """after: "open" (the next request is answered), "closed" (it is not), "any", "ended" (the client
    ends its half in the middle of a request), "cut" (the answer has begun and is never completed)."""
    answers: tuple
    after: str

    def __add__(self, other):
        """Answers to pipelined requests, in order."""
        assert self.after == "open"
        return Outcome(self.answers + other.answers, other.after)


@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    why: str
    sent: bytes
    outcome: Outcome


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def shown(data):
    """As the handler shows it."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7f and byte != 0x3c else f"<{byte:02x}>" for byte in as_bytes(data))


# Requests

def get(target="/", *lines, method="GET", version="HTTP/1.1", host="a"):
    """A request without content; lines: more field lines."""
    fields = [] if host is None else [f"Host: {host}"]
    whole = [b" ".join(map(as_bytes, (method, target, version))), *map(as_bytes, fields), *map(as_bytes, lines)]
    return b"\r\n".join(whole) + b"\r\n\r\n"


def post(body=b"", *lines, target="/", **more):
    """A request with content whose length is said."""
    return get(target, *lines, f"Content-Length: {len(body)}", method="POST", **more) + body


def chunked(body, *lines, **more):
    """A request with these bytes behind a head that announces chunks."""
    return get("/", *lines, "Transfer-Encoding: chunked", method="POST", **more) + as_bytes(body)


# Outcomes

def answered(*status, after="open", **more):
    """An answer that ends nothing, unless after says so."""
    return Outcome((Answer(status, **more),), after)


def refused(*status, **more):
    """An answer, and then the end: nothing that follows is believed."""
    return Outcome((Answer(status, **more),), "closed")


def seen(after="open", head=False, **saw):
    """The vhost was asked."""
    return Outcome((Answer((200,), saw=None if head else saw, head=head),), after)


def script(status, body=None, after="open", head=False, **fields):
    """A script's answer with these fields (underscores are hyphens)."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return Outcome((Answer((status,), fields=named, body=body, head=head),), after)


SILENCE = Outcome((), "ended")  # no answer to what is incomplete

# The site that is asked

VHOST = r"""
local function show(s)
  return (s:gsub("[^ -;=-~]", function(c) return ("<%02x>"):format(c:byte()) end))
end

-- JSON with its names in order: the same request gets the same bytes.
local function ordered(value)
  if type(value) ~= "table" then return json.encode(value) end
  local names, parts = {}, {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = json.encode(name) .. ":" .. ordered(value[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function echo(req, res)
  local fields = {}
  for name, value in pairs(req.headers) do fields[show(name)] = show(value) end
  local body = req:read_all()
  res:header("content-type", "application/json"):text(ordered {
    site = site.name, method = req.method, path = show(req.path), raw_path = show(req.raw_path or "(none)"),
    query = show(req.query_string), host = req.host, fields = fields, body = show(body), length = req.length,
  })
end
any "/*" (echo)

local scripts = {}
any "/script/:name" (function(req, res) scripts[req.params.name](req, res) end)
any "/script/:name/:argument" (function(req, res)
  scripts[req.params.name](req, res, req.params.argument)
end)

local function bytes(hex)
  return (hex:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

function scripts.status(req, res, n) res:status(tonumber(n)):text("content") end
function scripts.bare(req, res, n) res:status(tonumber(n)) end
function scripts.stream(req, res, n)
  res:status(tonumber(n))
  for i = 1, 3 do res:write("part" .. i) end
end
function scripts.text(req, res) res:text("content") end
function scripts.value(req, res, hex) res:header("x-made", "a" .. bytes(hex) .. "b"):text("content") end
function scripts.alone(req, res, hex) res:header("x-made", bytes(hex)):text("content") end
function scripts.name(req, res, hex) res:header("x" .. bytes(hex) .. "y", "made"):text("content") end
function scripts.whole(req, res, hex) res:header(bytes(hex), "made"):text("content") end
function scripts.nameless(req, res) res:header("", "made"):text("content") end
function scripts.list(req, res, hex) res:header("x-made", { "fine", bytes(hex) }):text("content") end
function scripts.to(req, res, hex) res:redirect(bytes(hex)) end
function scripts.kind(req, res, hex) res:header("content-type", bytes(hex)):text("content") end
function scripts.statustext(req, res, hex) res:status(bytes(hex)):text("content") end
function scripts.field(req, res, name) res:header(name, req.query.v or "5"):text("content") end
function scripts.fieldstream(req, res, name)
  res:header(name, req.query.v or "5")
  res:write("con")
  res:write("tent")
end
function scripts.cookies(req, res) res:header("set-cookie", { "a=1", "b=2" }):text("content") end
function scripts.dies(req, res)
  res:write("begun")
  error("in the middle")
end
function scripts.silent() end
function scripts.unread(req, res) res:text("content") end
function scripts.large(req, res)
  for i = 1, 40 do res:header("x-large-" .. i, ("v"):rep(1000)) end
  res:text("content")
end
function scripts.page(req, res, n) res:error(tonumber(n)) end
"""
