# SPDX-License-Identifier: Apache-2.0
"""vhost.lua in the real luttpd-vhost: verbs, handlers, req and res."""
import pytest

from vhost_master import Site


@pytest.fixture
def start(tmp_path):
    made = []

    def start_site(script, files=(), **more):
        site = Site(tmp_path, {"vhost.lua": script, **dict(files)}, **more)
        made.append(site)
        return site.start()

    yield start_site
    for site in made:
        site.remove()


def test_handler_answers_with_a_name_from_the_path(start):
    site = start('get "/hello/:name" (function(req, res) res:text("hello " .. req.params.name) end)')
    answer = site.ask("GET", "/hello/ann")
    assert (answer.status, answer.body, answer.length) == (200, b"hello ann", 9)
    assert answer["content-type"] == "text/plain; charset=utf-8"
    assert site.log() == ""


# vhost.lua: what is wrong, where, and what was meant ----------------------------------------------------

MISTAKES = [
    ('file "/" { dir = "public" }', 'vhost.lua:2: there is no "file", did you mean "files"?'),
    ('files "/" { dri = "public" }', 'vhost.lua:2: files has no option "dri", did you mean "dir"?'),
    ('files "/" { dir = "publik" }', 'vhost.lua:2: files: there is no directory "publik" here'),
    ('files "/" { dir = "../public" }', "vhost.lua:2: files: dir cannot lead out of the site's own directory"),
    ('files "/" { dir = "/etc" }', "vhost.lua:2: files: dir is relative to the site's own directory"),
    ('files "/" { dir = 5 }', "vhost.lua:2: files: dir cannot be a number"),
    ('files "/" {}', "vhost.lua:2: files needs a directory"),
    ('files "/" { dir = "public", cache = "1 hour" }', "vhost.lua:2: files: cache is a number and a unit"),
    ('files "/" { dir = "public", user = "root" }',
     'vhost.lua:2: "user" cannot be set here: only the admin of this machine can, in server.lua'),
    ('user = user or "root"', 'vhost.lua:2: "user" cannot be set here: only the admin'),
    ('hosts { "a.example" }', 'vhost.lua:2: "hosts" cannot be set here'),
    ('files "/"\n\nget "/x" (function() end)', 'vhost.lua:2: files "/" has no options: write files "/" { dir = "public" }'),
    ('get "/x"\n-- no function', 'vhost.lua:2: get "/x" has no handler: write get "/x" (function(req, res) ... end)'),
    ('get "/x" {}', 'vhost.lua:2: get "/x" needs a function(req, res), not a table'),
    ('get "x" (function() end)', 'vhost.lua:2: get "x": it must begin with /'),
    ('get "/*/x" (function() end)', "vhost.lua:2: get \"/*/x\": * may only be its last segment"),
    ('get "/a/:x" (function() end)\nget "/a/:y" (function() end)',
     'vhost.lua:3: get "/a/:y": another route has the same pattern (vhost.lua:2)'),
    ('files "/" { dir = "public" }\nany "/*" (function() end)', "another route has the same pattern (vhost.lua:2)"),
    ('redirect { form = "/a", to = "/b" }', 'vhost.lua:2: redirect has no option "form", did you mean "from"?'),
    ('redirect { from = "/a" }', "vhost.lua:2: redirect needs from and to"),
    ('redirect { from = "/a", to = "b" }', "vhost.lua:2: redirect: to: it must begin with / or be an http:// or https:// URI"),
    ('redirect { from = "/*", to = "https://*" }', "the host of the target may not depend on the request"),
    ('redirect { from = "/a", to = "/b", status = 200 }', "vhost.lua:2: redirect: status is 301, 302, 303, 307 or 308"),
    ('errors { [404] = "none.html" }', 'vhost.lua:2: errors: [404] = "none.html": there is no such file, here or in public/'),
    ('errors { ["404"] = "x" }', "vhost.lua:2: errors: 404 is no status from 400 to 599; write [404] = ..."),
    ("site.uid = 0", "vhost.lua:2: site cannot be changed"),
    ("x = = 1", "vhost.lua:2: unexpected symbol near '='"),
    ("error('mine')", "vhost.lua:2: mine"),
    ('require "none"', "module 'none' not found"),
    ('require "luttpd.none"', "module 'luttpd.none' not found"),
    ("while true do end", "vhost.lua:2:"),
]


