# SPDX-License-Identifier: Apache-2.0
"""What a listener allows its clients: time, rates, sizes, numbers. One server whose listen statements differ
in one limit each; a second is how exactly the listener looks at the clock."""
import concurrent.futures
import contextlib
import json
import re
import signal
import socket
import struct
import time

import pytest

from server import PATIENCE, SANITIZED, Server, read_all, wait_until

BIG = 4 * 1024 * 1024
GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
SITE = """
local big = ("x"):rep(65536)
get "/hello" (function(req, res) res:text "hello" end)
get "/who" (function(req, res) res:json { address = req.address, port = req.port, scheme = req.scheme } end)
get "/fields" (function(req, res) res:json { forwarded = req.headers.forwarded or "none" } end)
post "/count" (function(req, res)
  local n = 0
  for part in req:body() do n = n + #part end
  res:text(n .. " bytes")
end)
get "/content" (function(req, res) for _ in req:body() do end res:text "all" end)
post "/early" (function(req, res) res:write "early" ; for _ in req:body() do end res:write " late" end)
get "/stream" (function(req, res) for _ = 1, 64 do res:write(big) end end)
files "/" { dir = "public" }
"""

LISTENS = {  # name: (limits, what else the statement says)
    "plain": ("", ""),
    "hasty": ('head_time = "2s", idle_time = "2s"', ""),
    "rates": ('body_rate = "100KB", send_rate = "100KB", head_time = "60s"', ""),
    "small": ('body = "1000B", head = "1KB", target = "100B", fields = 5, requests = 3', ""),
    "full": ("connections = 3", ""),
    "alone": ("address_connections = 2", ""),
    "proxied": ('head_time = "2s", address_connections = 2', 'proxy_protocol = { "127.0.0.1" }'),
    "trusting": ("address_connections = 2", 'proxies = { "127.0.0.2" }'),
}


@pytest.fixture(scope="module", name="site")
def fixture_site():
    server = Server()
    server.listens = [f'listen {{ "127.0.0.1:0", limits = {{ {limits} }}, {rest} }}' for limits, rest in LISTENS.values()]
    server.add_site("alice", default=True, extra='limits = { wall = "60s" }',
                    files={"vhost.lua": SITE, "public/big.bin": bytes(BIG)})
    server.start()
    yield server
    server.remove()


def port_of(site, name):
    return int(site.addresses[list(LISTENS).index(name)].rpartition(":")[2])


def connect(site, name, source="127.0.0.1", window=None):
    client = socket.socket()
    client.settimeout(PATIENCE * 2)
    if window is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    client.bind((source, 0))
    client.connect(("127.0.0.1", port_of(site, name)))
    return client


def ask(client, request=GET):
    """One answer with a content length, as (head, content)."""
    client.sendall(request)
    return read_answer(client)


def read_answer(client):
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65536)
        assert part, f"the connection ended: {data!r}"
        data += part
    head, _, content = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
    while len(content) < length:
        content += client.recv(65536)
    return head, content


def status_of(reply):
    return int(reply[9:12])


def timed(function):
    """(what it returns, seconds)"""
    begin = time.monotonic()
    return function(), time.monotonic() - begin


def until_closed(client, *sent, pause=0.0):
    """Sends, then reads until the server closes: (bytes, seconds since the first was sent)."""
    begin = time.monotonic()
    for data in sent:
        client.sendall(data)
        time.sleep(pause)
    data = read_all(client)
    client.close()
    return data, time.monotonic() - begin


# Time --------------------------------------------------------------------------------------------------


def silent(site):
    return until_closed(connect(site, "hasty"))


def half_a_head(site):
    return until_closed(connect(site, "hasty"), b"GET / HTTP/1.1\r\nHo")


def head_byte_by_byte(site):
    return until_closed(connect(site, "hasty"), *(bytes([byte]) for byte in b"GET / HTTP/1"), pause=0.16)


def idle(site):
    client = connect(site, "hasty")
    ask(client)
    return until_closed(client)


