"""What one call costs: processor time of the node, of the primary and of its synchronous standby, transactions, bytes of log.

    scripts/rates.sh [SECONDS]    of each kind of call, 20 by default; on a machine that does nothing else

Everything runs on this machine, with fsync on and each commit on the standby's disk before it is answered. Processor time does not
depend on how fast the callers are, so that a slow one does.
"""

import contextlib
import itertools
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy

import requests

import figures
import wires
from nodes import Nodes
from postgres import Pair

CALLERS, USERS = 8, 200
TICK = os.sysconf("SC_CLK_TCK")


def processor_time(pids, with_children=False):
    """Seconds that processes have worked, and their children that are gone."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/stat") as stat:
            words = stat.read().rpartition(")")[2].split()
            total += sum(map(int, words[11 : 15 if with_children else 13]))
    return total / TICK


class Meter:
    """Readings of everything that a call costs."""

    def __init__(self, pair, database, node):
        self.pair, self.database, self.node = pair, database, node

    def read(self):
        """What has been spent so far."""
        row = self.pair.primary.sql(
            f"SELECT pg_stat_clear_snapshot(), xact_commit, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') "
            f"FROM pg_stat_database WHERE datname = '{self.database}'"
        )[0]
        servers = (self.pair.primary, self.pair.standby)
        primary, standby = (processor_time(server.everyone(), True) for server in servers)
        node = processor_time([self.node.process.pid])
        return {"node": node, "primary": primary, "standby": standby, "transactions": int(row[1]), "log": int(row[2])}

    def spent(self, call, arguments, seconds):
        """Makes calls until the time or the arguments are used up; what each cost, and how long it took."""
        arguments, lock, times = iter(arguments), threading.Lock(), []
        before, began = self.read(), time.monotonic()

        def caller():
            with requests.Session() as http:
                http.trust_env = False
                http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
                while time.monotonic() < began + seconds:
                    with lock:
                        argument = next(arguments, None)
                    if argument is None:
                        return
                    at = time.monotonic()
                    call(http, argument)
                    times.append(time.monotonic() - at)

        with ThreadPoolExecutor(CALLERS) as pool:
            for done in [pool.submit(caller) for _ in range(CALLERS)]:
                done.result()
        passed = time.monotonic() - began
        time.sleep(1.5)  # what a call leaves for later, and the statistics of the database, which come a second late
        after = self.read()
        cost = {what: (after[what] - before[what]) / max(len(times), 1) for what in after}
        return {
            "calls": len(times),
            "per_second": round(len(times) / passed),
            **{f"{who}_ms": round(1000 * cost[who], 3) for who in ("node", "primary", "standby")},
            "transactions": round(cost["transactions"], 2),
            "log_bytes": round(cost["log"]),
            **{key: value for key, value in figures.spread(times or [0]).items() if key != "count"},
        }


def idle(meter, seconds):
    """What a node costs the database that has nothing to do, in milliseconds and bytes a second."""
    before = meter.read()
    time.sleep(seconds)
    after = meter.read()
    return {
        **{f"{who}_ms": round(1000 * (after[who] - before[who]) / seconds, 2) for who in ("node", "primary", "standby")},
        "log_bytes": round((after["log"] - before["log"]) / seconds),
    }


def measure(seconds):
    """One line a kind of call."""
    pair, nodes = Pair(), None
    try:
        database = pair.primary.create_database()
        nodes = Nodes(pair.url(database), 1, limits=True, env={"DOORWARD_LOG__FILTER": "warn"}).start()
        node = nodes[0]
        with ThreadPoolExecutor(4) as pool:
            users = list(pool.map(lambda _: node.user(), range(USERS)))
        meter, tokens = Meter(pair, database, node), []

        def sign_in(http, user):
            body = {"identifier": user.email, "password": user.password}
            answer = http.post(f"{node.url}/auth/v1/sign-in/password", json=body)
            assert answer.status_code == 200, answer.text
            tokens.append(answer.json()["token"])

        def check(http, token):
            answer = http.get(f"{node.url}/auth/v1/session", headers=wires.bearer(token))
            assert answer.status_code == 200, answer.text

        def sign_out(http, token):
            assert http.delete(f"{node.url}/auth/v1/session", headers=wires.bearer(token)).status_code == 204

        def report(name, values):
            figures.measured[name] = values
            print(figures.lines()[-1], flush=True)

        report("idle, a second", idle(meter, seconds))
        meter.spent(sign_in, users, seconds)  # pages that the log has whole, statements that are prepared
        report("sign-in, without its hash", meter.spent(sign_in, itertools.cycle(users), seconds))
        remembered = tokens[-1000:]
        meter.spent(check, remembered, seconds)
        report("session check from memory", meter.spent(check, itertools.cycle(remembered), seconds))
        node.stop()
        node.env["DOORWARD_SESSIONS__CACHE_MIB"] = "0"
        node.start()
        report("session check from the database", meter.spent(check, itertools.cycle(tokens), seconds))
        report("sign-out", meter.spent(sign_out, tokens, seconds))
        print(json.dumps(figures.measured, indent=1))
    finally:
        if nodes:
            nodes.dispose()
        pair.dispose()


if __name__ == "__main__":
    measure(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0)
