# SPDX-License-Identifier: Apache-2.0
"""measure.py – interleaved rounds: A B C, A B C, ... Each run counts the CPU time of a server's whole
process tree, and ratios are taken inside a round, so slow changes of the machine cancel out.
"""
import statistics
import time

import client
import proc

NOISE_MAX = 0.10  # of a core used by anything that is neither server nor client
IDLE_PAUSE_SECONDS = 0.3


class Settings:
    """rounds, seconds of a run; patience: seconds in all that may go into waiting for a quiet machine."""

    def __init__(self, rounds, seconds, patience, warm_each):
        self.rounds, self.seconds, self.patience, self.warm_each = rounds, seconds, patience, warm_each


def wait_for_quiet(settings):
    """Until others use little, or patience ends."""
    while settings.patience > 0:
        before = proc.machine_busy_seconds()
        time.sleep(IDLE_PAUSE_SECONDS)
        busy = (proc.machine_busy_seconds() - before) / IDLE_PAUSE_SECONDS
        if busy <= NOISE_MAX:
            return
        settings.patience -= IDLE_PAUSE_SECONDS


def measure_once(server, load, seconds):
    """One run: what the client saw, and {role: (seconds, user, system)} of the server."""
    before, machine = proc.cpu_of_tree(server.pid), proc.machine_busy_seconds()
    run = client.run(load, server, seconds)
    machine = proc.machine_busy_seconds() - machine
    run["roles"] = proc.cpu_between(before, proc.cpu_of_tree(server.pid))
    run["cpu"] = sum(row[0] for row in run["roles"].values())
    run["noise"] = max(0.0, (machine - run["cpu"] - run["client_cpu"]) / run["wall"])
    run["pss"] = sum(map(proc.pss_bytes, server.processes()))
    run["cpu_per_request"] = run["cpu"] / run["requests"]
    run["cpu_per_byte"] = run["cpu"] / run["bytes"]
    return run


def measure(server, load, settings, warm):
    """One run; where others used the machine it is made again, and the quietest is kept."""
    made = client.run(load, server, 1)["requests"] if warm else 0
    best = None
    while True:
        wait_for_quiet(settings)
        run = measure_once(server, load, settings.seconds)
        made += run["requests"]
        if best is None or run["noise"] < best["noise"]:
            best = run
        if best["noise"] <= NOISE_MAX or settings.patience <= 0:
            break
        settings.patience -= run["wall"]
    best["made"] = made
    return best


def rounds(servers, load, settings):
    """{server name: [run of each round]}"""
    runs = {server.name: [] for server in servers}
    for i in range(settings.rounds):
        for server in servers:
            runs[server.name].append(measure(server, load, settings, warm=i == 0 or settings.warm_each))
    return runs


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def ratios(runs, others, key):
    """This server's figure over the other's, for each round."""
    return [one[key] / other[key] for one, other in zip(runs, others)]
