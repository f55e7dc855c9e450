# SPDX-License-Identifier: Apache-2.0
"""Every example of docs/LUA.md, with the answers that stand below it."""
import re

import pytest

from server import ROOT
from vhost_master import Site

PAGE = (ROOT / "docs" / "LUA.md").read_text()
EXAMPLES = re.findall(r"```lua\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)
FILES = {
    "public/index.html": "home", "public/sub/index.html": "sub", "404.html": "nothing here\n",
    "lib/blog.lua": "return { posts = {} }",
}


def test_every_block_of_lua_has_its_answers():
    assert len(EXAMPLES) == PAGE.count("```lua") >= 4


def expectations(lines):
    """(method, path, query, content, status, header or None, beginning of the body) of each line"""
    for line in lines.splitlines():
        request, status, rest = re.fullmatch(r"(.*?) +(\d\d\d)(?: +(.*))?", line).groups()
        method, target, content = re.fullmatch(r"(\w+) (\S+)(?: +(.*))?", request.strip()).groups()
        path, _, query = target.partition("?")
        header = re.fullmatch(r"([a-z-]+): (.*)", rest or "")
        yield method, path, query.encode(), content, int(status), header, "" if header else rest or ""


@pytest.mark.parametrize("script, lines", EXAMPLES)
def test_example_answers_as_the_page_says(tmp_path, script, lines):
    site = Site(tmp_path, {"vhost.lua": script, **FILES})
    try:
        site.start()
        for method, path, query, content, status, header, body in expectations(lines):
            answer = site.ask(method, path, content and content.encode(), query=query)
            assert answer.status == status, (path, site.log())
            assert answer.text().startswith(body)
            if header:
                assert answer[header[1]] == header[2]
        assert "error" not in site.log()
    finally:
        site.remove()