@pytest.mark.parametrize("line, message", MISTAKES)
def test_mistake_is_told_with_its_line_and_a_hint(start, line, message):
    site = start("-- first line\n" + line, {"public/index.html": "home"})
    site.await_log(message)
    site.await_log("every answer is 500 until it is mended")
    answer = site.ask("GET", "/")
    assert answer.status == 500
    assert "vhost.lua" not in answer.text()


def test_site_without_vhost_lua_serves_public(tmp_path):
    site = Site(tmp_path, {"public/index.html": "home"})
    try:
        site.start()
        assert site.ask("GET", "/").body == b"home"
        assert site.ask("GET", "/vhost.lua").status == 404
    finally:
        site.remove()


def test_site_without_anything_answers_404_and_says_so(tmp_path):
    site = Site(tmp_path)
    try:
        site.start()
        assert site.ask("GET", "/").status == 404
        site.await_log("neither vhost.lua nor a directory public/")
    finally:
        site.remove()


def test_vhost_lua_that_is_no_ordinary_file_breaks_only_itself(tmp_path):
    site = Site(tmp_path)
    (site.root / "vhost.lua").symlink_to("/etc/passwd")
    try:
        site.start()
        assert site.ask("GET", "/").status == 500
        site.await_log("vhost.lua: ")
    finally:
        site.remove()


# req ------------------------------------------------------------------------------------------------

SHOW = """
local function show(req, res)
  res:json { method = req.method, path = req.path, query_string = req.query_string, query = req.query, host = req.host,
    address = req.address, port = req.port, scheme = req.scheme, length = req.length, params = req.params,
    agent = req.headers["User-Agent"], cookie = req.headers.cookie, accept = req.headers.ACCEPT, none = req.headers.none }
end
get "/show/:what/*" (show)
"""


def test_request_shows_what_was_asked(start):
    import json
    site = start(SHOW)
    answer = site.ask("GET", "/show/a/b/c d", query=b"a=1&b=%41+b&a=2&c&d=%zz", fields=[
        ("user-agent", "me"), ("cookie", "a=1"), ("cookie", "b=2"), ("accept", "x"), ("accept", "y")])
    assert answer["content-type"] == "application/json"
    assert json.loads(answer.body) == {
        "method": "GET", "path": "/show/a/b/c d", "query_string": "a=1&b=%41+b&a=2&c&d=%zz",
        "query": {"a": "1", "b": "A b", "c": "", "d": "%zz"}, "host": "test.example", "address": "192.0.2.7", "port": 4711,
        "scheme": "http", "length": 0, "params": {"what": "a", "*": "b/c d"}, "agent": "me", "cookie": "a=1; b=2",
        "accept": "x, y"}


@pytest.mark.parametrize("number, text", [
    (0x0123456789abcdef, b"0123456789abcdef"), (2**64 - 1, b"f" * 16), (10, b"000000000000000a")])
def test_request_has_the_id_that_the_log_shows(start, number, text):
    site = start("""
    get "/now" (function(req, res) res:text(req.id) end)
    post "/later" (function(req, res) req:read_all() res:text(req.id) end)
    """)
    assert site.ask("GET", "/now", request=number).body == text
    other = site.open("POST", "/later", body=True, request=1)
    later = site.open("POST", "/later", body=True, request=number)
    for stream in (other, later):
        site.listener.put("END", stream=stream)
    site.listener.flush()
    assert site.collect(other).body == b"0000000000000001"
    assert site.collect(later).body == text


def test_unknown_field_of_a_request_raises(start):
    site = start('get "/" (function(req, res) res:text(req.pathh) end)')
    assert site.ask("GET", "/").status == 500
    site.await_log('req has no field "pathh"')


