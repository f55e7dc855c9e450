# SPDX-License-Identifier: Apache-2.0
"""report.py – markdown for people."""
import statistics

from measure import NOISE_MAX, median, ratios

MIB = 1024 * 1024


def table(head, rows):
    """A markdown table whose source can be read too; the first column is text, the others numbers."""
    rows = [head, *[[str(cell) for cell in row] for row in rows]]
    width = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width[i]) if i == 0 else cell.rjust(width[i])
                               for i, cell in enumerate(row)) + " |" for row in rows]
    rule = "|" + "|".join(":-" + "-" * w if i == 0 else "-" * w + "-:" for i, w in enumerate(width)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def goal_row(what, value, limit, goal, form="{:.2f}"):
    """One promise: its figure, what it must not exceed, and what it should reach."""
    verdict = "PASS" if value <= limit else "MISS"
    return {"what": what, "value": value, "limit": limit, "goal": goal, "verdict": verdict, "form": form}


def goal_cells(row):
    show = row["form"].format
    if row["goal"] is None:
        return [row["what"], show(row["value"]), show(row["limit"]), "", row["verdict"]]
    verdict = row["verdict"] + (", goal reached" if row["value"] <= row["goal"] else "")
    return [row["what"], show(row["value"]), show(row["limit"]), show(row["goal"]), verdict]


def goals_table(rows):
    return table(["promise", "measured", "at most", "goal", "verdict"], map(goal_cells, rows))


def split(runs):
    """"user/system" in percent."""
    user = sum(row[1] for run in runs for row in run["roles"].values())
    system = sum(row[2] for run in runs for row in run["roles"].values())
    return f"{user * 100 / max(1, user + system):.0f}/{system * 100 / max(1, user + system):.0f}"


def notes(server, runs):
    words = [server.note] if server.note else []
    loud = sum(run["noise"] > NOISE_MAX for run in runs)
    if loud:
        words.append(f"{loud} of {len(runs)} runs disturbed")
    if median(runs, "client_cpu") / median(runs, "wall") > 0.9:
        words.append("client full")
    return ", ".join(words)


def server_rows(servers, runs, key, scale):
    """A row for each server: what it cost, and luttpd's cost divided by it."""
    rows = []
    for server in servers:
        mine = runs[server.name]
        over = ratios(runs["luttpd"], mine, key)
        rate = [run["per_second"] for run in mine]
        rows.append([server.name, f"{median(mine, key) * scale:.2f}", split(mine),
                     f"{statistics.median(over):.2f} ({min(over):.2f}–{max(over):.2f})",
                     f"{statistics.median(rate):.0f} ({min(rate):.0f}–{max(rate):.0f})",
                     f"{median(mine, 'p50') / 1000:.2f}", f"{median(mine, 'p99') / 1000:.2f}",
                     f"{median(mine, 'cpu') / median(mine, 'wall') * 100:.0f}/"
                     f"{median(mine, 'client_cpu') / median(mine, 'wall') * 100:.0f}",
                     f"{median(mine, 'pss') / MIB:.1f}", notes(server, mine)])
    return rows


def servers_table(servers, runs, key, scale, unit):
    head = ["server", f"CPU {unit}", "user/system %", "luttpd to it", "req/s", "p50 ms", "p99 ms",
            "server/client %", "PSS MiB", "notes"]
    return table(head, server_rows(servers, runs, key, scale))


def roles_table(runs, per, scale, unit):
    """Where luttpd's own time goes."""
    rows = []
    for name in sorted({name for run in runs for name in run["roles"]}):
        seconds = statistics.median(run["roles"].get(name, [0])[0] / run[per] for run in runs)
        user = sum(run["roles"].get(name, [0, 0, 0])[1] for run in runs)
        system = sum(run["roles"].get(name, [0, 0, 0])[2] for run in runs)
        total = statistics.median(run["cpu"] / run[per] for run in runs)
        rows.append([name, f"{seconds * scale:.3f}", f"{seconds / total * 100:.0f}",
                     f"{user * 100 / max(1, user + system):.0f}/{system * 100 / max(1, user + system):.0f}"])
    return table(["luttpd's process", f"CPU {unit}", "share %", "user/system %"], rows)
