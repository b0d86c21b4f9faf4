"""Writes that need no hash, each on disk before it is answered, beside SQLite that commits one after the other on the same disk."""

import base64
import hashlib
import hmac
import itertools
import json
import shutil
import time

import fill
import load
from report import Section, medians
from subjects import doorward

RATIO, CONNECTIONS = 3.0, 256
# Of each kind in a round; sessions and codes can be used once, so a round that is made again has others.
WRITES, SPARE = 60_000, 2
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
SIGN_OUT, SECOND_STEP = "sign-out", "second-step"


def measure(machine, options, engine):
    """The section of one engine. On PostgreSQL the ratio is told and not judged: what commits one by one is SQLite."""
    section = Section(f"Durable writes, {engine}: {CONNECTIONS} connections")
    users = WRITES * (options.rounds + SPARE)
    plain, fresh, anew = {}, batches(users), batches(users)
    with doorward(engine, users, users) as (server, tables):
        half_sessions(tables, users)
        # Before the server has changed it.
        alone = server.data / "alone"
        if engine == "sqlite":
            alone.mkdir()
            shutil.copy(server.data / "doorward.db", alone / "doorward.db")
        server.start()
        for _, kind in itertools.product(range(options.rounds), (SIGN_OUT, SECOND_STEP)):
            if engine == "sqlite":
                plain.setdefault(kind, []).append(machine.alone(one_by_one, alone, kind, anew[kind], options.seconds))
            section.rounds.setdefault(kind, []).append(machine.alone(writes, server, kind, fresh[kind], options.seconds))
    for kind in (SIGN_OUT, SECOND_STEP):
        figures = section.lines[kind] = medians(section.rounds[kind], "per_second", "median_ms", "p99_ms")
        if kind in plain:
            base = section.lines[f"{kind}, one by one"] = medians(plain[kind], "per_second")
            section.rounds[f"{kind}, one by one"] = plain[kind]
            section.at_least(f"{engine}, {kind}: times one commit at a time", figures["per_second"] / base["per_second"], RATIO)
    return section


def batches(users):
    """For each kind, the first session of each batch of them."""
    return {kind: iter(range(first, first + users, WRITES)) for kind, first in ((SIGN_OUT, 0), (SECOND_STEP, users))}


def half_sessions(tables, users):
    """A session for each user that owes the code of an authenticator app; all apps have one seed."""
    now = int(time.time() * 1000)
    columns = ["user_id", "secret", "confirmed_at", "last_step", "created_at"]
    tables.insert("authenticators", columns, ([fill.uuid7(n, "user"), SEED, now, 0, now] for n in range(1, users + 1)))
    fill.sessions(tables, users, users, first=users, half=1)
    tables.settle()


def writes(server, kind, fresh, seconds):
    """The calls to the server, each with a session of its own."""
    values = fill.tokens(server.data / "tokens", WRITES, next(fresh))
    call = {"connections": CONNECTIONS, "values": values, "once": True, **load.bearer()}
    if kind == SIGN_OUT:
        return load.only(load.load(server.port, seconds, "/auth/v1/session", method="DELETE", **call), 204)
    body = json.dumps({"code": code(time.time())})
    return load.only(load.load(server.port, seconds, "/auth/v1/second-factor/totp", method="POST", body=body, **call))


def one_by_one(folder, kind, fresh, seconds):
    """The same by SQLite alone."""
    first = next(fresh)
    hashes = folder / "hashes"
    hashes.write_text("".join(f"{fill.token_hash(number)}\n" for number in range(first, first + WRITES)))
    where = ["--kind", kind, "--values", hashes, "--seconds", seconds]
    return load.program("commits", folder / "doorward.db", *where)


def code(now):
    """What the app shows (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(SEED), int(now // 30).to_bytes(8, "big"), hashlib.sha1)
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"
