#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attack 33, to be run as pid 1 of a pid namespace: lets every kind of process of a server die, gives their
numbers to innocent processes, and has master end its children in every way that it has. Prints what became
of the innocent, as JSON: {"recycled": {pid: role}, "ended": how, "hit": [roles that felt a signal]}.

    recycle.py STOP|STOP_AT_ONCE|STUCK|SIGNALS       the last: this script itself signals the numbers"""
import json
import os
import pathlib
import signal
import sys

from server import Server, wait_until

LAST_PID = pathlib.Path("/proc/sys/kernel/ns_last_pid")
PAGE = 'get "/" (function(req, res) res:text("here") end)'


def innocent(pid):
    """A process with this very number that blocks every signal, so that each one that comes stays visible."""
    LAST_PID.write_text(str(pid - 1))
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        signal.sigwait([signal.SIGRTMAX])
        os._exit(0)
    if child != pid:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return child == pid


def was_hit(pid):
    if os.waitpid(pid, os.WNOHANG) != (0, 0):
        return True
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return any(int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd")))


def bury_all(server):
    """Kills one of each; their successors are there, and nobody has the old numbers."""
    dead = {}
    for role, label in (("vhost", "alice"), ("router", None), ("logger", None), ("listener", None)):
        process = server.process(role, label)
        process.kill()
        server.wait_for_successor(process)
        dead[process.pid] = role
    wait_until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in dead), "they are reaped")
    return dead


def end(server, how, recycled):
    if how == "SIGNALS":
        for pid in recycled:
            os.kill(pid, signal.SIGTERM)
    if how == "STUCK":  # master loses patience with whoever does not answer
        server.process("vhost", "alice").kill(signal.SIGSTOP)
    if how == "STOP_AT_ONCE":
        server.process("vhost", "alice").kill(signal.SIGSTOP)
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: "luttpd: stopping" in server.stderr, "it stops")
        os.kill(server.pid, signal.SIGTERM)
    return server.stop()


def main(how):
    server = Server()
    for name in ("alice", "bob"):
        server.add_site(name, hosts=[f"{name}.test"], files={"vhost.lua": PAGE})
    try:
        server.start()
        dead = bury_all(server)
        recycled = {pid: role for pid, role in dead.items() if innocent(pid)}
        ended = end(server, how, recycled)
        print(json.dumps({"recycled": recycled, "ended": ended, "log": server.stderr,
                          "hit": sorted(role for pid, role in recycled.items() if was_hit(pid))}))
    finally:
        server.remove()


main(sys.argv[1])