def test_request_that_is_over_cannot_be_used(start):
    site = start("""
    local kept
    get "/keep" (function(req, res) kept = { req, res, req.path } res:text "kept" end)
    get "/use" (function(req, res) res:text(kept[1].path .. tostring(pcall(function() return kept[1].method end))) end)
    get "/answer" (function(req, res) kept[2]:text "again" end)
    """)
    site.ask("GET", "/keep")
    assert site.ask("GET", "/use").body == b"/keepfalse"
    assert site.ask("GET", "/answer").status == 500
    site.await_log("this request is over")


UPLOAD = """
post "/count" (function(req, res)
  local bytes, chunks = 0, 0
  for chunk in req:body() do bytes, chunks = bytes + #chunk, chunks + 1 end
  res:text(("%d %s"):format(bytes, chunks > 1 and "chunks" or "chunk"))
end)
post "/echo" (function(req, res) for chunk in req:body() do res:write(chunk) end end)
post "/all" (function(req, res)
  local text, message, code = req:read_all(1000)
  if not text then return res:status(code):text(message) end
  res:text(text)
end)
post "/form" (function(req, res) local f = req:form() res:text(f.name .. "/" .. f.text) end)
post "/json" (function(req, res)
  local value, message, code = req:json()
  if value == nil then return res:status(code):text(message) end
  res:json { got = value }
end)
post "/ignore" (function(req, res) res:text "no, thank you" end)
"""


def test_body_is_streamed_with_credit(start):
    site = start(UPLOAD)
    stream = site.open("POST", "/count", body=True)
    sent, credit = 0, 32768
    while sent < 1_000_000:
        piece = min(16384, credit, 1_000_000 - sent)
        if piece:
            site.listener.put("BODY", stream=stream, data=b"x" * piece)
            site.listener.flush()
            sent, credit = sent + piece, credit - piece
        if credit < 16384:
            credit += site.listener.read_until("CREDIT")["bytes"]
            assert credit <= 32768
    site.listener.put("END", stream=stream)
    site.listener.flush()
    assert site.collect(stream).body == b"1000000 chunks"


def test_body_comes_back_as_it_goes(start):
    site = start(UPLOAD)
    stream = site.open("POST", "/echo", body=True)
    for piece in (b"one", b"two"):
        site.listener.put("BODY", stream=stream, data=piece)
        site.listener.flush()
        assert site.listener.read_until("BODY")["data"] == piece
    site.listener.put("END", stream=stream)
    site.listener.flush()
    assert site.listener.read() == ("END", {"stream": stream})


def test_interleaved_bodies_stay_apart(start):
    site = start(UPLOAD)
    streams = [site.open("POST", "/all", body=True) for _ in range(20)]
    for turn in range(5):
        for number, stream in enumerate(streams):
            site.listener.put("BODY", stream=stream, data=b"%d." % (number * 10 + turn))
        site.listener.flush()
    for number, stream in enumerate(streams):
        site.listener.put("END", stream=stream)
        site.listener.flush()
        assert site.collect(stream).body == b"".join(b"%d." % (number * 10 + turn) for turn in range(5))


def test_body_has_a_limit_when_read_at_once(start):
    site = start(UPLOAD)
    assert site.ask("POST", "/all", b"x" * 1000).body == b"x" * 1000
    answer = site.ask("POST", "/all", b"x" * 1001)
    assert (answer.status, answer.body) == (413, b"the content is larger than 1000 bytes")
    stream = site.open("POST", "/all", body=True)
    site.listener.put("BODY", stream=stream, data=b"x" * 1001)
    site.listener.flush()
    assert site.collect(stream).status == 413


def test_forms_and_json_are_parsed(start):
    site = start(UPLOAD)
    assert site.ask("POST", "/form", b"name=ann+b&text=%C3%A4%26").text() == "ann b/ä&"
    assert site.ask("POST", "/json", b' {"a":[1,2.5,"\\u00e4\\ud83d\\ude00",null,[]]} ').text() == \
        '{"got":{"a":[1,2.5,"ä😀",null,[]]}}'
    answer = site.ask("POST", "/json", b'{"a":01}')
    assert (answer.status, answer.text()) == (400, "a number is malformed at byte 8")