def second_head(site):
    """Its time counts from its own first byte, not from when the connection came."""
    client = connect(site, "hasty")
    ask(client)
    time.sleep(1.2)
    return until_closed(client, b"GET / HT")


def test_time_for_heads_and_between_requests(site):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        cases = {case: pool.submit(case, site) for case in (silent, half_a_head, head_byte_by_byte, idle, second_head)}
        for case, outcome in cases.items():
            data, seconds = outcome.result()
            assert 1.0 <= seconds < 5, (case, seconds)
            if case in (silent, idle):
                assert data == b"", case
            else:
                assert status_of(data) == 408 and b"connection: close" in data.lower(), (case, data)


def test_connection_in_use_outlives_every_deadline(site):
    with connect(site, "hasty") as client:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            assert ask(client)[1] == b"hello"
            time.sleep(0.5)


def test_answer_that_takes_long_is_not_the_clients_fault(site):
    """Neither limit counts while the vhost takes no more of the body, or says nothing."""
    with connect(site, "hasty") as client:
        head, content = ask(client, b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
        assert content == b"4 bytes", head


# Rates ---------------------------------------------------------------------------------------------------

POST = b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n"


def slow_body(site):
    client = connect(site, "rates")
    client.sendall(POST)
    begin, data = time.monotonic(), b""
    client.settimeout(0.1)
    while time.monotonic() < begin + 30 and not data:
        with contextlib.suppress(TimeoutError):
            client.sendall(bytes(1000))  # a tenth of the rate
            data = client.recv(4096)
    return data, time.monotonic() - begin


def stalled_body(site):
    return until_closed(connect(site, "rates"), POST + bytes(1000))


def body_behind_an_answer(site):
    """Too late for another status: the connection is cut."""
    return until_closed(connect(site, "rates"), POST.replace(b"count", b"early") + bytes(1000))


def fast_enough_body(site):
    client = connect(site, "rates")
    client.sendall(POST.replace(b"10000000", b"3000000"))
    begin = time.monotonic()
    for _ in range(15):
        client.sendall(bytes(200000))
        time.sleep(1)
    return read_answer(client)[1], time.monotonic() - begin


def unread_file(site, path=b"/big.bin"):
    client = connect(site, "rates", window=4096)
    client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(17)
    data, seconds = timed(lambda: read_all(client))
    client.close()
    return data, seconds


def unread_stream(site):
    return unread_file(site, b"/stream")


def slowly_read_file(site):
    """Twice as fast as it must be."""
    client = connect(site, "rates", window=65536)
    client.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    begin, n = time.monotonic(), 0
    while time.monotonic() < begin + 15:
        n += len(client.recv(20000))
        time.sleep(0.1)
    return n + len(read_all(client)), time.monotonic() - begin


@pytest.fixture(scope="module", name="rates")
def fixture_rates(site):
    cases = (slow_body, stalled_body, body_behind_an_answer, fast_enough_body, unread_file, unread_stream, slowly_read_file)
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        futures = {case: pool.submit(case, site) for case in cases}
        return {case: future.result() for case, future in futures.items()}


@pytest.mark.parametrize("case", [slow_body, stalled_body])
def test_slow_body_is_408(rates, case):
    data, seconds = rates[case]
    assert status_of(data) == 408, data
    assert 10 <= seconds < 26, seconds


def test_slow_body_behind_an_answer_is_cut(rates):
    data, seconds = rates[body_behind_an_answer]
    assert status_of(data) == 200 and b"early" in data and b"late" not in data and not data.endswith(b"0\r\n\r\n")
    assert 10 <= seconds < 16, seconds


def test_body_above_the_rate_is_taken_however_long_it_lasts(rates):
    content, seconds = rates[fast_enough_body]
    assert content == b"3000000 bytes" and seconds > 14


@pytest.mark.parametrize("case", [unread_file, unread_stream])
def test_client_that_does_not_read_is_cut(rates, case):
    data, seconds = rates[case]
    assert data.startswith(b"HTTP/1.1 200") and len(data) < BIG
    assert seconds < 5  # what was under way, then the end


def test_client_that_reads_above_the_rate_gets_all(rates):
    n, seconds = rates[slowly_read_file]
    assert n > BIG and seconds > 14


# Sizes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status,request_", [
    (413, b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"),
    (413, b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n"),
    (413, b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n"),
    (413, b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"64\r\n" + bytes(100) + b"\r\n" +
     b"385\r\n"),
    (413, b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"),
    (414, b"GET /" + b"x" * 100 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    (431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 5 + b"\r\n"),
    (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1024 + b"\r\n\r\n"),
    (417, b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: miracles\r\n\r\n"),
    (200, b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n" + bytes(1000)),
    (200, b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3e8\r\n" + bytes(1000) +
     b"\r\n0\r\n\r\n"),
])
def test_size(site, status, request_):
    with connect(site, "small") as client:
        client.sendall(request_)
        reply = read_all(client)
        assert status_of(reply) == status, reply
        assert reply.count(b"HTTP/1.1 ") == 1 and b"onnection: close" in reply


def test_vhost_hears_of_a_chunked_body_that_is_too_large(site):
    """It answered before: the client sees that the answer is cut."""
    with connect(site, "small") as client:
        client.sendall(b"POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        data = b""
        while b"early" not in data:
            data += client.recv(4096)
        client.sendall(b"ffff\r\n")
        rest, seconds = timed(lambda: read_all(client))
        assert b"0\r\n\r\n" not in rest and seconds < 5
    assert site.get("/hello").text == "hello"


def test_last_request_of_a_connection_says_so(site):
    with connect(site, "small") as client:
        heads = [ask(client)[0].lower() for _ in range(3)]
        assert [b"connection: close" in head for head in heads] == [False, False, True]
        assert client.recv(1) == b""


def test_pipelined_requests_count_too(site):
    with connect(site, "small") as client:
        client.sendall(GET * 5)
        assert read_all(client).count(b"HTTP/1.1 200") == 3


# Numbers -------------------------------------------------------------------------------------------------


def is_open(client):
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    finally:
        client.settimeout(PATIENCE)


def test_oldest_idle_connection_makes_room(site):
    clients = [connect(site, "full") for _ in range(3)]
    for client in clients:
        ask(client)
    ask(clients[0])  # now the second is the oldest
    with connect(site, "full") as late:
        assert ask(late)[1] == b"hello"
        assert [is_open(client) for client in clients] == [True, False, True]
    for client in clients:
        client.close()


def test_connections_in_use_are_not_closed_for_others(site):
    busy = [connect(site, "full") for _ in range(3)]
    for client in busy:
        client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo")
    time.sleep(0.3)
    late = connect(site, "full")
    late.sendall(GET)
    late.settimeout(0.5)
    with pytest.raises(TimeoutError):
        late.recv(1)
    busy[0].sendall(b"dy")
    assert read_answer(busy[0])[1] == b"4 bytes"
    late.settimeout(PATIENCE)
    assert read_answer(late)[1] == b"hello"  # the one that became idle has made room
    for client in busy[1:]:
        client.sendall(b"dy")
        assert read_answer(client)[1] == b"4 bytes"
    for client in (*busy, late):
        client.close()


def test_one_address_has_so_many_connections(site):
    first = [connect(site, "alone") for _ in range(2)]
    for client in first:
        assert ask(client)[1] == b"hello"
    with connect(site, "alone") as third:
        reply = read_all(third)
        assert status_of(reply) == 429 and b"retry-after: " in reply.lower() and b"connection: close" in reply.lower()
    with connect(site, "alone", "127.0.0.9") as other:
        assert ask(other)[1] == b"hello"
    first[0].close()
    def again():
        with connect(site, "alone") as client:
            return status_of(ask(client)[0]) == 200
    wait_until(again, "its place is free")
    first[1].close()
    wait_until(lambda: "too many from one address" in site.stderr, "a line")


@pytest.mark.parametrize("name,source,begin", [("trusting", "127.0.0.2", b""), ("proxied", "127.0.0.1", b"PROXY UNKNOWN\r\n")])
def test_proxies_speak_for_many_and_are_not_counted(site, name, source, begin):
    clients = [connect(site, name, source) for _ in range(5)]
    for client in clients:
        assert ask(client, begin + GET)[1] == b"hello"
    for client in clients:
        client.close()


# Who asks ------------------------------------------------------------------------------------------------

WHO = b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command, family, content):
    return V2 + bytes([0x20 | command, family]) + struct.pack(">H", len(content)) + content


@pytest.mark.parametrize("header,address,port", [
    (b"PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\n", "192.0.2.7", 1234),
    (b"PROXY TCP6 2001:db8::7 2001:db8::1 1234 80\r\n", "2001:db8::7", 1234),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1", None),
    (v2(1, 0x11, bytes([192, 0, 2, 8, 192, 0, 2, 1]) + struct.pack(">HH", 4321, 80)), "192.0.2.8", 4321),
    (v2(0, 0, b""), "127.0.0.1", None),
])
def test_proxy_header_names_the_client(site, header, address, port):
    for size in (1, 7, 1000):
        with connect(site, "proxied") as client:
            whole = header + WHO
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(whole), size):
                client.sendall(whole[at:at + size])
            who = json.loads(read_answer(client)[1])
            assert who["address"] == address and who["port"] == (port or client.getsockname()[1])
            assert json.loads(ask(client, WHO)[1])["address"] == address  # and of the next request


@pytest.mark.parametrize("data", [GET, b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n" + GET, V2 + b"\x31\x11\0\0"])
def test_without_a_proxy_header_the_connection_ends(site, data):
    with connect(site, "proxied") as client:
        client.sendall(data)
        assert read_all(client) == b""


def test_proxy_header_must_come_in_time(site):
    data, seconds = until_closed(connect(site, "proxied"), b"PROXY TCP4 1.2")
    assert data == b"" and 1 <= seconds < 5
    data, seconds = until_closed(connect(site, "proxied"), b"PROXY UNKNOWN\r\n")
    assert data == b"" and 1 <= seconds < 5
    data, seconds = until_closed(connect(site, "proxied"), b"PROXY UNKNOWN\r\nGET")
    assert status_of(data) == 408 and 1 <= seconds < 5


def test_others_need_no_proxy_header(site):
    with connect(site, "proxied", "127.0.0.5") as client:
        assert json.loads(ask(client, WHO)[1])["address"] == "127.0.0.5"


def test_connections_count_under_the_address_that_a_proxy_names(site):
    def come(last):
        client = connect(site, "proxied")
        client.sendall(b"PROXY TCP4 192.0.2.%d 192.0.2.1 1 80\r\n" % last + GET)
        return client
    clients = [come(last) for last in (50, 50, 51, 50)]
    replies = [status_of(client.recv(4096)) for client in clients]
    for client in clients:
        client.close()
    assert replies == [200, 200, 200, 429]


@pytest.mark.parametrize("source,address", [("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "192.0.2.9")])
def test_forwarded_is_believed_from_named_proxies_only(site, source, address):
    field = b'Forwarded: for="192.0.2.9:99";proto=https\r\n'
    with connect(site, "trusting", source) as client:
        who = json.loads(ask(client, WHO.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n"))[1])
        assert who["address"] == address
        assert who["scheme"] == ("https" if source == "127.0.0.2" else "http")
        seen = json.loads(ask(client, b"GET /fields HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n")[1])["forwarded"]
        assert (seen == "none") == (source == "127.0.0.1")


def test_absolute_https_is_for_trusted_proxies(site):
    request = b"GET https://a/who HTTP/1.1\r\nHost: a\r\n%s\r\n"
    with connect(site, "trusting", "127.0.0.2") as client:
        assert status_of(ask(client, request % b"X-Forwarded-For: 192.0.2.9\r\nX-Forwarded-Proto: https\r\n")[0]) == 200
        assert status_of(ask(client, request % b"")[0]) == 421


# Answers of the listener itself --------------------------------------------------------------------------


def test_error_page_is_what_the_client_prefers_and_names_the_request(site):
    request = b"GET /%s HTTP/1.1\r\nHost: a\r\nAccept: %s\r\n\r\n"
    with connect(site, "small") as client:
        head, content = ask(client, request % (b"x" * 120, b"application/json"))
        assert status_of(head) == 414
    with connect(site, "plain") as client:
        head, content = ask(client, b"OPTIONS * HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n")
        assert b"application/json" in head
        shown = json.loads(content)["request"]
        assert re.fullmatch("[0-9a-f]{16}", shown)
        head, content = ask(client, b"OPTIONS * HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*;q=0.1\r\n\r\n")
        assert b"text/html" in head and (other := re.search(rb"[0-9a-f]{16}", content))
        assert other.group(0).decode() != shown


def test_ids_on_pages_are_those_of_the_log(site):
    with connect(site, "plain") as client:
        _, content = ask(client, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    shown = re.search(rb"[0-9a-f]{16}", content).group(0).decode()
    logs = lambda: "".join(path.read_text() for path in site.logs.rglob("*") if path.is_file())
    wait_until(lambda: shown in logs(), "the id in a log")


# Memory ---------------------------------------------------------------------------------------------------


def rss_kib(process):
    return int(process.status()["VmRSS"].split()[0])


def settled_rss_kib(process):
    """Once what a burst needed has been given back: that begins after two seconds, a piece in each."""
    time.sleep(3.5)
    last = rss_kib(process)
    for _ in range(20):
        time.sleep(1.1)
        now = rss_kib(process)
        if abs(now - last) < 64:
            return now
        last = now
    return last


@pytest.fixture(name="crowd")
def fixture_crowd(server):
    server.listens = ['listen { "127.0.0.1:0", limits = { address_connections = 0, idle_time = 0, head_time = 0 } }']
    server.add_site("alice", default=True, files={"vhost.lua": SITE, "public/big.bin": bytes(BIG)})
    server.start()
    assert server.get("/hello").text == "hello"
    yield server


def come(server, count, request, read=True):
    clients = []
    for number in range(count):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.bind((f"127.0.1.{number % 8 + 1}", 0))
        client.connect(("127.0.0.1", server.port))
        client.sendall(request)
        if read:
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        clients.append(client)
    return clients


@pytest.mark.skipif(SANITIZED, reason="the sanitizer's own memory")
@pytest.mark.parametrize("count,request_,read,most_bytes", [
    (9000, GET, True, 1536),
    (3000, GET[:-3], False, 3072),
    (500, b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n", False, 65536),
    (500, b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", False, 65536),
], ids=["idle", "half a head", "unread file", "unread stream"])
def test_memory_of_connections_that_do_nothing(crowd, count, request_, read, most_bytes):
    listener = crowd.process("listener")
    before = rss_kib(listener)
    clients = come(crowd, count, request_, read)
    after = settled_rss_kib(listener)
    assert crowd.process("listener").pid == listener.pid and len(listener.descriptors()) >= count
    each = (after - before) * 1024 / count
    print(f"{each:.0f} bytes each")
    assert each <= most_bytes, f"{each:.0f} bytes each"
    if read:  # they are alive
        for client in clients[::1000]:
            assert ask(client)[1] == b"hello"
    elif request_ == GET[:-3]:
        for client in clients[::1000]:
            assert ask(client, GET[-3:])[1] == b"hello"
    else:
        data = read_all(clients[0]) if b"close" in request_ else clients[0].recv(100)
        assert data.startswith(b"HTTP/1.1 200")
    for client in clients:
        client.close()


def test_parked_request_gets_the_page_that_it_prefers(crowd):
    with crowd.connect() as client:
        client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nContent-Length: 9\r\n\r\n")
        time.sleep(3.5)
        crowd.process("vhost").kill()
        head, content = read_answer(client)
        assert status_of(head) == 502 and json.loads(content)["status"] == 502, content


def test_file_for_many_readers_is_open_once(crowd):
    clients = come(crowd, 300, b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
    names = list(crowd.process("listener").descriptors().values())
    assert sum("big.bin" in name for name in names) == 1
    for client in clients:
        client.close()
    wait_until(lambda: not any("big.bin" in name for name in crowd.process("listener").descriptors().values()), "its end")


def test_parked_connections_go_on_where_they_were(crowd):
    """Heads, bodies, answers and pipelined requests that stood still for some seconds."""
    head = crowd.connect()
    head.sendall(GET[:20])
    body = crowd.connect()
    body.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + bytes(1000))
    chunked = crowd.connect()
    chunked.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + bytes(5))
    readers = [socket.socket() for _ in range(2)]
    for reader, path in zip(readers, (b"/big.bin", b"/stream")):
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.settimeout(PATIENCE)
        reader.connect(("127.0.0.1", crowd.port))
        reader.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nReferer: r\r\nUser-Agent: parked\r\n\r\n" +
                       GET.replace(b"GET", b"GET ").replace(b"GET  ", b"GET ") + b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    time.sleep(3.5)
    assert ask(head, GET[20:])[1] == b"hello"
    body.sendall(bytes(99000))
    assert read_answer(body)[1] == b"100000 bytes"
    chunked.sendall(bytes(65531))
    time.sleep(2.5)
    chunked.sendall(b"\r\n0\r\n\r\n")
    assert read_answer(chunked)[1] == b"65536 bytes"
    for reader in readers:
        data = read_all(reader)
        assert len(data) > BIG and data.count(b"HTTP/1.1 200 OK") == 3 and data.endswith(b"hello"), data[-200:]
    log = (crowd.logs / "alice" / "access.log")
    wait_until(lambda: log.exists() and log.read_text().count('"r" "parked"') == 2, "facts for the log")
    for client in (head, body, chunked, *readers):
        client.close()


def test_parked_body_is_not_repeated_on_another_process(crowd):
    """Once a piece more has come, what is left of a head must not pass for one without content."""
    with crowd.connect() as client:
        client.sendall(b"GET /content HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        time.sleep(3.5)
        client.sendall(b"d")
        time.sleep(0.2)
        crowd.process("vhost").kill()
        assert status_of(read_answer(client)[0]) == 502


def test_parked_head_is_logged_as_far_as_it_came(site):
    client = connect(site, "hasty")
    data, _ = until_closed(client, b"GET /parked-head HTTP/1.1\r\nHost: a\r\n")
    assert status_of(data) == 408
    log = site.logs / "_server" / "access.log"
    wait_until(lambda: log.exists() and "GET /parked-head " in log.read_text(), "its line")


def test_last_answer_of_a_parked_connection_survives_another_request(site):
    with connect(site, "small", window=4096) as client:
        for _ in range(2):
            ask(client)
        client.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(3.5)
        n = 0
        while n < BIG - 60000:
            n += len(client.recv(4096))
        client.sendall(GET)  # the server has written all, and reads on for a moment
        time.sleep(0.2)
        assert n + len(read_all(client)) > BIG


def test_client_that_has_sent_all_and_half_closes_is_answered(crowd):
    """Also where there was room in the vhost's ring for its content, but not for the word that it was all."""
    vhost = crowd.process("vhost")
    vhost.kill(signal.SIGSTOP)
    clients = [crowd.connect() for _ in range(80)]
    for client in clients:
        client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 8000\r\n\r\n" + bytes(8000))
    time.sleep(0.5)
    for client in clients:
        client.shutdown(socket.SHUT_WR)
    time.sleep(0.2)
    vhost.kill(signal.SIGCONT)
    for client in clients:
        with client:
            assert read_all(client).endswith(b"8000 bytes")
