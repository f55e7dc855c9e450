# SPDX-License-Identifier: Apache-2.0
"""Strictness hurts nobody honest: curl, wget, Python's http.client and h11, each with what it does of its own accord."""
import http.client
import json
import shutil
import subprocess

import h11
import pytest

VHOST = """
files "/files" { dir = "public" }
any "/*" (function(req, res)
  local bytes = 0
  for chunk in req:body() do bytes = bytes + #chunk end
  res:json { method = req.method, path = req.path, query = req.query_string, bytes = bytes, length = req.length,
             host = req.host, agent = req.headers["user-agent"] or "", form = req.headers["content-type"] or "" }
end)
get "/stream" (function(req, res)
  for i = 1, 5 do res:write("part " .. i .. "\\n") end
end)
get "/none" (function(req, res) res:status(204) end)
"""

MEGABYTES = bytes(range(256)) * 4096 * 3


@pytest.fixture(scope="module")
def site(module_server):
    module_server.add_site("alice", default=True, files={"vhost.lua": VHOST, "public/1k.txt": "k" * 1024,
                                                         "public/a b.html": '<a href="1k.txt">', "public/big.bin": MEGABYTES})
    module_server.start()
    return module_server


@pytest.fixture
def base(site):
    return f"http://localhost:{site.port}"


