# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 through the whole server, as bytes on the wire. Each case names its section of RFC 9112 or 9110."""
import email.utils
import socket
import struct
import threading
import time

import pytest


VHOST = """
files "/" { dir = "public" }
get "/hello/:name" (function(req, res) res:text("hello " .. req.params.name) end)
post "/count" (function(req, res)
  local n = 0
  for chunk in req:body() do n = n + #chunk end
  res:text(tostring(n))
end)
post "/echo" (function(req, res)
  res:status(200):header("content-type", "application/octet-stream")
  for chunk in req:body() do res:write(chunk) end
end)
get "/stream" (function(req, res)
  for i = 1, 5 do res:write("part " .. i .. "\\n") end
end)
get "/slow" (function(req, res)
  local t = 0
  for i = 1, 300000 do t = t + i % 7 end
  res:text(("y"):rep(3000))
end)
get "/big" (function(req, res)
  local block = string.rep("x", 10000)
  for i = 1, 1000 do res:write(block) end
end)
post "/ignore" (function(req, res) res:text("did not read it") end)
"""


@pytest.fixture(autouse=True)
def same_processes(site):
    """Whatever a client does, no process of the server dies of it."""
    before = {process.pid for process in site.processes()}
    yield
    assert before == {process.pid for process in site.processes()}


@pytest.fixture(scope="module")
def site(module_server):
    module_server.add_site("alice", hosts=["alice.test", "*.wild.test"], default=True,
                           files={"vhost.lua": VHOST, "public/index.html": "<p>index</p>", "public/1k.txt": "k" * 1024})
    module_server.add_site("hasty", hosts=["hasty.test"], files={"vhost.lua": VHOST, "public/index.html": ""},
                           extra='limits = { wall = "1s" }')
    module_server.start()
    return module_server


def exchange(site, request, responses=1, timeout=20):
    """Sends bytes on one connection; returns that many parsed (head, body)."""
    with site.connect(timeout) as connection:
        connection.sendall(request)
        stream = connection.makefile("rb")
        return [read_response(stream, head_only=request.startswith(b"HEAD")) for _ in range(responses)]


def read_response(stream, head_only=False):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.readline()
        assert byte, f"the connection ended in a head: {head!r}"
        head += byte
    status = int(head.split()[1])
    fields = dict((line.split(b": ", 1)[0].lower().decode(), line.split(b": ", 1)[1].decode())
                  for line in head.split(b"\r\n")[1:-2])
    if status < 200:
        return read_response(stream, head_only)
    if head_only or status in (204, 304):
        body = b""
    elif fields.get("transfer-encoding") == "chunked":
        body = b""
        while True:
            size = int(stream.readline(), 16)
            body += stream.read(size)
            assert stream.readline() == b"\r\n"
            if size == 0:
                break
    elif "content-length" in fields:
        body = stream.read(int(fields["content-length"]))
    else:
        body = stream.read()
    return status, fields, body


GET = b"GET %s HTTP/1.1\r\nHost: alice.test\r\n\r\n"


def test_get_answers_with_date_length_and_keeps_the_connection(site):  # RFC 9110 6.6.1, 9112 9.3
    (status, fields, body), second = exchange(site, GET % b"/hello/you" + GET % b"/1k.txt", 2)
    assert (status, body) == (200, b"hello you")
    assert abs(email.utils.parsedate_to_datetime(fields["date"]).timestamp() - time.time()) < 5
    assert fields["content-length"] == "9"
    assert "transfer-encoding" not in fields and fields.get("connection") != "close"
    assert second[2] == b"k" * 1024


def test_head_is_get_without_content(site):  # RFC 9110 9.3.2
    status, fields, body = exchange(site, b"HEAD /1k.txt HTTP/1.1\r\nHost: alice.test\r\n\r\n")[0]
    assert (status, fields["content-length"], body) == (200, "1024", b"")
    reply = site.raw(b"HEAD /1k.txt HTTP/1.1\r\nHost: alice.test\r\nConnection: close\r\n\r\n")
    assert reply.endswith(b"\r\n\r\n")


def test_pipelined_requests_are_answered_in_order(site):  # RFC 9112 9.3.2
    names = [b"n%d" % i for i in range(200)]
    replies = exchange(site, b"".join(GET % (b"/hello/" + n if i % 3 else b"/1k.txt") for i, n in enumerate(names)), 200)
    for i, (status, _, body) in enumerate(replies):
        assert status == 200
        assert body == (b"hello " + names[i] if i % 3 else b"k" * 1024)


