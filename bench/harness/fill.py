"""Fills a server's database with users and live sessions, straight into its tables: a million sign-ins would take hours of hashing.

What a row looks like is copied from one that the server itself has written, so that only keys, names and times are made up here.
"""

import base64
import hashlib
import pathlib
import sqlite3
import subprocess
import uuid

import postgres

PASSWORD = "correct horse battery 9!"
# What psql shows for no value.
NULL = "<null>"
# Milliseconds after which a use is written down anew.
SEEN_MS = 5 * 60 * 1000
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def uuid7(number, kind):
    """An id as the server makes them: a time, and random bits that are the same in every run."""
    random = hashlib.sha256(f"{kind}{number}".encode()).digest()
    value = (1_750_000_000_000 + number) << 80 | 7 << 76 | (random[0] << 4 | random[1] >> 4) << 64 | 2 << 62
    return str(uuid.UUID(int=value | int.from_bytes(random[2:10]) >> 2))


def token(number):
    """The token of a session, with as many characters as a real one."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"token{number}".encode()).digest()).rstrip(b"=").decode()


def token_hash(number):
    """What the database has of it."""
    return hashlib.sha256(b"session\0" + token(number).encode()).hexdigest()


def tokens(path, count, first=0):
    """Writes the tokens of sessions into a file, a line each; their numbers are from `first` on."""
    pathlib.Path(path).write_text("".join(f"{token(number)}\n" for number in range(first, first + count)))
    return path


class Sqlite:
    """The tables of a SQLite database whose server is stopped, or is not in a hurry."""

    def __init__(self, server):
        self.path = server.data / "doorward.db"

    def rows(self, query):
        with sqlite3.connect(self.path) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]

    def insert(self, table, columns, rows):
        with sqlite3.connect(self.path, isolation_level=None) as database:
            database.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN")
            places = ", ".join("?" * len(columns))
            database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)
            database.execute("COMMIT")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def settle(self):
        """Nothing: what was inserted is in the file."""


class Postgres:
    """The tables of a database on a PostgreSQL server."""

    def __init__(self, url):
        self.url = url

    def rows(self, query):
        with_names = ["psql", "-XAq", "-F", "\x1f", "-P", "footer=off", "-P", f"null={NULL}", "-d", self.url, "-c", query]
        head, *lines = self.run(with_names).splitlines()
        names = head.split("\x1f")
        return [{name: None if one == NULL else one for name, one in zip(names, line.split("\x1f"))} for line in lines]

    def insert(self, table, columns, rows):
        line = lambda row: "\t".join(r"\N" if one is None else str(one) for one in row) + "\n"
        command = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        psql = subprocess.Popen(
            [postgres.programs() / "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", command], stdin=subprocess.PIPE, text=True
        )
        with psql.stdin as stdin:
            stdin.writelines(map(line, rows))
        if psql.wait():
            raise RuntimeError(f"COPY into {table} failed")

    def settle(self):
        self.run(["psql", "-Xq", "-d", self.url, "-c", "VACUUM ANALYZE"])

    def run(self, command):
        return subprocess.run([postgres.programs() / command[0], *command[1:]], capture_output=True, text=True, check=True).stdout


def people(tables, count):
    """So many users, named user1 and so on, each with the password of the one user that there is."""
    (user,), (password,) = tables.rows("SELECT * FROM users"), tables.rows("SELECT * FROM passwords")
    numbers = range(1, count + 1)
    name = lambda number: {"id": uuid7(number, "user"), "username": f"user{number}", "username_key": f"user{number}"}
    mail = lambda number: {"email": f"user{number}@example.org", "email_key": f"user{number}@example.org"}
    tables.insert("users", list(user), ([*{**user, **name(n), **mail(n)}.values()] for n in numbers))
    secret = lambda number: {"user_id": uuid7(number, "user"), "decoy_key": hashlib.md5(f"{number}".encode()).hexdigest()}
    tables.insert("passwords", list(password), ([*{**password, **secret(n)}.values()] for n in numbers))


def sessions(tables, count, users, first=0, **other):
    """So many live sessions of those users, numbered from `first` on, like the one that there is but for what `other` says, and last seen at
    any moment of the five minutes before: as in a server that has run for a while, at any time some are due to be written down anew."""
    (row,) = tables.rows("SELECT * FROM sessions LIMIT 1")
    seen = int(row["last_seen_at"])
    keys = lambda n: {
        "id": uuid7(n, "session"),
        "token_hash": token_hash(n),
        "user_id": uuid7(n % users + 1, "user"),
        "last_seen_at": seen - n * 7919 % SEEN_MS,
    }
    tables.insert("sessions", list(row), ([*{**row, **other, **keys(n)}.values()] for n in range(first, first + count)))


def populate(server, tables, users, live):
    """Fills the database of a server that runs, with users and their sessions; ends with the server stopped."""
    server.cli("user", "create", "--email", "first@example.org", "--username", "first", "--password-stdin", stdin=PASSWORD)
    body = {"identifier": "first", "password": PASSWORD}
    server.post("/auth/v1/sign-in/password", json=body, headers={"User-Agent": AGENT}).raise_for_status()
    server.stop()
    people(tables, users)
    if live:
        sessions(tables, live, users)
    tables.settle()
