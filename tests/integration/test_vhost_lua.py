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
