"""Fills a database with sessions, and with a tenth as many users, each with a password.

    just bench-growth load --sessions 10000000 --database doorward.db
    just bench-growth load --sessions 10000000 --database postgres://…

The database must have its schema already (`doorward migrate`), and no server may be using it. User 7 is called user00000007, the password
of all is the same; of those with even numbers it is kept at the least cost that there is, of the others at the default cost. What opens
session 7 is `token(7)`, so that nobody has to keep a list. Rows are as the server writes them, but for the tokens and for the time of the
last use, which is a day ahead: to write uses down is work that goes by the sessions that are in use, not by how many there are.
"""

import argparse
import hashlib
import pathlib
import sqlite3
import time

import postgres

PASSWORD = "a parrot of the north"
CHEAP = "$argon2id$v=19$m=8,t=1,p=1$dP+WEQuN+QI/dRi4LFd8bQ$vO0kSB1mL/UqVFYil8wqomRjYgtkKM/k+9tYuQeoCB8"
DEFAULT = "$argon2id$v=19$m=19456,t=2,p=1$pgpmiBGx7F/75PzLQGil8g$BfE+RtcB7VMz2gRgWC2bOByv88Kwe7ONKyP1GPUk+lc"
# Sessions of one user.
EACH = 10
DAY = 86_400_000
# Ids begin with a time; those of users with this one, far before any session's.
USERS_SINCE = 1_700_000_000_000
TABLES = "'users', 'passwords', 'sessions'"
# SQLite's memory for the indexes of ten million sessions.
CACHE_KIB = 4 << 20


def token(number):
    """What opens a session. The load generators make the same (growth.lua, bin/steady.rs)."""
    return f"growth-{number:036d}"


class Sqlite:
    """How SQLite says what the rows are made of."""

    numbers = "WITH RECURSIVE n (i) AS (VALUES ({first}) UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
    source = "FROM n"

    @staticmethod
    def hexadecimal(number, width):
        return f"printf('%0{width}x', {number})"

    @staticmethod
    def digits(number, width):
        return f"printf('%0{width}d', {number})"

    @staticmethod
    def sha256(kind, text):
        return f"sha256('{kind}', {text})"


class Postgres:
    """How PostgreSQL says it."""

    numbers = ""
    source = "FROM generate_series(CAST({first} AS BIGINT), {last}) AS n (i)"

    @staticmethod
    def hexadecimal(number, width):
        return f"lpad(to_hex({number}), {width}, '0')"

    @staticmethod
    def digits(number, width):
        return f"lpad(CAST({number} AS TEXT), {width}, '0')"

    @staticmethod
    def sha256(kind, text):
        return f"encode(sha256(convert_to('{kind}', 'UTF8') || '\\x00'::bytea || convert_to({text}, 'UTF8')), 'hex')"


def identifier(say, since, number):
    """A UUIDv7 of the millisecond `since` + `number`, its random part spread by a multiplication."""
    at = say.hexadecimal(f"({since} + {number})", 12)
    spread = f"(({number}) * 2654435761 % 4294967296)"
    low, high = say.hexadecimal(f"({spread} % 4096)", 3), say.hexadecimal(f"({spread} * 65521 % 281474976710656)", 12)
    return f"substr({at}, 1, 8) || '-' || substr({at}, 9, 4) || '-7' || {low} || '-8' || {low} || '-' || {high}"


def insert(say, table, columns, first, last):
    """One statement that adds the rows `first` to `last`."""
    rows = f"SELECT {', '.join(columns.values())} {say.source}"
    return f"{say.numbers} INSERT INTO {table} ({', '.join(columns)}) {rows};".format(first=first, last=last)


def user_rows(say, first, last):
    """Users and their passwords."""
    name, at, key = f"'user' || {say.digits('i', 8)}", f"{USERS_SINCE} + i", identifier(say, USERS_SINCE, "i")
    user = {
        "id": key,
        "username": name,
        "username_key": name,
        "email": f"{name} || '@example.org'",
        "email_key": f"{name} || '@example.org'",
        "first_name": "'Ada'",
        "last_name": "'Lovelace'",
        "role": "'member'",
        "status": "'active'",
        "email_verified_at": at,
        "created_at": at,
    }
    password = {
        "user_id": key,
        "phc": f"CASE i % 2 WHEN 0 THEN '{CHEAP}' ELSE '{DEFAULT}' END",
        "changed_at": at,
        "decoy_key": f"substr({say.sha256('decoy', 'CAST(i AS TEXT)')}, 1, 32)",
    }
    return insert(say, "users", user, first, last) + insert(say, "passwords", password, first, last)


