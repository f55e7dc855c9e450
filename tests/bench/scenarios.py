# SPDX-License-Identifier: Apache-2.0
"""scenarios.py – what is promised, and how each promise is measured. A function for each scenario: given
the settings, it returns a Result. `run` finds them in SCENARIOS.
"""
import hashlib
import statistics

import heads
import measure
import peers
import proc
import slow
import starts
import syscalls
from client import Load
from report import MIB, goal_row, goals_table, roles_table, servers_table, table
from server import Stage

VHOSTS = 100
HELLO = Load("/hello?name=bench")
STATIC = Load("/1k.bin")
MANY = Load("/1k.bin", vhosts=VHOSTS)
LARGE = Load("/10m.bin", connections=16)


class Result:
    """goals: rows of report.goal_row. text: markdown. data: everything measured, for --json."""

    def __init__(self, title, goals, text, data):
        self.title, self.goals, self.text, self.data = title, goals, text, data

    def markdown(self):
        return "\n\n".join([f"## {self.title}", *([goals_table(self.goals)] if self.goals else []), self.text])


def check_answers(servers, load):
    """All must give the same bytes, from every vhost; the null server only as many."""
    hosts = [f"v{i}.test" for i in range(1, load.vhosts + 1)] or [None]
    bodies = {}
    for server in servers:
        for host in hosts:
            body = server.wait_for(load.path, host)
            bodies[server.name] = len(body) if server.name == "null" else (len(body), hashlib.sha1(body).hexdigest())
    same = {answer for name, answer in bodies.items() if name != "null"}
    if len(same) != 1 or bodies.get("null", next(iter(same))[0]) != next(iter(same))[0]:
        raise RuntimeError(f"the servers answer {load.path} differently: {bodies}")


def logged_percent(servers, runs):
    """{server name: how much of its requests stand in its log}; who loses records has less to do."""
    return {server.name: server.logged_lines() * 100 / sum(run["made"] for run in runs[server.name])
            for server in servers if server.logs}


def compare(settings, load, make_servers, key="cpu_per_request", scale=1e6, unit="µs/request", per="requests"):
    """Runs the servers in rounds. Returns their runs, a promise about luttpd's log, and the tables."""
    with Stage() as stage:
        servers = [stage.start(server) for server in make_servers(stage)]
        check_answers(servers, load)
        runs = measure.rounds(servers, load, settings)
        stage.stop()
        logged = logged_percent(servers, runs)
    tables = [servers_table(servers, runs, key, scale, unit), roles_table(runs["luttpd"], per, scale, unit),
              "Requests that stand in the access log: "
              + ", ".join(f"{name} {percent:.1f} %" for name, percent in logged.items()) + "."]
    missing = goal_row("% of requests missing in luttpd's log", max(0.0, 100 - logged["luttpd"]), 0.1, 0)
    return runs, missing, "\n\n".join(tables)


def ratio_goal(what, runs, other, limit, goal, key="cpu_per_request"):
    return goal_row(what, statistics.median(measure.ratios(runs["luttpd"], runs[other], key)), limit, goal)


def lua_hello(settings):
    """A Lua answer: the owner's process against nginx's Lua module."""
    runs, missing, text = compare(settings, HELLO, lambda stage: [
        peers.luttpd(stage), peers.nginx(stage), peers.null(stage, "canned", len("hello bench"))])
    goal = ratio_goal("CPU of a Lua answer over nginx's Lua module", runs, "nginx", 1.15, 1.0)
    return Result("lua-hello: GET /hello?name=bench, 64 kept connections", [goal, missing], text, runs)


def static_1k(settings):
    """A file of 1 KiB from one vhost."""
    runs, missing, text = compare(settings, STATIC, lambda stage: [
        peers.luttpd(stage), peers.nginx(stage, cached=True), peers.nginx(stage), peers.h2o(stage),
        peers.lighttpd(stage), peers.null(stage, "file", stage.directory / "www" / "1k.bin")])
    goal = ratio_goal("CPU of a 1 KiB file over nginx with open_file_cache", runs, "nginx-cached", 1.1, 0.9)
    return Result("static-1k: a file of 1 KiB, 64 kept connections", [goal, missing], text, runs)


def vhosts_100(settings):
    """A file of 1 KiB from a hundred vhosts at random; with luttpd each has its own user and process."""
    runs, missing, text = compare(settings, MANY, lambda stage: [
        peers.luttpd(stage, vhosts=VHOSTS), peers.nginx(stage, vhosts=VHOSTS)])
    goal = ratio_goal("CPU of a 1 KiB file, 100 users, over one nginx process", runs, "nginx", 2.5, 1.8)
    return Result(f"vhosts-100: a file of 1 KiB, Host at random over {VHOSTS} vhosts", [goal, missing], text, runs)


