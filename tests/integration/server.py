# SPDX-License-Identifier: Apache-2.0
"""A real luttpd server for a test: its own directory, port 0, stopped at the end.

    def test_it(server):                       # fixture of conftest.py: not started yet
        server.add_site("alice", hosts=["alice.test"], files={"vhost.lua": 'files "/" { dir = "public" }',
                                                              "public/index.html": "hello"})
        server.start()
        assert server.get("/", host="alice.test").body == b"hello"
        vhost = server.process("vhost", "alice")   # facts from /proc
        reply = server.raw(b"GET / HTTP/1.0\\r\\n\\r\\n")

The binaries come from $LUTTPD_BUILD or build/release. Layout of server.directory:
server.lua, state/, logs/, stderr, and sites/NAME/ for each site.
"""
import ctypes
import http.client
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
BUILD = ROOT / os.environ.get("LUTTPD_BUILD", "build/release")
SANITIZED = "asan" in BUILD.name
PATIENCE = 40 if SANITIZED else 20  # seconds until something counts as hung

CAPABILITY_SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def wait_until(condition, what, seconds=PATIENCE, pause=0.01):
    """Returns the first true value of condition(); fails after some seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(pause)


def without_doubts(text):
    """Sanitizers doubt whether they know the script's own stack, and say so at each start."""
    return re.sub(r"^==\d+==WARNING: ASan doesn't fully support makecontext.*\n", "", text, flags=re.MULTILINE)


class Process:
    """One process of the tree, as /proc shows it now."""

    def __init__(self, pid):
        self.pid = pid
        self.proc = pathlib.Path(f"/proc/{pid}")
        words = (self.proc / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        match = re.fullmatch(r"luttpd: (\w+)(?: (.*))?", words)
        self.role, self.label = match.groups() if match else (words, None)

    def __repr__(self):
        return f"{self.role}{' ' + self.label if self.label else ''}[{self.pid}]"

    def status(self):
        """The fields of /proc/PID/status."""
        lines = (self.proc / "status").read_text().splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}

    def uids(self):
        return [int(number) for number in self.status()["Uid"].split()]

    def gids(self):
        return [int(number) for number in self.status()["Gid"].split()]

    def groups(self):
        return [int(number) for number in self.status()["Groups"].split()]

    def capabilities(self):
        status = self.status()
        return {name: int(status[name], 16) for name in CAPABILITY_SETS}

    def descriptors(self, tops=()):
        """{number: what it is}. tops: directories that a process may hold as the top of a mount tree of its
        own, where the kernel calls it "/": what is the same file below one of them gets its whole name."""
        found = {}
        for entry in (self.proc / "fd").iterdir():
            try:
                target = os.readlink(entry)
                whole = [f"{top}{target}".rstrip("/") for top in tops if target.startswith("/")]
                same = [path for path in whole if os.path.exists(path) and os.path.samefile(entry, path)]
                found[int(entry.name)] = same[0] if same else target
            except FileNotFoundError:
                pass
        return found

    def environment(self):
        return [item for item in (self.proc / "environ").read_bytes().split(b"\0") if item]

    def threads(self):
        return len(list((self.proc / "task").iterdir()))

    def start_time(self):
        """Tells two processes with one pid apart."""
        return int((self.proc / "stat").read_text().rpartition(")")[2].split()[19])

    def alive(self):
        try:
            return self.status()["State"][0] not in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid, number)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()