def session_rows(say, first, last, users, now, idle_expires_at):
    """Sessions, each of another user than the one before it."""
    owner = f"(1 + (i * 7919) % {users})"
    since = now - 2 * DAY
    session = {
        "id": identifier(say, since, "i"),
        "token_hash": say.sha256("session", f"'growth-' || {say.digits('i', 36)}"),
        "user_id": identifier(say, USERS_SINCE, owner),
        "half": "0",
        "factors": "'password'",
        "dialect": "'native'",
        "address": "'192.0.2.' || CAST(i % 256 AS TEXT)",
        "user_agent": "'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'",
        "created_at": f"{since} + i",
        "authenticated_at": f"{since} + i",
        "last_seen_at": str(now + DAY),
        "idle_expires_at": str(idle_expires_at),
        "expires_at": str(now + 30 * DAY),
    }
    return insert(say, "sessions", session, first, last)


def rows(say, sessions):
    """All rows of a database with so many sessions."""
    now, users = int(time.time() * 1000), max(sessions // EACH, 1)
    return user_rows(say, 1, users) + session_rows(say, 1, sessions, users, now, now + 7 * DAY)


def expired_rows(say, live, expired):
    """Sessions that have expired, after `live` others."""
    now = int(time.time() * 1000)
    return session_rows(say, live + 1, live + expired, max(live // EACH, 1), now, f"{now - DAY} + i")


def fill_sqlite(path, make):
    """Runs what `make` says on a database file that nobody has open."""
    say = lambda kind, text: hashlib.sha256(f"{kind}\0{text}".encode()).hexdigest()
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.create_function("sha256", 2, say, deterministic=True)
        database.executescript(f"PRAGMA synchronous = OFF; PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = MEMORY;")
        # Without a log each row is written once; the server sets its own mode again.
        assert database.execute("PRAGMA journal_mode = OFF").fetchone() == ("off",), f"{path} is in use"
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Made from all rows at once, an index takes a fraction of the time.
        indexes = database.execute(
            f"SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({TABLES})"
        ).fetchall()
        database.executescript("".join(f"DROP INDEX {name};" for name, _ in indexes))
        database.executescript(f"BEGIN; {make(Sqlite)} COMMIT;")
        database.executescript("".join(f"{sql};" for _, sql in indexes))
    finally:
        database.close()


# What constrains the tables and what leads to them, in an order in which it can be made again.
CONSTRAINTS = f"""
SELECT 'ALTER TABLE ' || c.conrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(c.conname) || ';',
       'ALTER TABLE ' || c.conrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(c.conname) || ' ' || pg_get_constraintdef(c.oid) || ';'
FROM pg_constraint c JOIN pg_class t ON t.oid IN (c.conrelid, c.confrelid)
WHERE t.relname IN ({TABLES}) AND c.connamespace = current_schema()::regnamespace AND c.contype IN ('p', 'u', 'f')
GROUP BY c.oid, c.conrelid, c.conname, c.contype ORDER BY position(c.contype::text IN 'puf'), c.conname
"""
INDEXES = f"""
SELECT 'DROP INDEX ' || quote_ident(i.indexname) || ';', i.indexdef || ';' FROM pg_indexes i
WHERE i.tablename IN ({TABLES}) AND i.schemaname = current_schema()
AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = quote_ident(i.indexname)::regclass)
"""


def fill_postgres(url, make):
    """Runs what `make` says on a database that nobody uses."""
    constraints, indexes = postgres.ask(url, CONSTRAINTS), postgres.ask(url, INDEXES)
    drops = [drop for drop, _ in reversed(constraints)] + [drop for drop, _ in indexes]
    makes = [make_again for _, make_again in [*constraints, *indexes]]
    # Foreign keys stand behind the others, and rest on the indexes of those.
    text = ["SET maintenance_work_mem = '512MB'; SET statement_timeout = 0; BEGIN;", *drops, make(Postgres), *makes, "COMMIT;"]
    postgres.ask(url, "\n".join(text), seconds=7200)
    # As the database itself does after a while: the plans depend on it.
    postgres.ask(url, "VACUUM ANALYZE users; VACUUM ANALYZE passwords; VACUUM ANALYZE sessions;", seconds=7200)


def fill(database, make):
    """Runs what `make` says on a database of either engine."""
    (fill_postgres if str(database).startswith("postgres") else fill_sqlite)(database, make)


def load(database, sessions):
    """Fills a database; the seconds that it took."""
    began = time.monotonic()
    fill(database, lambda say: rows(say, sessions))
    return time.monotonic() - began


def main(arguments):
    parser = argparse.ArgumentParser(prog="bench-growth load", description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000_000)
    parser.add_argument("--database", required=True, help="a file, or the URL of a PostgreSQL database")
    options = parser.parse_args(arguments)
    if not options.database.startswith("postgres") and not pathlib.Path(options.database).exists():
        parser.error(f"{options.database} is not there: `doorward migrate` makes it")
    seconds = load(options.database, options.sessions)
    print(f"{options.sessions} sessions of {max(options.sessions // EACH, 1)} users in {seconds:.0f} s")
    return 0
