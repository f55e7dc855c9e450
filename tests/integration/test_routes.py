# SPDX-License-Identifier: Apache-2.0
"""Host names and the router behind them, through the whole server."""
import socket
import time

VHOST = 'get "/" (function(req, res) res:text(site.name) end)'


def test_exact_beats_wildcard_beats_default(server):
    server.add_site("exact", hosts=["a.example.test"], files={"vhost.lua": VHOST})
    server.add_site("wild", hosts=["*.example.test"], files={"vhost.lua": VHOST})
    server.add_site("wilder", hosts=["*.deep.example.test"], files={"vhost.lua": VHOST})
    server.add_site("rest", default=True, files={"vhost.lua": VHOST})
    server.start()
    for host, name in [("a.example.test", "exact"), ("A.EXAMPLE.test", "exact"), ("a.example.test.", "exact"),
                       ("a.example.test:8080", "exact"), ("b.example.test", "wild"), ("x.y.example.test", "wild"),
                       ("x.deep.example.test", "wilder"), ("example.test", "rest"), ("[::1]", "rest")]:
        assert server.get("/", host=host).text == name, host


def test_unknown_host_is_404_without_a_default(server):
    server.add_site("only", hosts=["only.test"], files={"vhost.lua": VHOST})
    server.start()
    assert server.get("/", host="only.test").status == 200
    assert server.get("/", host="other.test").status == 404


def test_burst_of_new_hosts_loses_no_question(server):
    """More questions at once than the router's socket holds: all are answered, and soon."""
    server.add_site("wild", hosts=["*.test"], files={"vhost.lua": VHOST})
    server.listens = ['listen { "127.0.0.1:0", limits = { address_connections = 0 } }']
    server.start()
    connections = [server.connect() for _ in range(1500)]
    router = server.process("router")
    router.kill(19)  # SIGSTOP: questions pile up
    try:
        for number, connection in enumerate(connections):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: h%d.test\r\n\r\n" % number)
        time.sleep(0.5)
    finally:
        router.kill(18)  # SIGCONT
    began = time.monotonic()
    for connection in connections:
        connection.settimeout(20)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        connection.close()
    assert time.monotonic() - began < 5


def test_many_sites_asked_for_at_once(server):
    names = [f"site{number}" for number in range(40)]
    for name in names:
        server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": VHOST})
    server.start()
    connections = {name: server.connect() for name in names}
    for name, connection in connections.items():
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {name}.test\r\n\r\n".encode())
    for name, connection in connections.items():
        assert connection.recv(4096).endswith(name.encode())
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
