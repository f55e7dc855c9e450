# SPDX-License-Identifier: Apache-2.0
"""A whole server of evil builds: the real roles, started by the real master, behind cages that a test can
open; one of them attacks as soon as its cage is closed."""
import re
import subprocess

from escape import BUILD, ESCAPE, WALLS
from server import Server, die_with_parent, wait_until

SOCIETY = ESCAPE / "society"
CANARY = "canary\n"


class Society(Server):
    """A server of evil builds. value: what the captured process is told to do."""

    def __init__(self, who, attack, omit=(), **targets):
        super().__init__(BUILD)
        self.who = who
        self.inherited = []  # descriptors that master gets beside its own
        values = {"only": who, "attack": attack, "omit": sum(WALLS[wall] for wall in omit), **targets}
        self.value = "test:" + ";".join(f"{key}={value}" for key, value in values.items())
        for name in ("alice", "bob"):
            self.add_site(name, hosts=[f"{name}.test"], files={
                "vhost.lua": 'get "/" (function(req, res) res:text("here") end)', "own": CANARY})

    def spawn(self):
        words = ["luttpd: master", "run", "root", self.directory, "server.lua", self.state]
        with open(self.directory / "stderr", "ab") as stderr:
            self.child = subprocess.Popen(words, executable=SOCIETY / "luttpd-master", stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=stderr, cwd=self.directory,
                                          pass_fds=self.inherited,
                                          env={"LUTTPD_TEST": self.value}, preexec_fn=die_with_parent)
        return self

    def result(self, attack):
        """What became of the attack, once master has heard of it."""
        pattern = re.compile(rf"{self.who}\[\d+\]: (?:evil {attack}: (\w+)|(seccomp: bad system call))")
        match = wait_until(lambda: pattern.search(self.stderr), f"{self.who} attacks")
        return match.group(1) or "killed"

    def launch(self, attack):
        """Starts and waits for the attack. Only a captured vhost lets the server serve all the same."""
        self.write_configuration()
        self.spawn()
        result = self.result(attack)
        if self.who.startswith("vhost"):
            self.addresses = self.child.stdout.readline().decode().split()[2:]
        return result
