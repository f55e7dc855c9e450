# SPDX-License-Identifier: Apache-2.0
"""Files, redirects and error pages from the real luttpd-vhost, without Lua in the way."""
import os
import time

import pytest

from vhost_master import VHOST_UID, Site

SCRIPT = """
files "/" { dir = "public", index = { "index.html", "index.txt" }, cache = "1h" }
files "/docs/" { dir = "manual" }
redirect { from = "/old/*", to = "/new/*", status = 301 }
redirect { from = "/user/:id", to = "https://people.example/:id?from=here" }
redirect { from = "/host/*", to = "/*" }
post "/both.txt" (function(req, res) res:text "posted" end)
"""
LARGE = os.urandom(200_000)


@pytest.fixture
def site(tmp_path):
    one = Site(tmp_path, {
        "vhost.lua": SCRIPT, "public/index.html": "home", "public/both.txt": "got", "public/sub/index.txt": "sub",
        "public/empty.css": "", "public/small.bin": LARGE[:12288], "public/large.bin": LARGE, "public/bare/x": "x",
        "public/a b%.html": "odd", "manual/page.html": "page", "public/.hidden": "x", "public/vhost.lua": "x",
    })
    yield one.start()
    one.remove()


def test_file_comes_with_type_length_and_date(site):
    os.utime(site.root / "public/both.txt", (784111777, 784111777))
    answer = site.ask("GET", "/both.txt")
    assert (answer.status, answer.body, answer.length) == (200, b"got", 3)
    assert answer["content-type"] == "text/plain; charset=utf-8"
    assert answer["last-modified"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert answer["cache-control"] == "max-age=3600"
    answer = site.ask("GET", "/empty.css")
    assert (answer.status, answer.body, answer.length, answer["content-type"]) == (200, b"", 0, "text/css; charset=utf-8")


def test_small_files_travel_in_the_ring_and_large_ones_as_descriptors(site):
    answer = site.ask("GET", "/small.bin")
    assert answer.body == LARGE[:12288] and answer.file is None
    answer = site.ask("GET", "/large.bin")
    assert answer.file == LARGE and answer.body == b"" and answer.length == len(LARGE)


def test_directories(site):
    assert site.ask("GET", "/").body == b"home"
    assert site.ask("GET", "/sub/").body == b"sub"
    answer = site.ask("GET", "/sub", query=b"x=1")
    assert (answer.status, answer["location"]) == (301, "/sub/?x=1")
    assert site.ask("GET", "/bare/").status == 404
    answer = site.ask("GET", "/docs")
    assert (answer.status, answer["location"]) == (301, "/docs/")
    assert site.ask("GET", "/docs/page.html").body == b"page"
    assert site.ask("GET", "/a b%.html").body == b"odd"


def test_two_slashes_never_redirect_to_another_host(site):
    (site.root / "public/evil.example").mkdir()
    answer = site.ask("GET", "//evil.example")
    assert answer["location"] == "/evil.example/"
    assert site.ask("GET", "/host//evil.example/x")["location"] == "/evil.example/x"


def test_hidden_names_and_the_script_are_not_found(site):
    for path in ("/.hidden", "/vhost.lua", "/sub/../.hidden", "/%2e%2e/vhost.lua", "/../vhost.lua", "/none", "/both.txt/"):
        assert site.ask("GET", path).status == 404, path


def test_what_leads_out_or_is_no_file_is_forbidden_at_once(site, tmp_path):
    public = site.root / "public"
    (tmp_path / "secret").write_text("secret")
    (public / "out").symlink_to("/etc/passwd")
    (public / "up").symlink_to("../../secret")
    (public / "in").symlink_to("../manual/page.html")
    os.mkfifo(public / "fifo")
    os.chown(public / "fifo", VHOST_UID, VHOST_UID)
    (public / "private").write_text("x")
    (public / "private").chmod(0o600)  # root's
    begun = time.monotonic()
    for path in ("/out", "/up", "/fifo", "/private"):
        assert site.ask("GET", path).status == 403, path
    assert time.monotonic() - begun < 1
    assert site.ask("GET", "/in").body == b"page"


def test_link_to_a_foreign_file_is_forbidden(site):
    public = site.root / "public"
    (public / "theirs").write_text("theirs")
    os.chown(public / "theirs", 54321, 54321)
    (public / "soft").symlink_to("theirs")
    assert site.ask("GET", "/theirs").body == b"theirs"
    assert site.ask("GET", "/soft").status == 403
    os.link(public / "theirs", public / "hard")
    assert site.ask("GET", "/hard").status == 403


def test_conditional_request_is_answered_with_304(site):
    date = site.ask("GET", "/both.txt")["last-modified"]
    answer = site.ask("GET", "/both.txt", fields=[("if-modified-since", date)])
    assert (answer.status, answer.body, answer["last-modified"]) == (304, b"", date)
    assert answer["content-type"] is None
    assert site.ask("GET", "/both.txt", fields=[("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")]).status == 200
    assert site.ask("GET", "/both.txt", fields=[("if-modified-since", "yesterday")]).status == 200
    assert site.ask("GET", "/both.txt", fields=[("if-modified-since", date), ("if-none-match", '"x"')]).status == 200
    assert site.ask("HEAD", "/both.txt", fields=[("if-modified-since", date)]).status == 304


def test_head_reads_no_file(site):
    answer = site.ask("HEAD", "/large.bin")
    assert (answer.status, answer.length, answer.body, answer.file) == (200, len(LARGE), b"", None)


def test_other_methods_are_refused_unless_a_handler_takes_them(site):
    assert site.ask("POST", "/both.txt", b"x").body == b"posted"
    answer = site.ask("POST", "/small.bin", b"x")
    assert (answer.status, answer["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_redirects_fill_in_what_they_matched(site):
    answer = site.ask("GET", "/old/a/b c", query=b"q=1")
    assert (answer.status, answer["location"], answer.length) == (301, "/new/a/b%20c?q=1", 0)
    answer = site.ask("POST", "/user/7", b"x")
    assert (answer.status, answer["location"]) == (302, "https://people.example/7?from=here")
    assert site.ask("GET", "/old/\r\nx: y")["location"] == "/new/%0D%0Ax:%20y"


def test_replaced_file_shows_within_a_second_or_so(site):
    assert site.ask("GET", "/both.txt").body == b"got"
    (site.root / "public/new").write_text("replaced")
    os.rename(site.root / "public/new", site.root / "public/both.txt")
    end = time.monotonic() + 1.5
    while site.ask("GET", "/both.txt").body != b"replaced":
        assert time.monotonic() < end
        time.sleep(0.05)


def test_file_that_shrinks_under_the_cache_resets_the_stream(site):
    assert site.ask("GET", "/both.txt").status == 200
    os.truncate(site.root / "public/both.txt", 1)
    answer = site.ask("GET", "/both.txt")
    assert answer.reset == "internal" or answer.body == b"g"
    assert site.ask("GET", "/both.txt").body == b"g"  # opened anew


def test_descriptors_stay_bounded(site):
    for number in range(400):
        site.write(f"public/many/{number}", "x")
    for number in range(400):
        assert site.ask("GET", f"/many/{number}").body == b"x"
    assert len(os.listdir(f"/proc/{site.pid}/fd")) < 300


def test_many_large_files_at_once(site):
    streams = [site.open("GET", "/large.bin") for _ in range(64)]
    site.listener.flush()
    for _ in streams:
        names = [site.listener.read()[0] for _ in range(3)]
        assert names == ["HEAD", "FILE", "END"]
    assert len(streams) == 64
