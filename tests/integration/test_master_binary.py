# SPDX-License-Identifier: Apache-2.0
"""What master is made of: no Lua, no HTTP, no text parser, and not much of anything else."""
import pathlib
import re
import subprocess

import pytest

from server import BUILD, ROOT, SANITIZED

MASTER = BUILD / "bin" / "luttpd-master"
RUNTIME = ROOT / "runtime"
FOLDERS = ("master", "process", "cage", "channel", "schema", "base")  # runtime/ folders that it may contain
LINES_MAX = 1850  # of its own code: without comments, blank lines and includes

# What reads text, looks names up, runs programs or loads code. (libc's own innards are not ours to count.)
PARSERS = re.compile(
    r"(strto[a-z]*|ato[ilf]l?|v?f?s?scanf|strsep|strtok|strtok_r|getline|getdelim|f?gets|fgetc|getc|f?open64?|fdopen"
    r"|fread|getopt.*|getsubopt|regcomp|regexec|fnmatch|glob|wordexp|strptime|iconv.*|inet_(pton|aton|addr)"
    r"|getpw.*|getgr.*|getaddrinfo|gethostby.*|res_.*|getenv|secure_getenv|system|popen|exec(l|v|vp|le|lp)|dlopen"
    r"|malloc|calloc|realloc|reallocarray|aligned_alloc|strdup|strndup|pthread_create)")
ALLOWED = {"open", "open64"}  # files by name: /etc/passwd, a log directory
FOREIGN = re.compile(r"^(lua|luaL|lj|uv|lp|h1|host_map|route|script)_")


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


pytestmark = pytest.mark.skipif(SANITIZED, reason="the sanitizers' runtime is linked as well")


def test_links_libc_alone():
    needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", MASTER))
    assert needed == ["libc.so.6"], needed  # libcap and the like are static archives


def symbols(*options):
    return [line.split()[-1].partition("@")[0] for line in run("nm", *options, MASTER).splitlines()]


def test_holds_no_lua_no_loop_no_http():
    names = symbols()
    assert "main" in names and "plan_open" in names, "the executable has no symbols to look at"
    assert not [name for name in names if FOREIGN.match(name)]


def test_imports_nothing_that_parses_runs_or_allocates():
    imported = symbols("-D", "--undefined-only")
    assert "execveat" in imported or "syscall" in imported
    assert not [name for name in imported if PARSERS.fullmatch(name) and name not in ALLOWED]


def test_is_made_of_these_folders_only():
    """The link map: every file of ours in the executable comes from a folder that master may contain."""
    files = set(re.findall(r"FILE +LOCAL +\S+ +ABS +(\S+\.c)$", run("readelf", "-sW", MASTER), re.M))
    ours = {path.name: path.parent.name for path in RUNTIME.rglob("*.c")}
    allowed = {path.name for folder in FOLDERS for path in (RUNTIME / folder).glob("*.c")}
    allowed |= {"messages.c", "processes.c", "filters.c", "crtstuff.c"}  # generated, and the compiler's
    assert "main.c" in files and "plan.c" in files, files
    assert not [f"{ours.get(name, 'foreign')}/{name}" for name in files - allowed]


def code_lines(paths):
    text = "".join(re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S) for path in paths)
    return sum(1 for line in text.splitlines() if line.strip() and not line.startswith("#include"))


def test_is_small():
    own = code_lines((RUNTIME / "master").glob("*.c"))
    codec = code_lines([BUILD / "gen" / "schema" / "messages.c"])
    print(f"master: {own} lines; generated codec of all messages: {codec}")
    assert own <= LINES_MAX, own


def test_main_and_functions_are_short():
    assert len((RUNTIME / "master" / "main.c").read_text().splitlines()) <= 150
    for path in (RUNTIME / "master").glob("*.c"):
        for start, end in functions(path):
            assert end - start + 1 <= 40, f"{path.name}:{start}"


def functions(path: pathlib.Path):
    """(first, last) line of each function: from the line before a lone closing brace back to its head."""
    start = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if re.match(r"^[a-z].*\) \{$", line) or (re.match(r"^ +.*\) \{$", line) and start is None):
            start = number
        elif line == "}" and start is not None:
            yield start, number
            start = None
