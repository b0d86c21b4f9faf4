"""How long a search by the beginning of a name takes among many users, by the console and by the API, on SQLite.

    scripts/bench-search.sh [--users 1000000 --calls 1000]

Each call looks for another beginning: a name that one user has, one that many have (the first 200 are shown), and one that nobody has. Beside
them stands the newest page of the list, which searches nothing.
"""

import argparse
import random
import sqlite3
import statistics
import time

import requests
from harness import Server

PASSWORD = "correct horse battery 9!"
FILL = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
BEGIN;
WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {users})
INSERT INTO users (id, username, username_key, email, email_key, first_name, last_name, role, status, email_verified_at, created_at)
SELECT printf('01930000-0000-7000-8000-%012x', i), 'User' || i, 'user' || i, 'Mail' || i || '@Example.org', 'mail' || i || '@example.org',
    'First ' || i, '', 'member', 'active', 1700000000000 + i, 1700000000000 + i FROM n;
COMMIT;
"""


def searches(users):
    """What is typed, by kind."""
    some = lambda: random.randint(1, users)
    return {
        "one username": lambda: f"user{some()}"[: len(f"user{users}")],
        "one address": lambda: f"mail{some()}@",
        "many": lambda: random.choice(["user", "mail"]) + str(random.randint(1, 99)),
        "nobody": lambda: f"nobody{some()}",
        "the list": lambda: "",
    }


def measure(session, url, typed, calls):
    """Milliseconds of each call."""
    took = []
    for _ in range(calls):
        asked = typed()
        began = time.perf_counter()
        answer = session.get(url, params={"search": asked} if asked else {}, headers={"Accept": "*/*"})
        took.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=1000)
    options = parser.parse_args()
    server = Server().start()
    try:
        server.cli("user", "create", "--email", "root@example.net", "--username", "root", "--admin", "--password-stdin", stdin=PASSWORD)
        body = {"identifier": "root", "password": PASSWORD}
        token = requests.post(f"{server.url}/auth/v1/sign-in/password", json=body).json()["token"]
        began = time.perf_counter()
        with sqlite3.connect(server.data / "doorward.db", isolation_level=None) as database:
            database.executescript(FILL.format(users=options.users))
        print(f"{options.users} users, made in {time.perf_counter() - began:.0f} s; milliseconds by HTTP, {options.calls} calls each")
        session = requests.Session()
        session.headers["Cookie"] = f"doorward={token}"
        for place in ("/admin/users", "/admin/v1/users"):
            for kind, typed in searches(options.users).items():
                took = measure(session, server.url + place, typed, options.calls)
                cuts = statistics.quantiles(took, n=100)
                print(f"{place:16} {kind:13} p50 {cuts[49]:7.2f}  p99 {cuts[98]:7.2f}  worst {max(took):7.2f}")
    finally:
        server.dispose()


main()
