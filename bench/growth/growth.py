"""What calls cost when there are many sessions: on servers of 1,000, a million and ten million, side by side in one run, taking turns.

    just bench-growth [--sessions 1000 --sessions 1000000 --sessions 10000000 --engine sqlite --engine postgres --only ROW]
    just bench-growth load …      fills a database, see load.py
    just bench-growth sweep …     checks while expired sessions are swept, see sweep.py

Of each kind of call, two costs are compared with those of the smallest: what the machine is kept busy by one of 32 (sign-ins: 8) that are
under way at all times, and the median latency of one at a time. Beside them stands what processor
time the server, and PostgreSQL, took for one call. Ends with 0 if the bars are met, 1 if not, 2 if the machine was busy.
"""

import argparse
import contextlib
import os
import sys
import time

import requests

import load
import measure
import postgres
import processes
import sweep
from harness import ROOT, Server

SCRIPT = ROOT / "bench/growth/growth.lua"
# Of the cost at the smallest size.
GROWTH = 1.25
# Sessions that are in use, where memory is to have them: as many at every size.
IN_USE = 1000
ADMIN = "root"
# A quarter of the machine's memory, with which PostgreSQL's documentation has one begin (19.4, shared_buffers).
MEMORY_MB = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
POSTGRES = {"shared_buffers": f"{MEMORY_MB // 4}MB", "max_connections": "200", "max_wal_size": "4GB", "shared_memory_type": "mmap"}
CHEAP = {"DOORWARD_PASSWORDS__MEMORY_KIB": "8", "DOORWARD_PASSWORDS__ITERATIONS": "1"}
QUIET = {"DOORWARD_LOG__FILTER": "warn"}
# Memory for ten million sessions, which take 2.6 GB of it.
ROOM = {"DOORWARD_SESSIONS__CACHE_MIB": "4096"}
ALL_IN_MEMORY = "check, any, memory for all"


