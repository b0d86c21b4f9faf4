"""Checks while a million expired sessions are swept, beside checks in peace.

    just bench-growth sweep [--sessions 1000000 --expired 1000000 --engine sqlite --engine postgres]

Two of them at once, at a constant rate each: of a thousand sessions that memory has, and of any. In peace, then again while the server
deletes what is expired, which it begins within ten seconds of its start. Ends with 0 if the bars are met, 1 if not, 2 if the machine was
busy.
"""

import argparse
import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import time

import load
import measure
import postgres
from harness import ROOT, Server, until

# Of the p99 in peace.
SLOWER = 1.5
IN_USE = 1000
POSTGRES = {"shared_buffers": "2GB", "max_wal_size": "4GB"}


def ask(database, sql):
    """The one value that a statement gives."""
    if database.startswith("postgres"):
        answer = postgres.ask(database, sql, seconds=600)
        return answer[0][0] if answer else None
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        row = connection.execute(sql).fetchone()
        return row[0] if row else None


def soonest(database):
    """When the session ends that is swept next; reads one row of an index."""
    return int(ask(database, "SELECT min(idle_expires_at) FROM sessions"))


class Load:
    """The two streams of checks."""

    def __init__(self, server, options):
        command = [options.programs / "steady", f"127.0.0.1:{server.port}", "--sessions", str(options.sessions), "--rate", str(options.rate)]
        steps = {"in memory": max(options.sessions // IN_USE, 1), "any": 1}
        self.streams = {
            name: subprocess.Popen([*command, "--step", str(step)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for name, step in steps.items()
        }

    def end(self):
        """What they have found."""
        for stream in self.streams.values():
            stream.stdin.close()
        found = {name: json.loads(stream.stdout.read()) for name, stream in self.streams.items()}
        assert not any(stream.wait(30) for stream in self.streams.values())
        return found


def warm(server, options):
    """Before the first round of housekeeping: has memory what it is to have, and the pages that are often read."""
    one = Load(server, options)
    time.sleep(4)
    one.end()


def in_peace(server, options):
    """Checks while nothing is to be swept."""
    measure.at_rest(options.force)
    one = Load(server, options)
    time.sleep(options.seconds)
    return one.end()


def while_sweeping(server, database, options):
    """Checks for as long while something is; how fast that goes. `None` when the sweep has ended before."""
    one = Load(server, options)
    began, begun_at = time.monotonic(), soonest(database)
    time.sleep(options.seconds)
    took, ended_at = time.monotonic() - began, soonest(database)
    found = one.end()
    # The expired ends are a millisecond apart (load.py), and are deleted in their order.
    return {**found, "swept_per_second": round((ended_at - begun_at) / took)} if ended_at < time.time() * 1000 else None


def swept(server, database, options):
    """As many measurements as there are rounds, or as the sweep lasts for; and how long the server took to end in the middle of it."""
    first = soonest(database)
    assert first < time.time() * 1000, "the sweep had begun too soon"
    until(lambda: soonest(database) > first, "the sweep has begun", 60)
    found = []
    while len(found) < options.rounds and (one := while_sweeping(server, database, options)):
        found.append(one)
    assert found, "the sweep was over too soon to measure it: it needs more expired sessions"
    began = time.monotonic()
    server.stop(120)
    return found, time.monotonic() - began


def measured(engine, options):
    """One engine: in peace, then while it sweeps."""
    with contextlib.ExitStack() as stack:
        environment = {"DOORWARD_LOG__FILTER": "warn"}
        if engine == "postgres":
            cluster = postgres.started(settings=POSTGRES)
            stack.callback(cluster.dispose)
            environment["DOORWARD_DATABASE_URL"] = cluster.url(cluster.create_database())
        server = Server(env=environment)
        stack.callback(server.dispose)
        database = environment.get("DOORWARD_DATABASE_URL", str(server.data / "doorward.db"))
        server.run("migrate")
        load.load(database, options.sessions)
        server.start()
        warm(server, options)
        peace = [in_peace(server, options) for _ in range(options.rounds)]
        server.stop()
        load.fill(database, lambda say: load.expired_rows(say, options.sessions, options.expired))
        server.start()
        warm(server, options)
        sweeping, end = swept(server, database, options)
        return {"peace": peace, "sweeping": sweeping, "end_seconds": round(end, 2)}


def judge(found):
    """Medians of the p99, and their ratio."""
    report = {}
    for name in ("in memory", "any"):
        peace, sweeping = (measure.medians([one[name] for one in found[when]]) for when in ("peace", "sweeping"))
        ratio = round(sweeping["p99_ms"] / peace["p99_ms"], 2)
        report[name] = {"peace": peace, "sweeping": sweeping, "p99_ratio": ratio, "met": ratio <= SLOWER}
    return {**report, "rounds": found}


def show(engine, report):
    speed = [one["swept_per_second"] for one in report["rounds"]["sweeping"]]
    ended = report["rounds"]["end_seconds"]
    print(f"\n{engine}: {min(speed)} to {max(speed)} expired sessions deleted a second; the server ended in the middle of it within {ended} s")
    print(f"{'checks of sessions':20}{'p50, p99, p99.9 in peace, ms':>32}{'while sweeping':>26}{'p99, ratio':>12}")
    for name in ("in memory", "any"):
        one = report[name]
        cells = ["  ".join(f"{one[when][key]:.2f}" for key in ("p50_ms", "p99_ms", "p999_ms")) for when in ("peace", "sweeping")]
        print(f"{name:20}{cells[0]:>32}{cells[1]:>26}{one['p99_ratio']:>12.2f}{'' if one['met'] else '  MISSED'}")
    print(f"bar: {SLOWER} times the p99 in peace", flush=True)


def main(arguments):
    parser = argparse.ArgumentParser(prog="bench-growth sweep")
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--expired", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=1000, help="checks a second of each of the two kinds")
    parser.add_argument("--engine", action="append", choices=["sqlite", "postgres"])
    measure.add_options(parser, 10, "bench-sweep.json")
    options = parser.parse_args(arguments)
    options.programs = pathlib.Path(os.environ.get("BENCH_PROGRAMS", ROOT / "target/release"))
    report = {}
    for engine in options.engine or ["sqlite", "postgres"]:
        report[engine] = judge(measured(engine, options))
        show(engine, report[engine])
    met = all(one[name]["met"] for one in report.values() for name in ("in memory", "any"))
    measure.finish(report, options)
    return 0 if met else 1
