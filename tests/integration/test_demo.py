# SPDX-License-Identifier: Apache-2.0
"""The sites in vhosts/, as `make run` serves them: what they claim is what /proc says."""
import html.parser
import json
import re
import shlex
import shutil
import subprocess

import pytest

from server import ROOT, Process, wait_until

VHOSTS = ROOT / "vhosts"
SITES = {"first": "localhost", "second": "second.localhost"}

# Prints what processes.lua declares, without the generator: name, peers, then its sentences.
DECLARED = """
local function ignore() end
only, lacks, has, own_pid, fails, sanitizer = ignore, ignore, ignore, ignore, ignore, ignore
function process(name)
  return function(t) print(table.concat({ name, table.concat(t.peers, " "), t.does, t.holds, unpack(t.never) }, "\\t")) end
end
dofile "runtime/schema/processes.lua"
"""


class Page(html.parser.HTMLParser):
    """The parts of a page that tests ask for."""

    VOID = {"meta", "link"}

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.open, self.commands, self.text = [], [], [], [], ""
        self.feed(text)
        assert self.open == [], "elements that are not closed"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.links += [attrs[name] for name in ("href", "src", "action", "srcset", "data") if name in attrs]
        self.ids += [attrs["id"]] if "id" in attrs else []
        assert "style" not in attrs and not any(name.startswith("on") for name in attrs), "the page's policy forbids it"
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "pre":
            self.commands.append("")

    def handle_startendtag(self, tag, attrs):  # SVG
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "pre" in self.open:
            self.commands[-1] += data


@pytest.fixture(name="roles", scope="module")
def fixture_roles():
    """{name: (peers, sentences)} in the order of processes.lua"""
    done = subprocess.run(["luajit", "-"], input=DECLARED, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(lines) >= 6
    return {name: (set(peers.split()), sentences) for name, peers, *sentences in lines}


def squeeze(text):
    return re.sub(r"\s+", " ", text)


@pytest.fixture(scope="module")
def demo(module_server):
    server = module_server
    shutil.copytree(VHOSTS, server.directory, dirs_exist_ok=True)
    text = server.configuration.read_text()
    changed = text.replace('"127.0.0.1:8080"', '"127.0.0.1:0"').replace('"../build/logs"', f'"{server.logs}"')
    assert changed.count('"127.0.0.1:0"') == 1 and changed.count(str(server.logs)) == 1
    server.configuration.write_text(changed)
    return server.start(write=False)


def ask(demo, site, path, **more):
    return demo.get(path, host=f"{SITES[site]}:{demo.port}", **more)


@pytest.fixture(scope="module")
def page(demo):
    return Page(ask(demo, "first", "/").text)


def test_two_sites_answer_from_two_processes_under_two_users(demo):
    said = {site: json.loads(ask(demo, site, "/whoami").body) for site in SITES}
    for site, claim in said.items():
        process = Process(claim["pid"])
        assert (process.role, process.label, claim["vhost"]) == ("vhost", site, site)
        assert process.uids() == [claim["uid"]] * 4
        assert process.gids() == [claim["gid"]] * 4
        assert claim["uid"] != 0 and claim["gid"] != 0
    assert len({claim["pid"] for claim in said.values()}) == 2
    assert len({claim["uid"] for claim in said.values()}) == 2
    assert len({claim["gid"] for claim in said.values()}) == 2


@pytest.mark.parametrize("site", SITES)
def test_page_says_which_process_and_user_made_it(demo, site):
    process = demo.process("vhost", site)
    text = Page(ask(demo, site, "/").text).text
    assert site in text
    assert re.search(rf"process:? {process.pid}\b", text)
    assert re.search(rf"user:? {process.uids()[0]}\b", text)


def test_page_is_for_unknown_hosts_too(demo):
    assert demo.get("/", host="somewhere.test").status == 200


def test_page_says_of_every_role_what_it_may_not_do(demo, page, roles):
    text = squeeze(page.text)
    for name, (_, sentences) in roles.items():
        assert name in page.ids
        for sentence in sentences:
            assert sentence in text, f"{name}: {sentence}"
        process = demo.process(name)  # config has ended by now
        if process:
            assert str(process.uids()[0]) in text, name


def test_page_draws_every_process_and_who_talks_to_whom(demo, roles):
    text = ask(demo, "first", "/").text
    drawing = text[text.index("<svg"):text.index("</svg>")]
    nodes = [[name] if name != "vhost" else ["vhost first", "vhost second"] for name in roles]
    names = [name for node in nodes for name in node]
    assert re.findall(r'class="name">([^<]+)', drawing) == names
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1:] if b.split()[0] in roles[a.split()[0]][0]]
    arcs = re.findall(r'<path class="arc ([^"]+)"', drawing)
    assert len(arcs) == len([pair for pair in pairs if "master" not in pair])  # lines from above are master's
    assert not [arc for arc in arcs if "site-first" in arc and "site-second" in arc]


