# SPDX-License-Identifier: Apache-2.0
"""The lessons in examples/: what their README shows is what happens, and what it quotes stands in their files."""
import re
import shutil
import subprocess

import pytest

from server import ROOT

EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/README.md"))
PORT = ":8080"
REQUEST_ID = re.compile(r'("request":"|request )[0-9a-f]{16}')


def blocks(example, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (example / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def dialogue(example):
    """[(command, what it prints)] of all its console blocks"""
    parts = re.split(r"^\$ (.*)\n", "".join(blocks(example, "console")), flags=re.MULTILINE)
    assert parts[0] == ""
    return list(zip(parts[1::2], parts[2::2]))


def comparable(text):
    """Without what differs from run to run, and without the end of the last line, which JSON has not."""
    return REQUEST_ID.sub(r"\1ID", text.replace("\r", "")).rstrip("\n")


def start(server, example):
    """The server, in a copy of the example, on a port that is free."""
    shutil.copytree(example, server.directory, dirs_exist_ok=True)
    text = server.configuration.read_text()
    assert text.count(PORT) == 1
    server.configuration.write_text(text.replace(PORT, ":0"))
    for path in server.directory.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    server.start(write=False)


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example_prints_what_its_page_says(server, example):
    said = dialogue(example)
    assert len(said) >= 4 and said[0] == ("luttpd run -c server.lua -s state &", "")
    start(server, example)
    for command, printed in said[1:]:
        line = command.replace(PORT, f":{server.port}")
        line = re.sub(r"^curl ", "curl -sS ", line)
        done = subprocess.run(["bash", "-c", line], cwd=server.directory, capture_output=True, text=True, timeout=60, check=False)
        assert comparable(done.stdout) == comparable(printed), f"{command}\n{done.stderr}{server.stderr}"
    assert "error" not in server.stderr


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_page_quotes_the_files(example):
    files = [path.read_text() for path in example.rglob("*.lua")]
    missing = [block for block in blocks(example, "lua") if not any(block in text for text in files)]
    assert missing == []
