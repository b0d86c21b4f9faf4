"""A started server with its command line, its users and its data, as the tests see them."""

import contextlib
import itertools
import json
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

import requests

from mailbox_reader import Mailbox

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("CLIENT_TESTS_BINARY", ROOT / "target/debug/doorward")).resolve()

# Tests that are not about the strength of the hash need not pay for it.
CHEAP_HASHING = {"DOORWARD_PASSWORDS__MEMORY_KIB": "64", "DOORWARD_PASSWORDS__ITERATIONS": "1"}
NO_LIMITS = {"DOORWARD_LIMITS__ENABLED": "false"}

_numbers = itertools.count(1)


def unique(stem="u"):
    """A name that no other test of this or an earlier run has used."""
    return f"{stem}{secrets.token_hex(3)}{next(_numbers)}"


def until(condition, what, seconds=15.0):
    """What `condition` returns as soon as that is true; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def free_port():
    """A port of the loopback address that nobody has just now.

    It is none of those that the system gives to outgoing connections: such a one could be gone when a killed server wants it back.
    """
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            port = random.randrange(20000, 32000)
            s.bind(("127.0.0.1", port))
            return port


class Http(requests.Session):
    """A caller with a cookie jar: knows the server's address, takes no settings from outside, never waits for ever."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        self.trust_env = False

    def request(self, method, url, **kwargs):
        kwargs.setdefault("timeout", 30)
        kwargs.setdefault("allow_redirects", False)
        return super().request(method, self.base + url if url.startswith("/") else url, **kwargs)


@dataclass
class User:
    """A person whose password the tests know."""

    id: str
    email: str
    username: str
    password: str = field(repr=False)


class CommandFailed(Exception):
    """A command of the command line ended with an error."""

    def __init__(self, args, result):
        super().__init__(f"{' '.join(args)}: exit {result.returncode}: {result.stderr.strip()[-600:]}")
        self.code, self.stdout, self.stderr = result.returncode, result.stdout, result.stderr


class Server:
    """One `doorward serve` on a port of its own, with a data directory and a database of its own."""

    # Where databases come from: an object with `new()`, which gives a URL, and `drop(url)`. None: SQLite in the data directory.
    databases = None

    def __init__(self, env=None, cheap=True, limits=False, arguments=()):
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="doorward-test-"))
        self.log_path = self.data / "server.log"
        self.mail = Mailbox(self.data / "mail")
        self.process = None
        self.arguments = list(arguments)
        self.cookie_names = {}
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("DOORWARD_")}
        self.env.update(
            DOORWARD_LISTEN=f"127.0.0.1:{self.port}",
            DOORWARD_DATA_DIR=str(self.data),
            DOORWARD_PUBLIC_URL=self.url,
            # No load balancer has to be told.
            DOORWARD_SHUTDOWN_DRAIN="0s",
            **(CHEAP_HASHING if cheap else {}),
            **({} if limits else NO_LIMITS),
        )
        self.env.update(env or {})
        self.database = None
        if self.databases and "DOORWARD_DATABASE_URL" not in self.env:
            self.database = self.env["DOORWARD_DATABASE_URL"] = self.databases.new()

    # The process

    def start(self, seconds=20.0):
        """Starts the server and waits until it says that it is ready."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", *self.arguments],
                env=self.env,
                cwd=self.data,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        until(lambda: self.process.poll() is not None or self.is_ready(), "the server is ready", seconds)
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}: {self.log()[-1500:]}")
        return self

    def is_ready(self):
        """Whether /health/ready answers 200 on a new connection."""
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def stop(self, seconds=20.0):
        """Asks the server to end, and gives back its exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end within {seconds} s of SIGTERM") from None

    def kill(self):
        """Ends the server as a power cut would: without a word."""
        self.process.kill()
        self.process.wait()

    def restart(self):
        """kill -9, then a new process on the same data."""
        self.kill()
        return self.start()

    def dispose(self):
        """Ends the server and removes its data."""
        try:
            self.stop()
        finally:
            if not os.environ.get("CLIENT_TESTS_KEEP"):
                shutil.rmtree(self.data, ignore_errors=True)
                if self.database:
                    self.databases.drop(self.database)

    def log(self):
        """All that the server has printed so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # The command line

    def run(self, *arguments, stdin=None, env=None):
        """Runs a command as it stands and gives back the finished process, whatever its end."""
        return subprocess.run(
            [str(BINARY), *arguments],
            env={**self.env, **(env or {})},
            cwd=self.data,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=60,
        )

    def cli(self, *arguments, stdin=None):
        """Runs a command with --json and gives back the JSON that it printed (None if it printed nothing)."""
        result = self.run(*arguments, "--json", stdin=stdin)
        if result.returncode:
            raise CommandFailed(arguments, result)
        return json.loads(result.stdout) if result.stdout.strip() else None

    def items(self, *arguments):
        """All rows of a list command, page after page."""
        rows, following = [], []
        while True:
            page = self.cli(*arguments, *following)
            assert set(page) == {"items", "next"}
            rows += page["items"]
            if page["next"] is None:
                return rows
            following = ["--after", page["next"]]

    def resend(self):
        """Has all waiting mails sent at once: also one that a killed server had in hand, which else waits for its lease."""
        for row in self.items("mail", "list"):
            if row["status"] == "due":
                self.run("mail", "retry", row["id"])

    def user(self, *flags, email=None, username=None, password=None):
        """Creates a user that no other test knows."""
        username = username or unique()
        user = User("", email or f"{username}@example.com", username, password or new_password())
        made = self.cli(
            "user", "create", "--email", user.email, "--username", user.username, "--password-stdin", *flags, stdin=user.password
        )
        user.id = made["id"]
        return user

    def app(self, *flags):
        """Registers an application; its three secrets are in what comes back."""
        return self.cli("app", "create", unique("app"), *flags)

    # Callers

    def http(self, **headers):
        """A caller with a cookie jar of its own."""
        caller = Http(self.url)
        caller.headers.update(headers)
        return caller

    def call(self, method, path, **kwargs):
        """One call by a caller who remembers nothing."""
        with self.http() as caller:
            return caller.request(method, path, **kwargs)

    def get(self, path, **kwargs):
        """GET by a caller who remembers nothing."""
        return self.call("GET", path, **kwargs)

    def post(self, path, **kwargs):
        """POST by a caller who remembers nothing."""
        return self.call("POST", path, **kwargs)


def new_password():
    """A password that any sensible policy takes."""
    return f"{secrets.token_hex(4)} quartz lantern {secrets.token_hex(4)}"