@pytest.fixture
def upload(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(MEGABYTES)
    return str(path)


def run(*words, **options):
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(words, capture_output=True, timeout=30, check=False, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def curl(*words, **options):
    return run("curl", "-sS", "--fail", "--noproxy", "*", *words, **options)


def test_curl_keeps_the_connection(base):
    out = curl("-w", "%{num_connects} ", *sum((["-o", "/dev/null", f"{base}/{i}"] for i in range(5)), [])).decode()
    assert out == "1 0 0 0 0 "


def test_curl_keeps_it_after_answers_of_every_kind(base):
    urls = [f"{base}/stream", f"{base}/none", f"{base}/files/1k.txt", f"{base}/files/big.bin", f"{base}/x"]
    out = run("curl", "-sS", "-w", "%{http_code}:%{num_connects}:%{size_download} ",
              *sum((["-o", "/dev/null", url] for url in urls), [])).decode().split()
    assert out[:4] == ["200:1:35", "204:0:0", "200:0:1024", f"200:0:{len(MEGABYTES)}"] and out[4].startswith("200:0:")


def test_curl_waits_for_continue(base, upload):
    told = run("curl", "-sSv", "-H", "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary", f"@{upload}",
               "-w", "\n%{time_total}", f"{base}/up")
    answer, seconds = told.decode().rsplit("\n", 1)
    assert json.loads(answer)["bytes"] == len(MEGABYTES) and float(seconds) < 10


def test_curl_uploads_of_its_own_accord(base, upload):
    assert json.loads(curl("-T", upload, f"{base}/up"))["bytes"] == len(MEGABYTES)
    assert json.loads(curl("--data-binary", f"@{upload}", f"{base}/up"))["length"] == len(MEGABYTES)


def test_curl_uploads_in_chunks(base):
    told = json.loads(curl("-T", "-", f"{base}/up", input=MEGABYTES))
    assert (told["method"], told["bytes"], told["length"]) == ("PUT", len(MEGABYTES), False)
    told = json.loads(curl("-H", "Transfer-Encoding: chunked", "-d", "@-", f"{base}/up", input=b"abc"))
    assert (told["method"], told["bytes"]) == ("POST", 3)


def test_curl_sends_forms(base, upload):
    told = json.loads(curl("-F", "name=Ann B", "-F", f"file=@{upload}", f"{base}/up"))
    assert told["form"].startswith("multipart/form-data") and told["bytes"] > len(MEGABYTES)
    assert json.loads(curl("-d", "a=b", "--data-urlencode", "c=d&e", f"{base}/up"))["bytes"] == len("a=b&c=d%26e")


def test_curl_asks_for_the_head(base):
    head = curl("-I", f"{base}/files/1k.txt").decode().lower()
    assert head.startswith("http/1.1 200 ok\r\n") and "content-length: 1024\r\n" in head


def test_curl_asks_for_a_part_or_what_is_newer(base):
    assert curl("-r", "0-9", f"{base}/files/1k.txt").startswith(b"k" * 10)
    assert curl("-z", "Mon, 01 Jan 2001 00:00:00 GMT", "--compressed", f"{base}/files/1k.txt") == b"k" * 1024


def test_curl_offers_http2_and_is_content_with_ours(base):
    assert curl("--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", f"{base}/x") == b"1.1 200"


def test_curl_speaks_http10(base):
    assert curl("--http1.0", f"{base}/stream") == b"".join(b"part %d\n" % i for i in range(1, 6))


def test_curl_sends_addresses_as_people_write_them(base):
    for written, path in [("/a/../b", "/b"), ("/caf%C3%A9", "/caf\xe9"), ("/a%20b?c=%20", "/a b"), ("/x[1]{2}?q[]=1", None),
                          ("/a,b;c=d:e@f!(g)*'h'", "/a,b;c=d:e@f!(g)*'h'"), ("/~ann/", "/~ann/")]:
        told = run("curl", "-sS", "-g", base + written)
        assert path is None or json.loads(told)["path"] == path


def test_wget_fetches_pages_and_what_they_name(base, site, tmp_path):
    run("wget", "-q", "-r", "-l", "1", "-nH", "-P", str(tmp_path), f"{base}/files/a%20b.html")
    assert (tmp_path / "files" / "1k.txt").read_bytes() == b"k" * 1024


def test_wget_asks_for_the_head_and_posts(base):
    run("wget", "-q", "--spider", f"{base}/files/1k.txt")
    assert json.loads(run("wget", "-q", "-O", "-", "--post-data=a=b", f"{base}/up"))["bytes"] == 3
    assert run("wget", "-q", "-O", "-", "--start-pos=1000", f"{base}/files/1k.txt").endswith(b"k" * 24)


def test_http_client_keeps_the_connection(site):
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    connection.connect()
    socket = connection.sock
    for method, body, headers, count in [
            ("GET", None, {}, 0), ("HEAD", None, {}, None), ("POST", b"abc", {}, 3), ("PUT", iter([b"ab", b"c", b"d"]), {}, 4),
            ("POST", MEGABYTES, {}, len(MEGABYTES)), ("DELETE", None, {}, 0), ("POST", None, {"Content-Length": "0"}, 0)]:
        connection.request(method, "/x?y=z", body=body, headers=headers)
        response = connection.getresponse()
        text = response.read()
        assert response.status == 200 and (count is None and text == b"" or json.loads(text)["bytes"] == count)
        assert connection.sock is socket, "the connection was not kept"
    connection.close()


class H11Client:
    def __init__(self, site):
        self.socket, self.http = site.connect(), h11.Connection(h11.CLIENT)

    def send(self, *events):
        for event in events:
            self.socket.sendall(self.http.send(event))

    def event(self):
        while (event := self.http.next_event()) is h11.NEED_DATA:
            self.http.receive_data(self.socket.recv(65536))
        return event

    def answer(self):
        """Status, content; then ready for the next request."""
        events = [self.event()]
        while not isinstance(events[-1], h11.EndOfMessage):
            events.append(self.event())
        self.http.start_next_cycle()
        return events[0].status_code, b"".join(bytes(event.data) for event in events[1:-1])


def test_h11_waits_for_continue_sends_chunks_and_goes_on(site):
    client = H11Client(site)
    head = {"method": "POST", "target": "/up"}
    for _ in range(3):
        client.send(h11.Request(headers=[("Host", "a"), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue")], **head))
        assert client.event().status_code == 100
        client.send(h11.Data(data=b"abc"), h11.Data(data=b"d" * 70000), h11.EndOfMessage(headers=[("X-Sum", "1")]))
        status, text = client.answer()
        assert status == 200 and json.loads(text)["bytes"] == 70003
    for method, target in [("HEAD", "/stream"), ("GET", "/stream"), ("GET", "/none"), ("OPTIONS", "*")]:
        client.send(h11.Request(method=method, target=target, headers=[("Host", "a")]), h11.EndOfMessage())
        status, text = client.answer()
        assert status in (200, 204) and len(text) == (35 if (method, target) == ("GET", "/stream") else len(text) * (method == "OPTIONS"))
    client.socket.close()
