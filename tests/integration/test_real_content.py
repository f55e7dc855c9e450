# SPDX-License-Identifier: Apache-2.0
"""Real content: a whole documentation tree by two real clients, a 6 GiB file, a 1 GiB upload."""
import hashlib
import os
import pathlib
import shutil
import subprocess
from urllib.parse import quote

import pytest

DOCUMENTATION = next(pathlib.Path("/usr/share").glob("cmake-*/Help"))  # of cmake-data: two thousand files
UPLOAD = """
files "/" { dir = "public" }
post "/count" (function(req, res)
  local n = 0
  for chunk in req:body() do n = n + #chunk end
  res:text(tostring(n))
end)
"""


def checksums(directory):
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(pathlib.Path(directory).rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def site(module_server):
    root = module_server.add_site("docs", hosts=["docs.test"], default=True, files={"vhost.lua": UPLOAD})
    shutil.copytree(DOCUMENTATION, root / "public" / "help")
    for path in [root / "public", *(root / "public").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    with open(root / "public" / "sparse.bin", "wb") as sparse:
        for gibibyte in range(6):
            sparse.seek(gibibyte * 2**30)
            sparse.write(b"mark %d" % gibibyte)
        sparse.truncate(6 * 2**30)
    (root / "public" / "sparse.bin").chmod(0o644)
    listing = "\n".join(f'<a href="{path.relative_to(root / "public")}">x</a>'
                        for path in sorted((root / "public" / "help").rglob("*")) if path.is_file())
    (root / "public" / "index.html").write_text(listing)
    (root / "public" / "index.html").chmod(0o644)
    module_server.start()
    return module_server


@pytest.fixture(scope="module")
def expected(site):
    sums = checksums(site.site_directory("docs") / "public" / "help")
    assert len(sums) >= 1000
    return sums


def test_documentation_tree_is_fetched_whole_by_curl(site, expected, tmp_path):
    lines = [f'url = "http://127.0.0.1:{site.port}/help/{quote(name)}"\noutput = "{tmp_path}/{name}"' for name in expected]
    (tmp_path / "urls").write_text("\n".join(lines))
    subprocess.run(["curl", "-sS", "--fail", "--create-dirs", "-K", tmp_path / "urls"], check=True, timeout=120)
    (tmp_path / "urls").unlink()
    assert checksums(tmp_path) == expected


def test_documentation_tree_is_fetched_whole_by_wget(site, expected, tmp_path):
    subprocess.run(["wget", "-q", "-r", "-l", "inf", "-np", "-nH", "--cut-dirs=1", "-P", tmp_path, "-A", "*",
                    "-R", "sparse.bin", f"http://127.0.0.1:{site.port}/index.html"], check=False, timeout=300)
    fetched = {name: total for name, total in checksums(tmp_path).items() if name in expected}
    assert fetched == expected


def memory_kib(process):
    return sum(int(process.status()[key].split()[0]) for key in ("RssAnon", "RssShmem"))


def test_six_gibibytes_are_fetched_whole(site):
    vhost, listener = site.process("vhost", "docs"), site.process("listener")
    before = memory_kib(vhost), memory_kib(listener)
    client = subprocess.Popen(["curl", "-sS", "--fail", f"http://127.0.0.1:{site.port}/sparse.bin"], stdout=subprocess.PIPE)
    size, marks = 0, []
    while True:
        block = client.stdout.read(1 << 20)
        if not block:
            break
        if b"mark " in block:
            at = block.index(b"mark ")
            marks.append((size + at, block[at:at + 6]))
        size += len(block)
    assert client.wait() == 0
    assert size == 6 * 2**30
    assert marks == [(i * 2**30, b"mark %d" % i) for i in range(6)]
    assert memory_kib(vhost) - before[0] < 4096 and memory_kib(listener) - before[1] < 4096


def test_gibibyte_is_uploaded_in_flat_memory(site, tmp_path):
    upload = tmp_path / "upload"
    with open(upload, "wb") as file:
        file.truncate(2**30)
    vhost, listener = site.process("vhost", "docs"), site.process("listener")
    before = memory_kib(vhost), memory_kib(listener)
    peak = [0, 0]
    client = subprocess.Popen(["curl", "-sS", "--fail", "-X", "POST", "-T", upload, "-H", "Expect:",
                               f"http://127.0.0.1:{site.port}/count"], stdout=subprocess.PIPE)
    while client.poll() is None:
        peak = [max(peak[0], memory_kib(vhost)), max(peak[1], memory_kib(listener))]
        os.sched_yield()
    assert client.stdout.read() == b"%d" % 2**30
    assert peak[0] - before[0] < 16384 and peak[1] - before[1] < 4096
