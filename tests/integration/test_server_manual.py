# SPDX-License-Identifier: Apache-2.0
"""Every example of docs/SERVER.md, with what luttpd check says; and that the page leaves nothing out."""
import json
import re
import subprocess

import pytest

from server import ROOT

PAGE = (ROOT / "docs" / "SERVER.md").read_text()
BLOCKS = re.findall(r"^```(lua|text)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

# Writes the schema's names as JSON: statements with their fields, and the limits with their bounds.
NAMES = """
package.path = "lua/?.lua;" .. package.path
local schema, limits = require "config.schema", require "config.limits"
local rows = {}
for kind, statement in pairs(schema.statements) do
  rows[#rows + 1] = ('["%s", ""]'):format(kind)
  for field in pairs(statement.rule.fields or {}) do rows[#rows + 1] = ('["%s", "%s"]'):format(kind, field) end
end
local bounds = {}
for name, rule in pairs(limits.rule.fields) do
  bounds[#bounds + 1] = ('"%s": ["%s", "%s", "%s"]'):format(name, rule.default, rule.zero and 0 or rule.min, rule.max)
end
print(("[[%s], {%s}]"):format(table.concat(rows, ","), table.concat(bounds, ",")))
"""


def examples():
    """[({name: text}, what check says)]"""
    found, files = [], {}
    for language, text in BLOCKS:
        if language == "text":
            found.append((files, text))
            files = {}
        else:
            named = re.match(r"-- ([\w/.]+\.lua)\n", text)
            files[named[1] if named else "server.lua"] = text
    assert not files, "a block of Lua without its answer"
    return found


def schema():
    done = subprocess.run(["luajit", "-e", NAMES], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_there_are_examples():
    assert len(examples()) >= 6


@pytest.mark.parametrize("number", range(len(examples())))
def test_check_says_what_the_page_says(server, number):
    files, said = examples()[number]
    for name, text in files.items():
        path = server.directory / name
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o755)
        path.write_text(text)
        path.chmod(0o644)
    for site in ("alice", "bob", "carol", "shop", "next", "files"):
        (server.directory / site).mkdir()
        (server.directory / site).chmod(0o755)
    done = subprocess.run([server.build / "bin" / "luttpd", "check", "-c", "server.lua"], cwd=server.directory,
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == said, done.stderr
    assert done.returncode == (0 if "is good" in said else 3)


def test_the_page_has_every_statement_and_field():
    names, _ = schema()
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    statement, known = None, set()
    for row in rows:
        first, second = (cell.strip() for cell in row.split("|")[1:3])
        statements = re.findall(r"`(\w+)", first)
        statement = statements or statement
        known |= {(kind, field) for kind in statement or () for field in ["", *re.findall(r"`(\w+)`", second)]}
    assert [name for name in map(tuple, names) if name not in known] == []


def test_the_page_has_every_limit_with_its_bounds():
    _, limits = schema()
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (\S+) \| (\S+) \| .+ \|$", PAGE, re.M)
    assert {name: bounds for name, *bounds in rows} == limits