def static_10m(settings):
    """A file of 10 MiB: CPU per byte. The client is the limit here, so throughput ranks nothing."""
    runs, missing, text = compare(settings, LARGE, lambda stage: [
        peers.luttpd(stage), peers.nginx(stage), peers.null(stage, "file", stage.directory / "www" / "10m.bin")],
        key="cpu_per_byte", scale=1e3 * 1024 * MIB, unit="ms/GiB", per="bytes")
    goal = ratio_goal("CPU per byte of a 10 MiB file over nginx", runs, "nginx", 1.0, None, "cpu_per_byte")
    return Result("static-10m: a file of 10 MiB, 16 kept connections", [goal, missing], text, runs)


def memory_of(server):
    """{role: [PSS of each process]}"""
    return {role: [proc.pss_bytes(pid) for pid in pids] for role, pids in syscalls.pids_by_role(server).items()}


def memory(_settings):
    """Proportional set size with a hundred vhosts: when all are ready, and after a request to each."""
    with Stage() as stage:
        server = stage.start(peers.luttpd(stage, vhosts=VHOSTS))
        idle = memory_of(server)
        for i in range(1, VHOSTS + 1):
            server.wait_for("/1k.bin", f"v{i}.test")
        used = memory_of(server)
    others = {name: sum(sum(sizes) for role, sizes in state.items() if role != "vhost") / MIB
              for name, state in (("idle", idle), ("used", used))}
    goals = [goal_row("PSS MiB of an idle vhost process", statistics.mean(idle["vhost"]) / MIB, 1.0, 0.5),
             goal_row("PSS MiB of all other processes together", max(others.values()), 10.0, None)]
    rows = [[f"{role} × {len(sizes)}", *[f"{reduce(state[role]) / MIB:.2f}" for state in (idle, used)
                                         for reduce in (statistics.mean, sum)]] for role, sizes in sorted(idle.items())]
    text = table(["process", "idle MiB each", "idle MiB all", "used MiB each", "used MiB all"], rows)
    return Result(f"memory: {VHOSTS} vhosts, each its own process", goals, text, {"idle": idle, "used": used})


def start(settings):
    """Time from exec to READY of a vhost process that is started alone."""
    with Stage() as stage:
        server = stage.start(peers.luttpd(stage, vhosts=VHOSTS))
        server.wait_for("/1k.bin", "v1.test")
        times = starts.measure(server, min(50, settings.rounds * 8))
    goal = goal_row("ms from exec to READY of a vhost process", statistics.median(times), 10.0, None)
    text = (f"{len(times)} starts: fastest {times[0]:.2f} ms, median {statistics.median(times):.2f} ms, "
            f"slowest {times[-1]:.2f} ms, all on core 0 with {VHOSTS - 1} idle neighbours.")
    return Result("start: a vhost process from exec to READY", [goal], text, times)


def system_calls(settings):
    """System calls per request of every kind of process."""
    counts = {}
    for name, load, vhosts in (("lua-hello", HELLO, 0), ("static-1k", STATIC, 0), ("vhosts-100", MANY, VHOSTS),
                               ("static-10m", Load(LARGE.path, connections=4), 0)):
        with Stage() as stage:
            server = stage.start(peers.luttpd(stage, vhosts=vhosts))
            check_answers([server], load)
            counts[name] = syscalls.count(server, load, max(2, settings.seconds))
    return Result("syscalls: system calls per request", [], syscalls.budget_table(counts), counts)


def slow_clients(settings):
    """Ten thousand clients that are slow, and what the others notice."""
    return Result(f"slow: {slow.CONNECTIONS} slow connections", *slow.slow(settings))


def codec(settings):
    """The HTTP/1.1 codec alone, beside h11."""
    return Result("codec: nanoseconds for a request head", *heads.codec(settings))


def pipelined_heads(settings):
    """A browser's head and a minimal answer: what whole servers pay for reading it."""
    return Result(f"heads: a head of 681 bytes, {heads.PIPELINED} in one go, answered by a redirect",
                  *heads.pipelined(settings))


SCENARIOS = {"codec": codec, "heads": pipelined_heads, "lua-hello": lua_hello, "static-1k": static_1k,
             "vhosts-100": vhosts_100, "static-10m": static_10m, "memory": memory, "start": start,
             "syscalls": system_calls, "slow": slow_clients}
