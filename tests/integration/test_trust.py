# SPDX-License-Identifier: Apache-2.0
"""Who is believed about the client: PROXY headers, Forwarded, X-Forwarded-*; and the id of a request."""
import json
import re
import socket
import struct
import time

import pytest

from server import PATIENCE, Server, read_all, wait_until

STRANGER, PROXY, BALANCER = "127.0.0.1", "127.0.0.2", "127.0.0.3"  # who connects
CLIENT = "192.0.2.7"

VHOST = """
get "/show/*" (function(req, res)
  res:json { address = req.address, port = req.port, scheme = req.scheme, id = req.id, headers = req.headers }
end)
get "/boom/*" (function() error "mine" end)
"""


@pytest.fixture(scope="module")
def running():
    server = Server()
    path = server.directory / "socket"
    server.listens = [
        f'listen {{ "127.0.0.1:0", proxies = {{ "{PROXY}", "10.0.0.0/8" }}, proxy_protocol = {{ "{BALANCER}" }} }}',
        f'listen {{ "unix:{path}", proxies = {{ "unix" }} }}']
    server.add_site("a", hosts=["a.test"], files={"vhost.lua": VHOST})
    server.start()
    yield server
    server.remove()


def connect(server, source=STRANGER):
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE, source_address=(source, 0))


def get(path, fields=(), host="a.test", close=True):
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *fields, *(["Connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode()


def exchange(server, data, source=STRANGER):
    with connect(server, source) as connection:
        connection.sendall(data)
        return read_all(connection)


def body_of(reply):
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), reply
    return json.loads(body)


def show(server, source=STRANGER, fields=(), before=b"", path="/show/x"):
    """What the site saw."""
    return body_of(exchange(server, before + get(path, fields), source))


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def logged(server, target, site="a"):
    """The access log's line about this target: as object, and in combined format."""
    directory = server.logs / site
    entry, = wait_until(lambda: [one for one in map(json.loads, lines_of(directory / "access.json"))
                                 if one.get("target") == target], f"the record of {target}")
    line, = wait_until(lambda: [line for line in lines_of(directory / "access.log") if f" {target} HTTP/" in line],
                       f"the line of {target}")
    return entry, line


# PROXY ----------------------------------------------------------------------------------------------------

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command=0x21, family=0x11, content=None):
    if content is None:
        content = socket.inet_aton(CLIENT) + socket.inet_aton("198.51.100.1") + struct.pack(">HH", 4711, 80)
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(content)) + content


def addresses(source=CLIENT):
    return socket.inet_aton(source) + socket.inet_aton("198.51.100.1") + struct.pack(">HH", 4711, 80)


V1 = f"PROXY TCP4 {CLIENT} 198.51.100.1 4711 80\r\n".encode()
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::7")

HEADERS = {
    "v1": (V1, CLIENT, 4711, "http"),
    "v1, IPv6": (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n", "2001:db8::7", 4711, "http"),
    "v1, mapped": (f"PROXY TCP6 ::ffff:{CLIENT} ::1 4711 80\r\n".encode(), CLIENT, 4711, "http"),
    "v2": (v2(), CLIENT, 4711, "http"),
    "v2, IPv6": (v2(family=0x21, content=SIX * 2 + struct.pack(">HH", 4711, 80)), "2001:db8::7", 4711, "http"),
    "v2, TLS": (v2(content=addresses() + b"\x20\0\x05\x01\0\0\0\0"), CLIENT, 4711, "https"),
    "v2, no TLS": (v2(content=addresses() + b"\x20\0\x05\x00\0\0\0\0"), CLIENT, 4711, "http"),
    "v2, largest": (v2(content=addresses() + struct.pack(">BH", 4, 4081) + b"x" * 4081), CLIENT, 4711, "http"),
}


@pytest.mark.parametrize("case", HEADERS, ids=str)
def test_a_balancer_names_the_client(running, case):
    header, address, port, scheme = HEADERS[case]
    seen = show(running, BALANCER, before=header)
    assert (seen["address"], seen["port"], seen["scheme"]) == (address, port, scheme)


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN some thing\r\n", v2(0x20, 0, b""),
                                    v2(0x20), v2(0x21, 0, b"any")], ids=str)
def test_a_balancer_speaks_for_itself(running, header):
    assert show(running, BALANCER, before=header)["address"] == BALANCER


def test_a_header_holds_for_the_whole_connection(running):
    with connect(running, BALANCER) as connection:
        connection.sendall(V1 + get("/show/1", close=False) + get("/show/2", close=False))
        time.sleep(0.1)
        connection.sendall(get("/show/3"))
        replies = read_all(connection)
    assert re.findall(rb'"address":"([^"]*)"', replies) == [CLIENT.encode()] * 3