def test_links_inside_the_page_lead_somewhere(page):
    assert len(page.ids) == len(set(page.ids))
    inside = [link[1:] for link in page.links if link.startswith("#")]
    assert inside and set(inside) <= set(page.ids)


@pytest.mark.parametrize("site", SITES)
def test_nothing_is_loaded_from_elsewhere(demo, site):
    own = [f"http://{host}:{demo.port}" for host in SITES.values()]
    for link in Page(ask(demo, site, "/").text).links:
        if not link.startswith("#") and not link.startswith(tuple(own)):
            assert re.fullmatch(r"/[\w.]*", link), link
            if link != "/loop":
                assert ask(demo, site, link).status == 200, link
    for file in (VHOSTS / site / "public").iterdir():
        for address in re.findall(r"(?:https?:)?//\w[^\s\"')]*", re.sub(r"^\s*// .*$", "", file.read_text(), flags=re.M)):
            assert address == "http://www.w3.org/2000/svg", f"{file.name}: {address}"  # a name, never loaded


def test_browser_may_load_only_the_two_sites(demo):
    policy = ask(demo, "first", "/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert re.findall(r"https?://\S+?(?=[; ])", policy) == [f"http://second.localhost:{demo.port}"]
    assert ask(demo, "second", "/whoami").headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in ask(demo, "first", "/whoami").headers


def test_commands_on_the_page_work_as_they_stand(page):
    lines = [line for block in page.commands for line in block.splitlines() if "curl " in line]
    assert len(lines) >= 4
    for line in lines:
        done = subprocess.run(["bash", "-c", line.replace("curl ", "curl -sSf ")], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0 and done.stdout, f"{line}: {done.stderr}"


def test_files_named_on_the_page_are_there(page):
    named = set(re.findall(r"\b(?:vhosts|runtime)/[\w./]+\w|\b[A-Z]+\.md\b", page.text))
    assert {"vhosts/first/vhost.lua", "README.md"} <= named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_name_in_a_path_is_only_text(demo):
    reply = ask(demo, "first", "/hello/%3Cb%3E%22")
    assert reply.text.startswith('Hello <b>",')
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


def test_host_of_a_request_cannot_break_the_page(demo):
    """The page repeats the port of Host, and nothing else of it."""
    for host in ("evil.test", "evil.test:99", "[::1]:99"):
        assert "evil" not in demo.get("/", host=host).text
        assert "evil" not in demo.get("/", host=host).headers["content-security-policy"]


def test_missing_page_has_a_friendly_one(demo):
    reply = ask(demo, "first", "/nothing")
    assert reply.status == 404 and "Not here" in reply.text


def test_endless_loop_of_the_second_site_is_stopped_and_told(demo):
    reply = ask(demo, "second", "/loop")
    assert reply.status == 500 and "vhost.lua" not in reply.text
    log = demo.logs / "second" / "error.log"
    wait_until(lambda: log.exists() and "during GET /loop" in log.read_text(), "the reason in the owner's log")
    assert not (demo.logs / "first" / "error.log").exists()
    assert ask(demo, "first", "/whoami").status == 200


def test_killed_site_is_answered_for_by_its_successor(demo):
    process = demo.process("vhost", "first")
    process.kill()
    successor = demo.wait_for_successor(process)
    said = wait_until(lambda: (reply := ask(demo, "first", "/whoami")).status == 200 and json.loads(reply.body), "an answer")
    assert said["pid"] == successor.pid
    assert said["uid"] == successor.uids()[0]


def test_committed_configuration_is_good_and_local(demo):
    done = demo.command("check", "-c", VHOSTS / "server.lua", "-s", demo.state)
    assert done.returncode == 0, done.stdout + done.stderr
    listens = re.findall(r'^listen "([^"]*)"', (VHOSTS / "server.lua").read_text(), re.M)
    assert listens == ["127.0.0.1:8080"]
    words = [shlex.split(line) for line in (ROOT / "Makefile").read_text().splitlines() if "luttpd run" in line]
    assert words[0][words[0].index("-c") + 1] == "vhosts/server.lua"