def die_with_parent():
    """In a child: the kernel ends it when the test runner dies."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Server:
    def __init__(self, build=BUILD, options=()):
        self.build = pathlib.Path(build)
        self.options = list(options)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="luttpd-test-"))
        self.directory.chmod(0o755)
        self.statements = [f'logs {{ dir = "{self.logs}", format = "both" }}']
        self.listens = ['listen "127.0.0.1:0"']
        self.child = None
        self.addresses = []
        self.owner = None  # (uid, gid) to run as, for single-user mode
        self.open_files = None  # hard limit, where a test wants one

    # Before the start

    @property
    def logs(self):
        return self.directory / "logs"

    @property
    def state(self):
        return self.directory / "state"

    @property
    def configuration(self):
        return self.directory / "server.lua"

    def site_directory(self, name):
        return self.directory / "sites" / name

    def add_files(self, name, files):
        """Writes files of a site: {path: str or bytes}, readable by everyone."""
        for path, content in files.items():
            target = self.site_directory(name) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
            target.chmod(0o644)
        return self.site_directory(name)

    def add_site(self, name, hosts=(), files=None, user="auto", default=False, extra=""):
        """Adds a vhost; extra: more fields, as Lua text. Returns its directory."""
        self.add_files(name, files if files is not None else {"vhost.lua": ""})
        self.site_directory(name).mkdir(parents=True, exist_ok=True)
        quoted = ", ".join(f'"{host}"' for host in hosts)
        fields = [f'root = "{self.site_directory(name)}"', f'user = "{user}"']
        if hosts:
            fields.append(f"hosts = {{ {quoted} }}")
        if default:
            fields.append("default = true")
        if extra:
            fields.append(extra)
        self.statements.append(f'vhost "{name}" {{ {", ".join(fields)} }}')
        return self.site_directory(name)

    def write_configuration(self):
        self.configuration.write_text("\n".join(self.listens + self.statements) + "\n")

    # Life

    def command(self, *words, **options):
        """Runs the luttpd command. Returns the finished process with its text."""
        done = subprocess.run([self.build / "bin" / "luttpd", *words], capture_output=True, text=True,
                              timeout=PATIENCE * 2, check=False, **options)
        done.stderr = without_doubts(done.stderr)
        return done

    def spawn(self):
        """Starts without waiting for anything."""
        with open(self.directory / "stderr", "ab") as stderr:
            words = [self.build / "bin" / "luttpd", "run", "-c", self.configuration, "-s", self.state, *self.options]
            user = {"user": self.owner[0], "group": self.owner[1], "extra_groups": []} if self.owner else {}
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                                          cwd=self.directory, preexec_fn=self._in_child, **user)
        return self

    def _in_child(self):
        die_with_parent()
        if self.open_files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.open_files, self.open_files))

    def start(self, write=True):
        """Starts and waits until it serves."""
        if write:
            self.write_configuration()
        self.spawn()
        line = self.child.stdout.readline().decode()
        assert line.startswith("luttpd: serving "), f"it does not serve: {line!r}\n{self.stderr}"
        self.addresses = line.split()[2:]
        return self

    @property
    def pid(self):
        return self.child.pid

    @property
    def port(self):
        """The port of the first address."""
        return int(self.addresses[0].rpartition(":")[2])

    @property
    def stderr(self):
        path = self.directory / "stderr"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait(self, seconds=PATIENCE):
        """Waits for its end. Returns the exit status."""
        return self.child.wait(seconds)

    def stop(self):
        """SIGTERM, then the exit status. Safe to call twice."""
        if self.child is None:
            return None
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        status = self.wait()
        self.child.stdout.close()
        return status

    def remove(self):
        """What a fixture does last."""
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.wait()
        mistakes = [line for line in self.stderr.splitlines() if "this must hold" in line or "Sanitizer" in line]
        shutil.rmtree(self.directory, ignore_errors=True)
        assert not mistakes, mistakes

    # Processes

    def processes(self):
        """Every process of the server, master first."""
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        found = []
        for pid in [self.pid, *map(int, children)]:
            try:
                process = Process(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if process.alive():
                found.append(process)
        return found

    def process(self, role, label=None):
        """The one process of this role (and label), or None."""
        for process in self.processes():
            if process.role == role and label in (None, process.label):
                return process
        return None

    def wait_for_successor(self, process, seconds=PATIENCE):
        """Another process in the place of this one."""
        def successor():
            other = self.process(process.role, process.label)
            return other if other is not None and other.pid != process.pid else None
        return wait_until(successor, f"a successor of {process}", seconds)

    # Requests

    def connect(self, timeout=PATIENCE):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def raw(self, data, timeout=PATIENCE):
        """Sends bytes, returns everything that comes until the server closes."""
        with self.connect(timeout) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def request(self, method, path, host="localhost", body=None, headers=None, timeout=PATIENCE):
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers={"Host": host, **(headers or {})})
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, host="localhost", headers=None, timeout=PATIENCE):
        return self.request("GET", path, host, headers=headers, timeout=timeout)


def read_all(connection):
    parts = []
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)