@pytest.mark.parametrize("header", [V1, v2()], ids=["v1", "v2"])
def test_a_header_may_come_in_any_two_pieces(running, header):
    data = header + get("/show/x")
    waiting = []
    for at in range(1, len(header) + 2):
        connection = connect(running, BALANCER)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(data[:at])
        waiting.append((at, connection))
    time.sleep(0.1)
    for at, connection in waiting:
        with connection:
            connection.sendall(data[at:])
            assert body_of(read_all(connection))["address"] == CLIENT


@pytest.mark.parametrize("data", [
    b"", b"\r\n", V1.replace(b"TCP4", b"TCP5"), V1.replace(b"4711", b"04711"), V1.replace(b"\r\n", b"\n"), V1[1:],
    b"PROXY " + b"x" * 200, v2(0x11), v2(0x22), v2(family=0x12), v2(family=0x41), v2(content=b"short"),
    v2(content=addresses() + b"\x03\0\x04\0\0\0\0"), v2(content=addresses() + b"\x04\0\x09"), v2(content=b"x" * 4097),
], ids=str)
def test_a_balancer_without_a_good_header_is_closed_without_a_word(running, data):
    assert exchange(running, data + get("/show/secret"), BALANCER) == b""


def test_half_a_header_is_no_request(running):
    with connect(running, BALANCER) as connection:
        connection.sendall(V1[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b""
    assert show(running, BALANCER, before=V1)["address"] == CLIENT


@pytest.mark.parametrize("source", [STRANGER, PROXY])
@pytest.mark.parametrize("header", [V1, v2()], ids=["v1", "v2"])
def test_a_header_from_anyone_else_is_a_bad_request(running, source, header):
    reply = exchange(running, header + get("/show/x"), source)
    assert reply.startswith(b"HTTP/1.1 400 ") and reply.count(b"HTTP/1.1") == 1
    assert CLIENT.encode() not in reply


def test_a_second_header_is_a_bad_request(running):
    reply = exchange(running, V1 + V1 + get("/show/x"), BALANCER)
    assert reply.startswith(b"HTTP/1.1 400 ")


# Forwarded --------------------------------------------------------------------------------------------------

CLAIMS = {
    "Forwarded": (["Forwarded: for=192.0.2.7;proto=https"], CLIENT, 0, "https"),
    "Forwarded, port": (['Forwarded: for="[2001:db8::7]:4711"'], "2001:db8::7", 4711, "http"),
    "a list": (["Forwarded: for=6.6.6.6, for=192.0.2.7;proto=https, for=10.1.2.3"], CLIENT, 0, "https"),
    "lines": (["Forwarded: for=6.6.6.6", "X: y", "Forwarded: for=192.0.2.7", "forwarded: for=10.1.2.3"], CLIENT, 0, "http"),
    "open quote": (['Forwarded: for="6.6.6.6, for=192.0.2.7'], CLIENT, 0, "http"),
    "X-Forwarded": (["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https"], CLIENT, 0, "https"),
    "X, a list": (["X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.9.9.9", "X-Forwarded-Proto: http,https,http"], CLIENT, 0, "https"),
    "X, counts differ": (["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https, https"], CLIENT, 0, "http"),
    "both": (["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.7"], CLIENT, 0, "http"),
}


@pytest.mark.parametrize("case", CLAIMS, ids=str)
def test_a_trusted_proxy_is_believed(running, case):
    fields, address, port, scheme = CLAIMS[case]
    seen = show(running, PROXY, fields)
    assert (seen["address"], seen["port"], seen["scheme"]) == (address, port, scheme)
    for field in fields:  # and the site sees what it said
        assert field.partition(": ")[0].lower() in seen["headers"]


@pytest.mark.parametrize("fields", [
    ["Forwarded: for=unknown"], ["Forwarded: for=_x, for=_y"], ["Forwarded: nonsense"], ["X-Forwarded-For: nonsense"],
    ["Forwarded: "], ["X-Real-IP: 192.0.2.7"], []], ids=str)
def test_who_is_hidden_is_the_proxy_itself(running, fields):
    assert show(running, PROXY, fields)["address"] == PROXY


@pytest.mark.parametrize("case", CLAIMS, ids=str)
def test_a_stranger_is_not_believed_and_not_heard(running, case):
    fields = [*CLAIMS[case][0], "X-Forwarded-Host: evil.test", "X-Forwarded-Port: 1", "X-Real-IP: 6.6.6.6", "X-Other: kept"]
    seen = show(running, STRANGER, fields)
    assert (seen["address"], seen["scheme"]) == (STRANGER, "http")
    assert not [name for name in seen["headers"] if "forward" in name or name == "x-real-ip"]
    assert seen["headers"]["x-other"] == "kept"


def test_the_log_has_the_client_as_it_was_found(running):
    cases = [(BALANCER, header, [], address) for header, address, _, _ in HEADERS.values()]
    cases += [(PROXY, b"", fields, address) for fields, address, _, _ in CLAIMS.values()]
    cases += [(STRANGER, b"", fields, STRANGER) for fields, _, _, _ in CLAIMS.values()]
    for number, (source, header, fields, _) in enumerate(cases):
        show(running, source, fields, header, f"/show/log-{number}")
    for number, (_, _, _, address) in enumerate(cases):
        entry, line = logged(running, f"/show/log-{number}")
        assert entry["address"] == address and line.startswith(f"{address} - - [")


def test_a_proxy_that_passes_on_a_strangers_claim_is_refused(running):
    for forged in ("for=6.6.6.6", "for=unknown", "x"):
        fields = [f"Forwarded: {forged}", "X-Forwarded-For: 192.0.2.7"]
        reply = exchange(running, get("/show/x", fields), PROXY)
        assert reply.startswith(b"HTTP/1.1 400 ") and b"6.6.6.6" not in reply


@pytest.mark.parametrize("header, address, visible", [
    (v2(content=addresses("10.1.2.3")), "192.0.2.9", True), (v2(), CLIENT, False)], ids=["a proxy", "a stranger"])
def test_whom_a_balancer_names_is_judged_anew(running, header, address, visible):
    seen = show(running, BALANCER, ["Forwarded: for=192.0.2.9"], before=header)
    assert seen["address"] == address and ("forwarded" in seen["headers"]) == visible


def test_each_request_of_a_connection_has_its_own_client(running):
    with connect(running, PROXY) as connection:
        for number in range(1, 4):
            connection.sendall(get("/show/x", [f"Forwarded: for=192.0.2.{number}"], close=False))
        connection.sendall(get("/show/x"))
        seen = re.findall(rb'"address":"([^"]*)"', read_all(connection))
    assert seen == [b"192.0.2.1", b"192.0.2.2", b"192.0.2.3", PROXY.encode()]


def test_a_unix_socket_can_be_trusted(running):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(running.directory / "socket"))
        connection.sendall(get("/show/x", close=False) + get("/show/x", ["Forwarded: for=192.0.2.7;proto=https"]))
        seen = re.findall(rb'"address":"([^"]*)"', read_all(connection))
    assert seen == [b"", CLIENT.encode()]


@pytest.mark.parametrize("source", [STRANGER, PROXY])
def test_nobody_forges_what_policies_say(running, source):
    forged = ["luttpd-bot: no", "LUTTPD-Admin: yes", "Luttpd-: x", "X-Other: kept"]
    headers = show(running, source, forged)["headers"]
    assert not [name for name in headers if name.startswith("luttpd")] and headers["x-other"] == "kept"


# The id of a request -----------------------------------------------------------------------------------------

def id_on(reply):
    found, = set(re.findall(rb"\b[0-9a-f]{16}\b", reply.partition(b"\r\n\r\n")[2]))
    return found.decode()


def test_req_id_is_in_both_logs(running):
    seen = show(running, path="/show/id")
    entry, line = logged(running, "/show/id")
    assert re.fullmatch("[0-9a-f]{16}", seen["id"])
    assert entry["request"] == seen["id"] and line.endswith(f' "{seen["id"]}"')


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_sites_error_page_names_the_request(running, accept):
    target = "/none/" + accept.replace("/", "-")
    reply = exchange(running, get(target, [f"Accept: {accept}"]))
    assert reply.startswith(b"HTTP/1.1 404 ") and f"content-type: {accept}".encode() in reply.lower()
    entry, line = logged(running, target)
    assert entry["request"] == id_on(reply) and line.endswith(f' "{id_on(reply)}"')


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_the_listeners_error_page_names_the_request(running, accept):
    target = "/nobody/" + accept.replace("/", "-")
    reply = exchange(running, get(target, [f"Accept: {accept}"], host="unknown.test"))
    assert reply.startswith(b"HTTP/1.1 404 ") and f"content-type: {accept}".encode() in reply.lower()
    entry, line = logged(running, target, "_server")
    assert entry["request"] == id_on(reply) and line.endswith(f' "{id_on(reply)}"')


def test_a_refused_heads_page_names_the_request(running):
    reply = exchange(running, b"GET /refused HTTP/1.1\r\nHost : a\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert logged(running, "/refused", "_server")[0]["request"] == id_on(reply)


def test_the_owners_error_log_names_the_request(running):
    reply = exchange(running, get("/boom/here"))
    assert reply.startswith(b"HTTP/1.1 500 ") and b"mine" not in reply
    log = running.logs / "a" / "error.log"
    wait_until(lambda: log.exists() and f"during GET /boom/here, request {id_on(reply)}" in log.read_text(), "the line")
    assert logged(running, "/boom/here")[0]["request"] == id_on(reply)


def test_ids_differ_and_tell_nothing(running):
    count = 200
    with connect(running) as connection:
        for number in range(count):
            connection.sendall(get("/show/many", close=number == count - 1))
        ids = re.findall(rb'"id":"([0-9a-f]{16})"', read_all(connection))
    assert len(ids) == count == len(set(ids))
    numbers = [int(one, 16) for one in ids]
    steps = {(b - a) % 2**64 for a, b in zip(numbers, numbers[1:])}
    assert len(steps) == count - 1  # no counter
    assert len({one >> 56 for one in numbers}) > 50
