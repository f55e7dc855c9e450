# SPDX-License-Identifier: Apache-2.0
"""server.py – starts and stops the servers that are compared; each is pinned to core 0.

    with Stage() as stage:                      # a temporary directory; everything started ends with it
        server = stage.start(peers.nginx(stage, cached=True))
        server.url, server.pid, server.processes()
"""
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import proc

SERVER_CPU, CLIENT_CPU = 0, 1
PATIENCE_SECONDS = 20
STOP_SECONDS = 7  # luttpd gives open requests five
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def before_exec():
    """In the child: one core, and no longer life than the benchmark's."""
    os.sched_setaffinity(0, {SERVER_CPU})
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """One server to compare. command: argv that stays in the foreground. port: None where the server
    prints its address, as luttpd does. logs: where access logs appear, or None without one."""

    def __init__(self, name, command, directory, port=None, logs=None, note=""):
        self.name, self.command, self.directory = name, command, directory
        self.port, self.logs, self.note = port, logs, note
        self.child = None

    @property
    def pid(self):
        return self.child.pid

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def processes(self):
        return proc.tree(self.pid)

    def start(self):
        with open(self.directory / "output", "ab") as output:
            stdout = subprocess.PIPE if self.port is None else output
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=output,
                                          cwd=self.directory, preexec_fn=before_exec, start_new_session=True)
        if self.port is None:
            line = self.child.stdout.readline().decode()
            if not line.startswith("luttpd: serving "):
                self.fail(f"said {line!r}")
            self.port = int(line.split()[2].rpartition(":")[2])

    def fail(self, why):
        """Raises, with what the server had to say."""
        raise RuntimeError(f"{self.name}: {why}\n{(self.directory / 'output').read_text(errors='replace')[-2000:]}")

    def get(self, path, host=None):
        """(status, body) of one request; (0, b"") where there is no answer."""
        request = urllib.request.Request(self.url + path, headers={"Host": host} if host else {})
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def wait_for(self, path, host=None):
        """Waits until this path is there. Returns its body."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            status, body = self.get(path, host)
            if status == 200:
                return body
            if self.child.poll() is not None or time.monotonic() > end:
                self.fail(f"answers {path} with {status}; exit status {self.child.poll()}")
            time.sleep(0.02)

    def stop(self):
        """SIGTERM to the first process; SIGKILL to what of its tree is left after some seconds."""
        if self.child is None:
            return
        known = {}
        if self.child.poll() is None:
            known = {pid: proc.stamp(pid) for pid in self.processes()}
            self.child.send_signal(signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while self.child.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        for pid, stamp in known.items():
            if stamp is not None and proc.stamp(pid) == stamp:
                os.kill(pid, signal.SIGKILL)
        self.child.wait(STOP_SECONDS)
        if self.child.stdout:
            self.child.stdout.close()
        self.child = None

    def logged_lines(self):
        """How many requests stand in its access logs; ask when it has stopped, then all is written."""
        count = 0
        for path in pathlib.Path(self.logs).rglob("access*"):
            with open(path, "rb") as log:
                while chunk := log.read(1 << 20):
                    count += chunk.count(b"\n")
        return count


class Stage:
    """The servers of one scenario, and the files that they serve."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="luttpd-bench-"))
        self.directory.chmod(0o755)
        self.servers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def folder(self, name):
        path = self.directory / name
        path.mkdir(parents=True)
        return path

    def start(self, server):
        self.servers.append(server)
        server.start()
        return server

    def stop(self):
        for server in reversed(self.servers):
            server.stop()