def test_http10_closes_and_gets_no_chunks(site):  # RFC 9112 2.3, 9110 6.2
    reply = site.raw(b"GET /stream HTTP/1.0\r\nHost: alice.test\r\n\r\n")
    head, body = reply.split(b"\r\n\r\n", 1)
    assert b"chunked" not in head.lower()
    assert body == b"".join(b"part %d\n" % i for i in range(1, 6))


def test_http10_without_host_gets_the_default_vhost(site):
    assert b"hello old" in site.raw(b"GET /hello/old HTTP/1.0\r\n\r\n")


def test_http10_keep_alive_is_kept_when_asked_for(site):  # RFC 9112 9.3
    request = b"GET /hello/a HTTP/1.0\r\nHost: alice.test\r\nConnection: keep-alive\r\n\r\n"
    replies = exchange(site, request * 2, 2)
    assert [body for _, _, body in replies] == [b"hello a"] * 2
    assert replies[0][1]["connection"].lower() == "keep-alive"


def test_connection_close_is_obeyed(site):  # RFC 9112 9.6
    reply = site.raw(b"GET /hello/a HTTP/1.1\r\nHost: alice.test\r\nConnection: close\r\n\r\n" + GET % b"/hello/b")
    assert b"hello a" in reply and b"hello b" not in reply
    assert b"connection: close" in reply.lower()


def test_streamed_answer_is_chunked(site):  # RFC 9112 7.1
    status, fields, body = exchange(site, GET % b"/stream")[0]
    assert (status, fields["transfer-encoding"]) == (200, "chunked")
    assert body == b"".join(b"part %d\n" % i for i in range(1, 6))


def test_large_streamed_answer_arrives_whole_when_client_is_slow(site):
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.connect(("127.0.0.1", site.port))
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: hasty.test\r\n\r\n")
        reply = b""
        while not reply.endswith(b"\r\n0\r\n\r\n"):  # slower than the site's deadline for a request
            part = connection.recv(300_000)
            assert part, "cut short"
            reply += part
            time.sleep(0.05)
    assert reply.split(b"\r\n\r\n", 1)[1].count(b"x") == 10_000_000


@pytest.mark.parametrize("size", [0, 1, 1000, 32768, 32769, 300_000])
def test_content_length_body_is_streamed_both_ways(site, size):  # RFC 9112 6.2
    body = bytes(i * 7 & 255 for i in range(size))
    request = b"POST %s HTTP/1.1\r\nHost: alice.test\r\nContent-Length: %d\r\n\r\n"
    replies = exchange(site, request % (b"/count", size) + body + request % (b"/echo", size) + body, 2)
    assert replies[0][2] == b"%d" % size
    assert replies[1][2] == body


@pytest.mark.parametrize("size,chunk", [(0, 1), (1, 1), (5000, 17), (300_000, 70_000)])
def test_chunked_body_is_decoded(site, size, chunk):  # RFC 9112 7.1
    body = bytes(i * 3 & 255 for i in range(size))
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(body[i:i + chunk]), body[i:i + chunk]) for i in range(0, size, chunk))
    request = b"POST /echo HTTP/1.1\r\nHost: alice.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX-Sum: x\r\n\r\n"
    replies = exchange(site, request + GET % b"/hello/after", 2)
    assert replies[0][2] == body
    assert replies[1][2] == b"hello after"


def test_request_split_at_every_byte_is_the_same_request(site):
    request = b"POST /echo HTTP/1.1\r\nHost: alice.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    for at in range(1, len(request)):
        with site.connect() as connection:
            connection.sendall(request[:at])
            time.sleep(0.002)
            connection.sendall(request[at:])
            assert read_response(connection.makefile("rb"))[2] == b"abc", f"split at {at}"


def test_expectation_is_met_with_100(site):  # RFC 9110 10.1.1
    with site.connect() as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: alice.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert read_response(connection.makefile("rb"))[2] == b"3"


def test_unread_body_does_not_reach_the_next_request(site):
    body = GET % b"/hello/smuggled"
    request = b"POST /ignore HTTP/1.1\r\nHost: alice.test\r\nContent-Length: %d\r\n\r\n" % len(body)
    reply = site.raw(request + body + GET % b"/hello/honest")
    assert b"did not read it" in reply and b"smuggled" not in reply


