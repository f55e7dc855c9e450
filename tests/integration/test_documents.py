# SPDX-License-Identifier: Apache-2.0
"""What README.md, SECURITY.md and HACKING.md claim: the examples run, the tests and files exist."""
import re
import subprocess

import pytest

from server import ROOT

DOCUMENTS = sorted(path.name for path in ROOT.glob("*.md")) + [f"docs/{path.name}" for path in sorted(ROOT.glob("docs/*.md"))]
TEST_NAME = re.compile(r"`((?:tests|spec)/[\w./]+?\.(?:py|c|lua))(?:::(\w+)|: ([^`]+))`")


def read(name):
    return (ROOT / name).read_text()


def blocks(name, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", read(name), re.DOTALL | re.MULTILINE)


def prose(name):
    """The text without its blocks."""
    return re.sub(r"^```.*?^```$", "", read(name), flags=re.DOTALL | re.MULTILINE)


# README's example ---------------------------------------------------------------------------------

def dialogue(text):
    """[(command, what it prints)]"""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))


@pytest.fixture(name="example")
def fixture_example(server):
    """README's two files, written down as it says, with a port that is free."""
    configuration, script = blocks("README.md", "lua")
    assert configuration.count(":8080") == 1
    server.configuration.write_text(configuration.replace(":8080", ":0"))
    files = {"vhost.lua": script, "public/index.html": "<h1>Alice</h1>\n"}
    for path, content in files.items():
        target = server.directory / "alice" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    return server


def test_example_of_the_readme_prints_what_it_says(example):
    (console,) = blocks("README.md", "console")
    said = dialogue(console)
    assert len(said) >= 6
    command = example.build / "bin" / "luttpd"
    for line, printed in said:
        if line.startswith("luttpd run"):
            assert line == "luttpd run -c server.lua -s state &"
            example.start(write=False)
            continue
        if line.startswith("curl"):
            line = line.replace("curl ", "curl -sS ", 1).replace(":8080", f":{example.port}")
            printed = printed.replace(":8080", f":{example.port}")
        done = subprocess.run(["bash", "-c", line.replace("luttpd ", f"{command} ", 1)], cwd=example.directory,
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout == printed, f"{line}\n{done.stderr}"


def test_readme_begins_with_two_commands_that_exist():
    lines = read("README.md").splitlines()
    targets = re.findall(r"^\.PHONY: (.*)$", read("Makefile"), re.M)[0].split()
    commands = [re.fullmatch(r"    make (\w+) .*", line).group(1) for line in lines[2:4]]
    assert commands == ["run", "test"] and set(commands) <= set(targets)


def test_readme_names_commands_that_exist(server):
    text = read("README.md")
    for word in re.findall(r"`(run|check|reload|stop|version)`", text):
        assert server.command(word, "--help").returncode == 0
    for word in ("status", "top", "audit", "logs"):  # "not yet", until they are there
        assert server.command(word).returncode == 2


# Names in every document --------------------------------------------------------------------------

def test_documents_name_their_tests():
    assert len(TEST_NAME.findall(read("SECURITY.md"))) >= 60


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_test_that_is_named_exists(name):
    missing = []
    for path, function, sentence in TEST_NAME.findall(read(name)):
        text = read(path) if (ROOT / path).is_file() else ""
        if function and not re.search(rf"\b(?:def|static void|void) {function}\(", text):
            missing.append(f"{path}::{function}")
        elif sentence and f'"{sentence}' not in text:
            missing.append(f"{path}: {sentence}")
    assert missing == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_is_named_exists(name):
    text, folder = prose(name), (ROOT / name).parent
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith(("http", "#"))]
    known = "runtime|lua|tests|spec|docs|vhosts|scripts|cmake"
    named = re.findall(rf"`((?:{known})/[\w./-]*)`", text)
    missing = [link for link in links if link and not (folder / link).exists()]
    missing += [path for path in named if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_to_headings_lead_somewhere(name):
    def anchors(path):
        titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.S | re.M), re.M)
        return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}

    for link in re.findall(r"\]\(([^)]*#[^)]+)\)", prose(name)):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        assert anchor in anchors((ROOT / name).parent / path if path else ROOT / name), link


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_names_this_machine(name):
    assert re.findall(r"/(?:home|work|root)/\w+", read(name)) == []


# SECURITY.md ----------------------------------------------------------------------------------------

def declared_roles():
    return re.findall(r'^process "(\w+)"', read("runtime/schema/processes.lua"), re.M)


def test_security_speaks_of_every_role():
    titles = re.findall(r"^### (\w+)", read("SECURITY.md"), re.M)
    assert titles == declared_roles()


@pytest.mark.parametrize("role", declared_roles())
def test_security_says_the_same_of_every_role(role):
    """Each role's part answers the same questions, and names tests."""
    part = re.split(rf"^### {role}\n", read("SECURITY.md"), flags=re.M)[1].split("\n##")[0]
    for question in ("Holds", "Who could take it over", "What that yields", "What it does not yield"):
        assert f"**{question}**" in part, question
    assert TEST_NAME.search(part)


# HACKING.md -----------------------------------------------------------------------------------------

def test_limits_of_length_are_those_of_the_lint():
    numbers = re.search(r"^local FUNCTION_MAX, FILE_MAX, HEADER_MAX = (\d+), (\d+), (\d+)$", read("scripts/lint-size.lua"), re.M)
    for number in numbers.groups():
        assert re.search(rf"\b{number} lines\b", read("HACKING.md")), number


def test_makefile_and_hacking_agree():
    targets = set(re.findall(r"^\.PHONY: (.*)$", read("Makefile"), re.M)[0].split())
    assert set(re.findall(r"`make (\w+)", read("HACKING.md"))) <= targets

