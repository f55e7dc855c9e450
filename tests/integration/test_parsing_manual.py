# SPDX-License-Identifier: Apache-2.0
"""Every example of docs/PARSING.md, with the answers that stand below it."""
import re

import pytest

from server import ROOT

PAGE = (ROOT / "docs" / "PARSING.md").read_text()
EXAMPLES = re.findall(r"```lua\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)
ECHO = 'any "/*" (function(req, res) res:text(req.headers["luttpd-bot"] or "none") end)\n'


def test_every_block_of_lua_has_its_answers():
    assert len(EXAMPLES) == PAGE.count("```lua") >= 4


def questions(lines):
    """(request as bytes, status, name of what else is said, its value) of each line"""
    for line in lines.splitlines():
        method, path, fields, status, what = re.fullmatch(r"(\w+) (\S+)(?: (.*?:.*?))? +(\d{3})(?: (\S+: .*))?", line).groups()
        head = [f"{method} {path} HTTP/1.1", "Host: a.test", "Connection: close", *(fields.strip().split(", ") if fields else [])]
        name, _, value = (what or "").partition(": ")
        yield "\r\n".join([*head, "", ""]).encode(), status, name, value


@pytest.mark.parametrize("policy, lines", EXAMPLES)
def test_example_answers_as_the_page_says(server, policy, lines):
    server.add_site("a", default=True, files={"vhost.lua": ECHO})
    server.statements.append('parsing "parsing.lua"')
    (server.directory / "parsing.lua").write_text(policy)
    server.start()
    for request, status, name, value in questions(lines):
        head, _, body = server.raw(request).decode().partition("\r\n\r\n")
        assert head.split()[1] == status, (request, head)
        if name == "tag":
            assert body == value
        elif name:
            assert re.search(rf"^{name}: {re.escape(value)}\r?$", head, re.M | re.I), (request, head)