@pytest.mark.parametrize("request_bytes,status,why", [
    (b"GET / HTTP/1.1\r\n\r\n", 400, "RFC 9112 3.2: no Host"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "RFC 9112 3.2: two Hosts"),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "RFC 9112 5.1: space before colon"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400, "RFC 9112 5.2: obs-fold"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400, "RFC 9110 5.5: NUL"),
    (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "RFC 9110 15.6.6: version"),
    (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "RFC 9112 3: two spaces"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "RFC 9112 6.1: both"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400, "RFC 9110 8.6: sign"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "RFC 9112 6.1: unknown coding"),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "RFC 9112 3: target too long"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431, "RFC 6585 5: head too large"),
    (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400, "leaves the root"),
])
def test_what_is_wrong_is_refused_and_the_connection_closed(site, request_bytes, status, why):
    reply = site.raw(request_bytes + GET % b"/hello/after")
    assert reply.startswith(b"HTTP/1.1 %d " % status), why
    assert b"hello after" not in reply, "framing is in doubt: nothing behind it may be believed"


def test_wrong_chunk_ends_the_connection(site):  # RFC 9112 7.1
    reply = site.raw(b"POST /count HTTP/1.1\r\nHost: alice.test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + GET % b"/hello/x")
    assert reply.startswith(b"HTTP/1.1 400 ") and b"hello x" not in reply


def test_method_that_no_route_knows_is_405_with_allow(site):  # RFC 9110 15.5.6
    status, fields, _ = exchange(site, b"DELETE /hello/x HTTP/1.1\r\nHost: alice.test\r\n\r\n")[0]
    assert status == 405 and "GET" in fields["allow"]


def test_options_asterisk_is_answered(site):  # RFC 9110 9.3.7
    assert exchange(site, b"OPTIONS * HTTP/1.1\r\nHost: alice.test\r\n\r\n")[0][0] == 200


def test_absolute_form_overrules_host(site):  # RFC 9112 3.2.2
    assert exchange(site, b"GET http://alice.test/hello/abs HTTP/1.1\r\nHost: other\r\n\r\n")[0][2] == b"hello abs"


def test_http2_preface_is_refused_in_its_own_language(site):  # RFC 9113 3.4
    reply = site.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert reply[3:4] == b"\x04" and b"\x07" in reply, "SETTINGS, then GOAWAY"


def test_client_that_closes_its_half_still_gets_the_answer(site):
    assert b"hello half" in site.raw(GET % b"/hello/half")


def test_thousand_connections_at_once(site):
    sources = [(f"127.0.0.{number % 4 + 1}", 0) for number in range(1000)]  # more than one address may have
    connections = [socket.create_connection(("127.0.0.1", site.port), 20, source) for source in sources]
    try:
        for connection in connections:
            connection.sendall(GET % b"/hello/crowd")
        for connection in connections:
            assert read_response(connection.makefile("rb"))[2] == b"hello crowd"
    finally:
        for connection in connections:
            connection.close()


def test_abandoned_requests_leave_nothing_behind(site):
    listener, vhost = site.process("listener"), site.process("vhost", "alice")
    before = len(listener.descriptors()) + 2, len(vhost.descriptors()) + 2
    for i in range(300):
        connection = site.connect()
        connection.sendall((GET % b"/big" if i % 2 else b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\nabc"))
        connection.close()
    deadline = time.monotonic() + 20
    while len(listener.descriptors()) > before[0] or len(vhost.descriptors()) > before[1]:
        assert time.monotonic() < deadline, "descriptors leak"
        time.sleep(0.1)
    assert exchange(site, GET % b"/hello/still")[0][2] == b"hello still"
    assert site.process("listener").pid == listener.pid and site.process("vhost", "alice").pid == vhost.pid


def test_aborted_requests_disturb_no_other(site):
    """Streams that clients abandon are reset; their slots are used again while late answers still come."""
    stop = time.monotonic() + 2
    failures = []

    def abandon():
        while time.monotonic() < stop:
            with site.connect() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(GET % b"/slow")
                time.sleep(0.0003)

    def ask():
        while time.monotonic() < stop:
            reply = site.raw(b"GET /slow HTTP/1.1\r\nHost: alice.test\r\nConnection: close\r\n\r\n")
            if not reply.startswith(b"HTTP/1.1 200") or not reply.endswith(b"y" * 3000):
                failures.append((len(reply), reply[:300], reply[-20:]))

    threads = [threading.Thread(target=work) for work in [abandon] * 8 + [ask] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert "broke a rule" not in site.stderr
