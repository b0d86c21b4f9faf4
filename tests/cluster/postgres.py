"""Throw-away PostgreSQL servers: started, cut off, frozen, promoted and removed as the tests need it.

    python postgres.py COMMAND…    runs a command beside one that lives as long as the command; TEST_POSTGRES is its URL
"""

import contextlib
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse

from harness import free_port, unique, until

ADMIN, OWNER, STANDBY = "admin", "doorward", "standby"

# Small and quick to start; durable all the same, for what was acknowledged is what the tests are about.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # In the data folder, so that a killed server leaves nothing outside.
    "dynamic_shared_memory_type": "mmap",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "log_min_messages": "warning",
    "wal_level": "replica",
    "wal_keep_size": "64MB",
    "max_wal_senders": "4",
    "wal_receiver_timeout": "5s",
    "wal_retrieve_retry_interval": "200ms",
}

# For suites that are not about crashes of the database.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def programs():
    """The folder of PostgreSQL's programs, the newest release if there are several."""
    found = [f for f in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (f / "initdb").exists()]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    config = shutil.which("pg_config")
    if config:
        return pathlib.Path(subprocess.check_output([config, "--bindir"], text=True).strip())
    raise FileNotFoundError("PostgreSQL's programs are missing: install the package postgresql")


def unprivileged():
    """Keywords for subprocess: PostgreSQL and PgBouncer refuse to run as root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise LookupError("no user to run PostgreSQL as")


def given_away(path):
    """Makes a file or folder the property of the user whom `unprivileged` names."""
    who = unprivileged()
    if who:
        os.chown(path, who["user"], who["group"])
    return path


def ask(url, text, seconds=30):
    """Rows of text that a statement gives to who comes by a URL."""
    command = [programs() / "psql", "-XAtq", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", url]
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "5"}
    result = subprocess.run(command, input=text, env=environment, capture_output=True, text=True, timeout=seconds)
    assert result.returncode == 0, f"{text}: {result.stderr.strip()}"
    return [line.split("\x1f") for line in result.stdout.splitlines()]


class Postgres:
    """One PostgreSQL server on a port of its own, with a data folder of its own."""

    def __init__(self, folder=None, settings=None):
        self.folder = pathlib.Path(folder or given_away(tempfile.mkdtemp(prefix="doorward-postgres-")))
        self.data = self.folder / "data"
        self.log_path = self.folder / "log"
        self.port = free_port()
        self.password, self.owner_password = secrets.token_hex(12), secrets.token_hex(12)
        self.settings = {**SETTINGS, **(settings or {})}
        self.process = None

    # Programs

    def run(self, program, *arguments, **kwargs):
        """Runs one of PostgreSQL's programs as the server's user; fails if it does."""
        result = subprocess.run(
            [programs() / program, *arguments], capture_output=True, text=True, timeout=120, cwd="/", **unprivileged(), **kwargs
        )
        assert result.returncode == 0, f"{program}: {result.stderr.strip()[-1000:]}"
        return result.stdout

    def initialise(self, *options):
        """A new cluster. It compares text as people do, not as bytes: what relies on the order of bytes comes to light."""
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o600)
        given_away(secret)
        release = int(programs().parent.name) if programs().parent.name.isdigit() else 0
        collation = ["--locale-provider=icu", "--icu-locale=en-US"] if release >= 15 else []
        common = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        self.run("initdb", "-D", self.data, "-U", ADMIN, f"--pwfile={secret}", *common, *collation, *options)
        self.hba("host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256")
        return self

    def hba(self, *lines):
        """Who may connect, and how."""
        (self.data / "pg_hba.conf").write_text("\n".join(lines) + "\n")

    def start(self, seconds=30):
        """Starts the server and waits until it takes connections."""
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [programs() / "postgres", "-D", self.data, "-p", str(self.port), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **unprivileged(),
            )
        until(lambda: self.process.poll() is not None or self.takes_connections(), "PostgreSQL takes connections", seconds)
        assert self.process.poll() is None, f"PostgreSQL ended: {self.log()[-1500:]}"
        return self

    def takes_connections(self):
        """Whether a connection is answered."""
        question = [programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "2"]
        return subprocess.run(question, timeout=20).returncode == 0

    def log(self):
        """All that the server has printed."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # What befalls it

    def stop(self, seconds=30):
        """An orderly end that throws out who is connected."""
        if self.process and self.process.poll() is None:
            self.thaw()
            self.process.send_signal(signal.SIGINT)
            self.process.wait(seconds)

    def everyone(self):
        """The processes of the server, the postmaster first. They are in sessions of their own, so no group has them all."""
        children = []
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                if f"\nPPid:\t{self.process.pid}\n" in status.read_text():
                    children.append(int(status.parent.name))
        return [self.process.pid, *children]

    def freeze(self):
        """Stops all processes: the kernel goes on taking connections, and nobody answers."""
        os.kill(self.process.pid, signal.SIGSTOP)  # first, so that it makes no more of them
        for pid in self.everyone():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        """The end of a freeze."""
        for pid in reversed(self.everyone()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill(self):
        """kill -9 of all processes, as a machine dies."""
        self.freeze()
        for pid in reversed(self.everyone()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(20)

    def promote(self):
        """Makes a standby the primary; comes back as soon as it is."""
        assert self.sql("SELECT pg_promote(true, 30)") == [["t"]]

    def terminate(self, condition="true"):
        """pg_terminate_backend on the connections for which a condition over pg_stat_activity holds; says how many there were."""
        mine = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        rows = self.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine} AND ({condition})")
        return sum(row == ["t"] for row in rows)

    def dispose(self):
        """Ends the server without a word and removes its data."""
        if self.process and self.process.poll() is None:
            self.kill()
        self.forget_memory()
        if not os.environ.get("CLIENT_TESTS_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def forget_memory(self):
        """A killed server leaves a few bytes of System V memory behind; its lock file names them."""
        with contextlib.suppress(OSError, IndexError):
            key = (self.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
            subprocess.run(["ipcrm", "-m", key], capture_output=True, check=False)

    # Databases

    def sql(self, text, database="postgres", seconds=30):
        """Rows of text that a statement gives."""
        return ask(self.url(database, user=ADMIN), text, seconds)

    def url(self, database, user=OWNER, hosts=None, **parameters):
        """The URL of a database, by default as the server under test is given it."""
        password = self.password if user == ADMIN else self.owner_password
        hosts = ",".join(hosts or [f"127.0.0.1:{self.port}"])
        query = urllib.parse.urlencode(parameters)
        return f"postgres://{user}:{password}@{hosts}/{database}" + (f"?{query}" if query else "")

    def superuser(self):
        """The URL of who may create databases."""
        return self.url("postgres", user=ADMIN)

    def create_owner(self):
        """The role that owns the databases of the server under test; it may nothing else."""
        self.sql(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{self.owner_password}'")
        return self

    def create_database(self):
        """A new empty database; its name."""
        name = unique("doorward_")
        self.sql(f"CREATE DATABASE {name} OWNER {OWNER}")
        return name

    def drop_database(self, name):
        """Removes a database and throws out who uses it."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    # A standby

    def replica(self):
        """A copy that follows this server, not yet started."""
        twin = Postgres(settings=self.settings)
        twin.password, twin.owner_password = self.password, self.owner_password
        source = f"host=127.0.0.1 port={self.port} user={ADMIN} password={self.password} application_name={STANDBY}"
        self.run("pg_basebackup", "-D", twin.data, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        return twin

    def standby_state(self):
        """How the standby follows: `sync`, `async`, or nothing."""
        rows = self.sql(f"SELECT sync_state FROM pg_stat_replication WHERE application_name = '{STANDBY}' AND state = 'streaming'")
        return rows[0][0] if rows else None


def started(**kwargs):
    """A new server that runs, with the role that owns databases."""
    one = Postgres(**kwargs)
    try:
        return one.initialise().start().create_owner()
    except BaseException:
        one.dispose()
        raise


class Pair:
    """A primary, and a standby that has each commit before it is acknowledged."""

    def __init__(self, settings=None):
        self.primary = started(settings={"synchronous_commit": "on", **(settings or {})})
        self.standby = None
        try:
            self.standby = self.primary.replica().start()
            until(self.primary.standby_state, "the standby follows")
            self.primary.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
            self.primary.sql("SELECT pg_reload_conf()")
            until(lambda: self.primary.standby_state() == "sync", "the standby is synchronous")
            # Inherited by the copy, it would make the promoted standby wait for a standby of its own.
            assert not self.standby.sql("SHOW synchronous_standby_names")[0][0]
        except BaseException:
            self.dispose()
            raise

    def url(self, database, **parameters):
        """The URL that names both."""
        hosts = [f"127.0.0.1:{one.port}" for one in (self.primary, self.standby)]
        return self.primary.url(database, hosts=hosts, target_session_attrs="read-write", **parameters)

    def dispose(self):
        """Ends both and removes their data."""
        for one in (self.primary, self.standby):
            if one:
                one.dispose()


class Databases:
    """A server that somebody else has started, where each server under test gets a database and a role of its own."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)

    def new(self):
        """The URL of a new empty database."""
        name, password = unique("doorward_"), secrets.token_hex(12)
        ask(self.url.geturl(), f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        ask(self.url.geturl(), f"CREATE DATABASE {name} OWNER {name}")
        host = self.url.netloc.rpartition("@")[2]
        return f"postgres://{name}:{password}@{host}/{name}"

    def drop(self, url):
        """Removes such a database and throws out who uses it."""
        name = urllib.parse.urlsplit(url).username
        ask(self.url.geturl(), f"DROP DATABASE {name} WITH (FORCE)")
        ask(self.url.geturl(), f"DROP ROLE {name}")


def main(command):
    """Runs a command beside a throw-away server, and ends with its exit code."""
    one = started(settings=FORGETFUL)
    try:
        return subprocess.run(command, env={**os.environ, "TEST_POSTGRES": one.superuser()}).returncode
    finally:
        one.dispose()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