def test_unread_body_does_not_hold_up_the_answer(start):
    site = start(UPLOAD)
    stream = site.open("POST", "/ignore", body=True)
    site.listener.flush()
    assert site.collect(stream).body == b"no, thank you"
    site.listener.put("BODY", stream=stream, data=b"late")
    site.listener.put("END", stream=stream)
    assert site.ask("POST", "/count", b"").body == b"0 chunk"


# res ------------------------------------------------------------------------------------------------

def test_answer_carries_status_headers_and_content(start):
    site = start("""
    get "/" (function(req, res)
      res:status(201):header("X-One", " 1 "):header("x-one", "2"):header("Set-Cookie", { "a=1", "b=2" })
      res:header("x-gone", "x"):header("X-GONE", nil)
      res:html "<p>made</p>"
    end)
    get "/empty" (function(req, res) res:status(204) end)
    get "/type" (function(req, res) res:header("content-type", "text/x-mine"):text "x" end)
    """)
    answer = site.ask("GET", "/")
    assert (answer.status, answer.body, answer["x-one"]) == (201, b"<p>made</p>", "2")
    assert answer["set-cookie"] == "a=1, b=2"
    assert answer["x-gone"] is None
    assert answer["content-type"] == "text/html; charset=utf-8"
    answer = site.ask("GET", "/empty")
    assert (answer.status, answer.body) == (204, b"")
    assert site.ask("GET", "/type")["content-type"] == "text/x-mine"


@pytest.mark.parametrize("call, message", [
    ('res:header("X-A", "b\\r\\nset-cookie: evil=1")', "a header's value holds a control character"),
    ('res:header("X-A", "b\\0")', "a header's value holds a control character"),
    ('res:header("X-A: b\\r\\nX-B", "c")', "a header's name is made of letters, digits and -"),
    ('res:header("", "c")', "a header's name is made of"),
    ('res:header("Content-Length", "5")', "this header is the server's own to write"),
    ('res:header("transfer-encoding", "chunked")', "this header is the server's own to write"),
    ('res:status(100)', "a status is a whole number from 200 to 599"),
    ('res:status(200.5)', "a status is a whole number from 200 to 599"),
    ('res:status "x"', "number expected"),
    ('res.text("x")', "call it with a colon"),
    ('res:text()', "string expected"),
    ('res:text "a" res:text "b"', "this request has been answered already"),
    ('res:write "a" res:status(404)', "the head of this answer has been sent already"),
    ('res:json(function() end)', "json: a function, coroutine or other value has no form in JSON"),
    ('res:json { 1, 2, x = 3 }', "json: a table has keys that are neither 1..n nor all strings"),
    ('local t = {} t.t = t res:json(t)', "nested more than 64 deep, or contain themselves"),
    ('res:json("\\255")', "json: a string is not UTF-8"),
    ('res:json(0/0)', "json: a number is infinite or not a number"),
    ('res:redirect("/x", 200)', "the status of a redirect is 301"),
    ('for i = 1, 65 do res:header("x-" .. i, "y") end', "a response may have 64 headers"),
    ('res:header("x", ("y"):rep(20000))', "a response may have 64 headers and 12 KiB"),
    ('nosuch()', 'there is no "nosuch"'),
    ('req.headers = 5 res:text(req.headers.x)', "attempt to index field 'headers'"),
    ('get "/late" (function() end)', "get may only be used while vhost.lua loads"),
    ('error({})', "vhost.lua:1"),
    ('coroutine.yield()', "yield"),
])
def test_mistake_in_a_handler_is_500_and_in_the_log(start, call, message):
    site = start(f'get "/" (function(req, res) {call} end)\nget "/ok" (function(req, res) res:text "ok" end)')
    answer = site.ask("GET", "/")
    assert answer.status == 500 or answer.reset == "internal"
    assert b"vhost.lua" not in answer.body and b"evil" not in answer.body
    site.await_log(message)
    assert site.ask("GET", "/ok").body == b"ok"