class Size:
    """A database with so many sessions, and three servers for it, of which one runs at a time: one that hashes at the least cost, and two at the
    default cost, of which one keeps no sessions in memory and one all of them."""

    def __init__(self, sessions, database, stack):
        self.sessions, self.users = sessions, max(sessions // load.EACH, 1)
        place = {"DOORWARD_DATABASE_URL": database} if database else {}
        self.cheap = Server(env={**QUIET, **CHEAP, **place}, cheap=False, limits=True)
        stack.callback(self.cheap.dispose)
        self.database = database or str(self.cheap.data / "doorward.db")
        self.cheap.run("migrate")
        seconds = load.load(self.database, sessions)
        print(f"{sessions} sessions loaded in {seconds:.0f} s", flush=True)
        self.cheap.user("--admin", username=ADMIN, password=load.PASSWORD)
        place = database or f"sqlite://{self.database}"
        self.plain, self.roomy = (
            Server(env={**QUIET, **cache, "DOORWARD_DATABASE_URL": place}, cheap=False, limits=True)
            for cache in ({"DOORWARD_SESSIONS__CACHE_MIB": "0"}, ROOM)
        )
        for server in (self.plain, self.roomy):
            stack.callback(server.dispose)
        self.remembered, self.running = 0, None
        self.run_alone(self.cheap)
        body = {"identifier": ADMIN, "password": load.PASSWORD}
        self.admin = requests.post(f"{self.cheap.url}/auth/v1/sign-in/password", json=body, timeout=30).json()["token"]
        self.after_load = self.ask("SELECT max(id) FROM sessions")
        self.after_audit = self.ask("SELECT max(id) FROM audit")

    def run_alone(self, server):
        """Starts a server, and stops the one that ran before: on SQLite, what it writes (it sweeps, now and then) has the others forget all."""
        if server is self.running:
            return
        if self.running:
            self.running.stop()
        server.start()
        self.running = server

    def ask(self, sql):
        """The one value that a statement gives."""
        return sweep.ask(self.database, sql)

    def remember(self):
        """Has the roomy server hear of every session once."""
        began = time.monotonic()
        while self.remembered < self.sessions:
            url, left = f"http://127.0.0.1:{self.roomy.port}", (self.sessions, self.remembered)
            self.remembered += measure.wrk(url, SCRIPT, "check-each", 0, *left, seconds=5, connections=32)["requests"]
        seconds = time.monotonic() - began
        if seconds > 1:
            resident, _ = processes.memory(self.roomy.process.pid)
            print(f"{self.sessions} sessions brought into memory in {seconds:.0f} s: {resident / 1e6:.0f} MB", flush=True)

    def forget(self):
        """Removes what sign-ins have written, so that the sizes stay as they are."""
        self.ask(f"DELETE FROM sessions WHERE id > '{self.after_load}'")
        self.ask(f"DELETE FROM audit WHERE id > '{self.after_audit}'")


def checks(size, step):
    """Checks of sessions, one in `step`."""
    return "check", size.sessions, step


def searches(size, kind):
    """An administrator's searches."""
    return "search", size.users, kind, size.admin


# What is asked of a size, by the row of the table: the server, the arguments of the script, the connections.
SUBJECTS = {
    "check, in memory": lambda size: (size.cheap, checks(size, max(size.sessions // IN_USE, 1)), 32),
    ALL_IN_MEMORY: lambda size: (size.roomy, checks(size, 1), 32),
    "check, from the database": lambda size: (size.plain, checks(size, 1), 32),
    "sign-in, least hash": lambda size: (size.cheap, ("sign-in", size.users, 0), 8),
    "sign-in, default hash": lambda size: (size.plain, ("sign-in", size.users, 1), 8),
    "search, one name": lambda size: (size.cheap, searches(size, "one"), 32),
    "search, a hundred names": lambda size: (size.cheap, searches(size, "many"), 32),
    "search, nobody": lambda size: (size.cheap, searches(size, "nobody"), 32),
    # No bar: memory is as large at every size, and what is drawn from it is not.
    "check, any, 64 MiB": lambda size: (size.cheap, checks(size, 1), 32),
}
WITHOUT_BAR = {"check, any, 64 MiB"}


def ask(size, name, options, seed, cluster):
    """One measurement: the load, and one call at a time."""
    server, (kind, *arguments), connections = SUBJECTS[name](size)
    size.run_alone(server)
    url = f"http://127.0.0.1:{server.port}"
    if name == ALL_IN_MEMORY:
        size.remember()
    # What is read for the first time is another measurement.
    measure.wrk(url, SCRIPT, kind, seed, *arguments, seconds=1, connections=connections)
    # After ten million reads on PostgreSQL it once took longer than the usual time.
    measure.at_rest(options.force, patience=120)
    before = measure.processor_seconds(server.process, cluster)
    loaded = measure.wrk(url, SCRIPT, kind, seed, *arguments, seconds=options.seconds, connections=connections)
    used = measure.processor_seconds(server.process, cluster) - before
    alone = measure.wrk(url, SCRIPT, kind, seed, *arguments, seconds=max(options.seconds // 2, 1), connections=1)
    if kind == "sign-in":
        size.forget()
    found = {key: loaded[key] for key in ("per_second", "p99_ms")}
    return {**found, "alone_p50_ms": alone["p50_ms"], "processor_us": used * 1e6 / loaded["requests"]}


def grow(engine, options):
    """All sizes on one engine."""
    with contextlib.ExitStack() as stack:
        cluster = None
        if engine == "postgres":
            cluster = postgres.started(settings=POSTGRES)
            stack.callback(cluster.dispose)
        place = lambda: cluster.url(cluster.create_database()) if cluster else None
        sizes = [Size(sessions, place(), stack) for sessions in options.sessions]
        # Or the disk is still busy with what was loaded while the first row is measured.
        os.sync()
        rounds = {name: {size.sessions: [] for size in sizes} for name in options.only or SUBJECTS}
        for name, of_size in rounds.items():
            for number in range(options.rounds):
                for turn in range(len(sizes)):
                    size = sizes[(turn + number) % len(sizes)]
                    of_size[size.sessions].append(ask(size, name, options, number, cluster and cluster.process))
        return rounds


def judge(rounds):
    """Medians, and the growth since the smallest size within each round."""
    report = {}
    for name, of_size in rounds.items():
        middle = {size: measure.medians(each) for size, each in of_size.items()}
        base = of_size[min(of_size)]
        for size, one in middle.items():
            one["cost_ratio"] = round(measure.ratio(base, of_size[size], "per_second"), 2)
            one["alone_ratio"] = round(measure.ratio(of_size[size], base, "alone_p50_ms"), 2)
            one["met"] = name in WITHOUT_BAR or max(one["cost_ratio"], one["alone_ratio"]) <= GROWTH
        report[name] = middle
    return report


def show(engine, report):
    print(f"\n{engine}\n{'':26}{'sessions':>10}{'a second':>10}{'cost':>7}{'p99, ms':>9}{'alone, ms':>11}{'cost':>7}{'processor, us':>15}")
    for name, middle in report.items():
        for size, one in middle.items():
            verdict = "" if one["met"] else "  MISSED"
            print(
                f"{name:26}{size:>10}{one['per_second']:>10.0f}{one['cost_ratio']:>7.2f}{one['p99_ms']:>9.2f}"
                f"{one['alone_p50_ms']:>11.3f}{one['alone_ratio']:>7.2f}{one['processor_us']:>15.0f}{verdict}"
            )
    print(f"bar: {GROWTH} times the cost at the smallest size", flush=True)


def main(arguments):
    parser = argparse.ArgumentParser(prog="bench-growth")
    parser.add_argument("--sessions", type=int, action="append", help="a size; may be given several times")
    parser.add_argument("--engine", action="append", choices=["sqlite", "postgres"])
    parser.add_argument("--only", action="append", choices=SUBJECTS, metavar="ROW", help="a row of the table; may be given several times")
    measure.add_options(parser, 2, "bench-growth.json", rounds=7)
    options = parser.parse_args(arguments)
    options.sessions = options.sessions or [1000, 1_000_000, 10_000_000]
    report = {}
    for engine in options.engine or ["sqlite", "postgres"]:
        report[engine] = judge(grow(engine, options))
        show(engine, report[engine])
        # Kept at once: the other engine may find the machine busy.
        measure.finish(dict(report), options)
    return 0 if all(one["met"] for of in report.values() for middle in of.values() for one in middle.values()) else 1


if __name__ == "__main__":
    commands = {"load": load.main, "sweep": sweep.main}
    command, rest = (commands[sys.argv[1]], sys.argv[2:]) if sys.argv[1:2] and sys.argv[1] in commands else (main, sys.argv[1:])
    try:
        sys.exit(command(rest))
    except measure.Busy as error:
        print(f"no measurement: {error}", file=sys.stderr)
        sys.exit(2)
