# SPDX-License-Identifier: Apache-2.0
"""Real content: a whole documentation tree by two real clients, a 6 GiB file, a 1 GiB upload."""
import hashlib
import os
import pathlib
import shutil
import socket
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


def drop(connection, size, room=bytearray(1 << 22)):
    """Takes so many bytes without looking at them: the kernel need not even copy them."""
    while size > 0:
        n = connection.recv_into(room, min(size, len(room)), socket.MSG_TRUNC)
        assert n > 0, f"{size} bytes are missing"
        size -= n


def test_six_gibibytes_are_fetched_whole(site):
    vhost, listener = site.process("vhost", "docs"), site.process("listener")
    before = memory_kib(vhost), memory_kib(listener)
    with site.connect() as connection:
        connection.sendall(b"GET /sparse.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        assert head.startswith(b"HTTP/1.1 200 ") and b"content-length: %d\r\n" % (6 * 2**30) in head.lower(), head
        for number in range(6):  # each stands where it belongs, so nothing is missing, double or shifted between
            assert connection.recv(6, socket.MSG_WAITALL) == b"mark %d" % number
            drop(connection, 2**30 - 6)
        assert connection.recv(1) == b""
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