def test_failure_is_logged_with_file_line_and_traceback(start):
    site = start("""
    local function deep(x) return x.y.z end
    get "/boom/:id" (function(req, res)
      local n = deep({})
      res:text(n)
    end)
    """)
    answer = site.ask("GET", "/boom/1")
    assert answer.status == 500 and "boom" not in answer.text() and "deep" not in answer.text()
    site.await_log("stack traceback:")
    log = site.log()
    assert "error: vhost.lua:2: attempt to index field 'y' (a nil value)" in log
    assert "vhost.lua:3, during GET /boom/1" in log
    assert "stack traceback:" in log and "vhost.lua:4" in log


def test_failure_after_the_head_resets_the_stream(start):
    site = start('get "/" (function(req, res) res:write "begun" error "late" end)')
    answer = site.ask("GET", "/")
    assert (answer.status, answer.body, answer.reset) == (200, b"begun", "internal")


def test_handler_that_answers_nothing_is_500_and_says_so(start):
    site = start('get "/" (function(req, res) end)')
    assert site.ask("GET", "/").status == 500
    site.await_log("vhost.lua:1: the function returned without an answer")


def test_output_is_streamed_with_credit(start):
    site = start("""
    get "/" (function(req, res)
      for i = 1, 100 do res:write(("%09d\\n"):format(i):rep(1000)) end
    end)
    get "/big" (function(req, res) res:text(("x"):rep(1000000)) end)
    """)
    stream = site.open("GET", "/")
    site.listener.flush()
    head = site.listener.read_until("HEAD")
    assert head["content_length"] == 2**64 - 1
    got = 0
    while got < 32768:
        got += len(site.listener.read()[1]["data"])
    assert got == 32768
    with pytest.raises(AssertionError):
        site.listener.read(seconds=0.1)  # no credit, so nothing more
    site.listener.put("CREDIT", stream=stream, bytes=2_000_000)
    site.listener.flush()
    while got < 1_000_000:
        got += len(site.listener.read_until("BODY")["data"])
    assert site.listener.read()[0] == "END"
    assert len(site.ask("GET", "/big").body) == 1000000


def test_redirect_and_error_from_a_handler(start):
    site = start("""
    get "/go" (function(req, res) res:redirect("/a b\\r\\n?x=1#y") end)
    get "/see" (function(req, res) res:redirect("https://x.example/", 303) end)
    get "/none" (function(req, res) res:error(404) end)
    errors { [404] = function(req, res) res:text("no " .. req.path) end }
    """)
    answer = site.ask("GET", "/go")
    assert (answer.status, answer["location"], answer.length) == (302, "/a%20b%0D%0A?x=1#y", 0)
    assert site.ask("GET", "/see").status == 303
    for path in ("/none", "/never"):
        answer = site.ask("GET", path)
        assert (answer.status, answer.text()) == (404, "no " + path)


# Methods and errors ----------------------------------------------------------------------------------

METHODS = """
get "/a" (function(req, res) res:text(req.method) end)
post "/a" (function(req, res) res:text "posted" end)
any "/any" (function(req, res) res:text(req.method) end)
options "/own" (function(req, res) res:text "mine" end)
get "/own" (function(req, res) res:text "x" end)
"""


def test_methods_are_told_apart(start):
    site = start(METHODS)
    assert site.ask("GET", "/a").body == b"GET"
    assert site.ask("POST", "/a").body == b"posted"
    answer = site.ask("DELETE", "/a")
    assert (answer.status, answer["allow"]) == (405, "GET, HEAD, POST, OPTIONS")
    answer = site.ask("OPTIONS", "/a")
    assert (answer.status, answer["allow"], answer.body) == (204, "GET, HEAD, POST, OPTIONS", b"")
    assert site.ask("PROPFIND", "/any").body == b"PROPFIND"
    assert site.ask("OPTIONS", "/own").body == b"mine"
    assert site.ask("PROPFIND", "/a").status == 405


def test_head_runs_the_get_handler_without_content(start):
    site = start(METHODS)
    answer = site.ask("HEAD", "/a")
    assert (answer.status, answer.length, answer.body) == (200, 4, b"")


def test_error_pages_come_from_files_and_functions(start):
    site = start("""
    errors { [404] = "404.html", [405] = function(req, res) res:header("x", "y"):text("not " .. req.method) end }
    errors { [500] = function(req, res) error "again" end }
    get "/boom" (function() error "first" end)
    """, {"404.html": "<h1>nope</h1>"})
    answer = site.ask("GET", "/none")
    assert (answer.status, answer.text(), answer["content-type"]) == (404, "<h1>nope</h1>", "text/html; charset=utf-8")
    answer = site.ask("POST", "/boom")
    assert (answer.status, answer.text(), answer["allow"], answer["x"]) == (405, "not POST", "GET, HEAD, OPTIONS", "y")
    answer = site.ask("GET", "/boom")
    assert answer.status == 500 and "Internal Server Error" in answer.text()
    site.await_log("first")
    site.await_log("again")
    assert site.ask("HEAD", "/none").body == b""


def test_plain_error_pages_name_the_request_as_html_or_json(start):
    import json
    site = start('get "/page" (function(req, res) res:text "x" end)')
    plain = site.ask("GET", "/none", request=0xabc, fields=[("accept", "text/html,*/*;q=0.8")])
    assert (plain.status, plain["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Request 0000000000000abc" in plain.text() and plain["cache-control"] == "no-store"
    assert plain.length == len(plain.body)
    machine = site.ask("GET", "/none", request=0xabc, fields=[("x", "y"), ("accept", "application/json, */*")])
    assert (machine.status, machine["content-type"], machine["cache-control"]) == (404, "application/json", "no-store")
    assert json.loads(machine.body) == {"status": 404, "title": "Not Found", "request": "0000000000000abc"}
    refused = site.ask("POST", "/page", request=0xabc, fields=[("accept", "application/json")])
    assert (refused.status, refused["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert json.loads(refused.body)["request"] == "0000000000000abc"


def test_owners_error_log_names_the_request(start):
    site = start("""
    errors { [404] = "missing.html" }
    get "/boom" (function() error "mine" end)
    get "/nothing" (function() end)
    """, {"missing.html": "soon gone"})
    (site.root / "missing.html").unlink()
    for number, path in ((0xb1, "/boom"), (0xb2, "/nothing"), (0xb3, "/none")):
        site.ask("GET", path, request=number)
    site.await_log("mine (vhost.lua:3, during GET /boom, request 00000000000000b1)")
    site.await_log("another method of res (request 00000000000000b2)")
    site.await_log('the error page "missing.html" cannot be opened (request 00000000000000b3)')


def test_long_paths_do_not_push_the_id_out_of_the_log(start):
    site = start('get "/*" (function() error "mine" end)')
    site.ask("GET", "/" + "a" * 3000, request=0xb4)
    site.await_log(", request 00000000000000b4)")


# Budgets and ends --------------------------------------------------------------------------------------

def test_endless_loops_end_and_others_are_answered(start):
    site = start("""
    get "/spin" (function() while true do end end)
    get "/trap" (function() while true do pcall(function() while true do end end) end end)
    get "/grow" (function() local s = "x" while true do s = s .. s end end)
    get "/ok" (function(req, res) res:text "ok" end)
    """, cpu_ms=50, memory_bytes=16 * 1024 * 1024)
    for path in ("/spin", "/trap", "/grow"):
        assert site.ask("GET", path).status == 500
        assert site.ask("GET", "/ok").body == b"ok"
    site.await_log("during GET /grow")
    assert site.log().count("during GET") == 3


def test_wait_for_content_ends_with_408(start):
    site = start(UPLOAD, wall_ms=100)
    stream = site.open("POST", "/count", body=True)
    site.listener.flush()
    assert site.collect(stream).status == 408
    assert site.ask("POST", "/count", b"x").body == b"1 chunk"


def test_wait_for_a_reader_ends_with_a_reset(start):
    site = start('get "/" (function(req, res) for i = 1, 100 do res:write(("x"):rep(10000)) end end)', wall_ms=100)
    stream = site.open("GET", "/")
    site.listener.flush()
    assert site.collect(stream, grant=False).reset == "timeout"


def test_cancelled_request_ends_its_handler(start):
    site = start(UPLOAD)
    for _ in range(200):
        stream = site.open("POST", "/count", body=True)
        site.listener.put("BODY", stream=stream, data=b"x" * 10)
        site.listener.put("RESET", stream=stream, reason="cancelled")
        site.listener.flush()
    assert site.ask("POST", "/count", b"x").body == b"1 chunk"
    assert site.log() == ""


def test_stop_lets_what_is_open_finish(start):
    import codec
    site = start(UPLOAD)
    stream = site.open("POST", "/count", body=True)
    site.listener.put("BODY", stream=stream, data=b"x" * 10)
    site.listener.flush()
    codec.send(site.control, "STOP", drain_ms=5000)
    site.listener.put("END", stream=stream)
    site.listener.flush()
    assert site.collect(stream).body == b"10 chunk"
    assert site.wait() == 0


def test_stop_waits_no_longer_than_told(start):
    import codec
    site = start(UPLOAD)
    site.open("POST", "/count", body=True)
    site.listener.flush()
    codec.send(site.control, "STOP", drain_ms=100)
    assert site.wait() == 0


def test_vhost_ends_when_master_does(start):
    site = start(UPLOAD)
    site.control.close()
    assert site.wait() == 0


def test_listener_that_breaks_a_rule_is_cut_off_and_the_other_lives(start):
    site = start(METHODS)
    other = site.new_listener(2)
    site.listener.put("BODY", stream=20000, data=b"x")
    site.listener.flush()
    assert site.listener.cut_off()
    assert "listener 1" in site.note()
    site.listener = other
    assert site.ask("GET", "/a").body == b"GET"


# Modules, and what a script may know ---------------------------------------------------------------------

def test_modules_come_from_the_site(start):
    site = start('local blog = require "lib.blog" get "/" (function(req, res) res:text(blog.name()) end)',
                 {"lib/blog.lua": 'local M = {} function M.name() return "blog of " .. site.name end return M'})
    assert site.ask("GET", "/").body == b"blog of test"


def test_module_that_is_a_link_out_of_the_root_is_not_read(start, tmp_path):
    (tmp_path / "outside.lua").write_text("return 'leak'")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "out.lua").symlink_to("../outside.lua")
    site = start('local ok, why = pcall(require, "out") get "/" (function(req, res) res:text(tostring(ok)) end)')
    assert site.ask("GET", "/").body == b"false"


def test_script_knows_its_process_and_the_tree(start):
    import json
    site = start("""
    local processes = require "luttpd.processes"
    get "/" (function(req, res)
      res:json { name = site.name, uid = site.uid, pid = site.pid, generation = site.generation, processes = processes }
    end)
    """)
    told = json.loads(site.ask("GET", "/").body)
    assert (told["name"], told["uid"], told["pid"], told["generation"]) == ("test", 1899000777, site.pid, 3)
    roles = {role["name"]: role for role in told["processes"]}
    assert roles["router"]["uid"] == 12 and roles["vhost"]["uid"] == 1899000777
    assert all(role["never"] and role["holds"].endswith(".") for role in roles.values())


def test_print_goes_to_the_log(start):
    site = start('print("loaded", 1) get "/" (function(req, res) print "asked" res:text "x" end)')
    site.ask("GET", "/")
    site.await_log("asked")
    assert site.log() == "info: loaded\t1\ninfo: asked"


def test_hardened_site_answers_without_executable_memory(start):
    site = start(METHODS, hardened=True)
    assert site.ask("GET", "/a").body == b"GET"


def test_json_library_for_scripts(start):
    site = start("""
    get "/" (function(req, res)
      res:text(json.encode { a = json.array {}, n = json.null } .. json.encode(json.decode '[1,"\\\\n"]')
        .. tostring(select(2, json.decode "[1,]")))
    end)
    """)
    body = site.ask("GET", "/").text()
    assert body in ('{"a":[],"n":null}[1,"\\n"]a number is malformed at byte 4',
                    '{"n":null,"a":[]}[1,"\\n"]a number is malformed at byte 4')
