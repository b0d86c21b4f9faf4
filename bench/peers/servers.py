"""The servers that are compared: how each is installed in a folder of its own, started as its documentation says for production, and asked.

All get SQLite, their limits on calls from one address switched off, as many processes as there are processors where they work in
processes, and Argon2id with 19 MiB, two passes and one lane where they let one set it.
"""

import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import urllib.parse

import requests

from harness import Server, free_port, until

HERE = pathlib.Path(__file__).parent
PASSWORD = "a parrot of the north"
PROCESSORS = os.cpu_count()
ARGON2 = "Argon2id 19 MiB, t=2"
JSON = {"Content-Type": "application/json"}


class Absent(Exception):
    """A server that cannot be had."""


def run(*command, folder, **kwargs):
    """Runs a step of an installation."""
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=900, **kwargs)
    if done.returncode:
        raise Absent(f"{' '.join(map(str, command))[:80]}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def name(number):
    """A user's name."""
    return f"user{number}"


def installed(folder, wanted, *steps):
    """Runs the steps of an installation, unless they have been run for the same list of what is wanted."""
    stamp = folder / ".installed"
    if stamp.exists() and stamp.read_text() == wanted.read_text():
        return
    for step in steps:
        run(*step, folder=folder)
    stamp.write_text(wanted.read_text())


class Peer:
    """A server that is started from its folder. What differs is said by those that follow."""

    title = hashing = ""
    check = ("GET", "/")
    sign_in = ("POST", "/")
    # Of every call that signs in.
    headers = JSON

    def __init__(self, folder):
        self.folder, self.port, self.process = pathlib.Path(folder), free_port(), None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{self.port}"

    def install(self):
        """Gets what it needs; what is there already is kept."""

    def command(self):
        """What starts it."""
        raise NotImplementedError

    def environment(self):
        """Beside what is there."""
        return {}

    def start(self):
        for old in self.folder.glob("peer.db*"):
            old.unlink()
        self.prepare()
        environment = {**os.environ, "PEER_FOLDER": str(self.folder), **self.environment()}
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                list(map(str, self.command())), cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        until(lambda: self.process.poll() is not None or self.answers(), f"{self.title} answers", 90)
        if self.process.poll() is not None:
            raise Absent(f"ended with {self.process.returncode}: {(self.folder / 'log').read_text(errors='replace')[-600:]}")

    def prepare(self):
        """Before it is started, on no data."""

    def answers(self):
        try:
            return requests.get(self.url + self.check[1], timeout=5).status_code < 500
        except requests.RequestException:
            return False

    def dispose(self):
        if self.process and self.process.poll() is None:
            # With all its processes.
            os.killpg(self.process.pid, 15)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, 9)
                self.process.wait()

    # Calls

    def body(self, number):
        """What signs a user in."""
        raise NotImplementedError

    def create(self, number):
        """Creates a user."""
        raise NotImplementedError

    def session(self, answer):
        """The header that carries the session that an answer has opened."""
        raise NotImplementedError

    def open(self, number):
        """Signs a user in; the header of the session."""
        answer = requests.post(self.url + self.sign_in[1], data=self.body(number), headers=self.headers, timeout=60)
        if answer.status_code != 200:
            raise Absent(f"a sign-in was answered {answer.status_code}: {answer.text[:300]}")
        line = self.session(answer)
        header, value = line.split(": ", 1)
        asked = requests.request(self.check[0], self.url + self.check[1], headers={header: value}, timeout=60)
        if asked.status_code != 200 or name(number) not in asked.text:
            raise Absent(f"a check was answered {asked.status_code}: {asked.text[:300]}")
        return line

    def post(self, path, body, **headers):
        answer = requests.post(self.url + path, json=body, headers=headers, timeout=60)
        if answer.status_code not in (200, 201):
            raise Absent(f"{path} was answered {answer.status_code}: {answer.text[:300]}")
        return answer


class Doorward(Peer):
    """This server, its release build; no limits, all else by default."""

    title, hashing = "Doorward", ARGON2
    check, sign_in = ("GET", "/auth/v1/session"), ("POST", "/auth/v1/sign-in/password")

    def start(self):
        self.server = Server(env={"DOORWARD_LOG__FILTER": "warn"}, cheap=False)
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.port}"

    def dispose(self):
        self.server.dispose()

    def create(self, number):
        self.server.user(username=name(number), password=PASSWORD)

    def body(self, number):
        return json.dumps({"identifier": name(number), "password": PASSWORD})

    def session(self, answer):
        return f"Authorization: Bearer {answer.json()['token']}"


class BetterAuth(Peer):
    """better-auth, from npm, behind Node's own HTTP server."""

    title, hashing = "better-auth", ARGON2
    check, sign_in = ("GET", "/api/auth/get-session"), ("POST", "/api/auth/sign-in/email")

    def install(self):
        for file in (HERE / "better-auth").iterdir():
            shutil.copy(file, self.folder)
        if not shutil.which("npm"):
            raise Absent("npm is missing")
        installed(self.folder, HERE / "better-auth/package.json", ["npm", "install", "--no-audit", "--no-fund"])

    def command(self):
        return ["node", "server.mjs", self.port, self.folder / "peer.db", PROCESSORS]

    def environment(self):
        return {"NODE_ENV": "production"}

    @property
    def headers(self):
        return {**JSON, "Origin": self.url}

    def create(self, number):
        body = {"email": f"{name(number)}@example.org", "password": PASSWORD, "name": name(number)}
        self.post("/api/auth/sign-up/email", body, Origin=self.url)

    def body(self, number):
        return json.dumps({"email": f"{name(number)}@example.org", "password": PASSWORD})

    def session(self, answer):
        return f"Cookie: better-auth.session_token={answer.headers['Set-Cookie'].split('session_token=')[1].split(';')[0]}"


class Python(Peer):
    """What comes from PyPI, in a virtual environment."""

    module = ""

    def install(self):
        for file in (HERE / self.module).glob("*.*"):
            shutil.copy(file, self.folder)
        pip = ["venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"]
        installed(self.folder, HERE / self.module / "requirements.txt", [sys.executable, "-m", "venv", "venv"], pip)

    def prepare(self):
        run("venv/bin/python", "peer.py", folder=self.folder, env={**os.environ, "PEER_FOLDER": str(self.folder)})


class Allauth(Python):
    """django-allauth, its headless API for apps, behind Gunicorn with connections that are kept."""

    title, hashing, module = "django-allauth", ARGON2, "allauth"
    check, sign_in = ("GET", "/_allauth/app/v1/auth/session"), ("POST", "/_allauth/app/v1/auth/login")

    def command(self):
        address = f"127.0.0.1:{self.port}"
        workers = ["--workers", PROCESSORS, "--worker-class", "gthread", "--threads", 16, "--keep-alive", 60]
        return ["venv/bin/gunicorn", "--bind", address, *workers, "--log-level", "warning", "peer:application"]

    def create(self, number):
        self.post("/_allauth/app/v1/auth/signup", {"username": name(number), "password": PASSWORD})

    def body(self, number):
        return json.dumps({"username": name(number), "password": PASSWORD})

    def session(self, answer):
        return f"X-Session-Token: {answer.json()['meta']['session_token']}"


class FastapiUsers(Python):
    """fastapi-users, behind uvicorn with uvloop and httptools."""

    title, hashing, module = "fastapi-users", ARGON2, "fastapi-users"
    check, sign_in = ("GET", "/users/me"), ("POST", "/auth/login")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    def command(self):
        port = ["--host", "127.0.0.1", "--port", self.port]
        return ["venv/bin/uvicorn", *port, "--workers", PROCESSORS, "--no-access-log", "--log-level", "warning", "peer:app"]

    def create(self, number):
        self.post("/auth/register", {"email": f"{name(number)}@example.com", "password": PASSWORD})

    def body(self, number):
        return urllib.parse.urlencode({"username": f"{name(number)}@example.com", "password": PASSWORD})

    def session(self, answer):
        return f"Authorization: Bearer {answer.json()['access_token']}"


class Glewlwyd(Peer):
    """glewlwyd, from Debian: its packages unpacked into the folder, nothing of it installed. A thread for each connection."""

    title, hashing = "glewlwyd", "PBKDF2, 150,000 rounds"
    check, sign_in = ("GET", "/api/profile_list"), ("POST", "/api/auth/")
    # What else Debian would put beside it, and it can do without here.
    LEFT_OUT = ("mysql", "mariadb", "dbconfig", "fonts", "libjs", "perl")

    def install(self):
        if (self.folder / "root/usr/bin/glewlwyd").exists():
            return
        if not shutil.which("apt-get"):
            raise Absent("this is no Debian system")
        planned = run("apt-get", "--simulate", "install", "--no-install-recommends", "glewlwyd", folder=self.folder)
        packages = [line.split()[1] for line in planned.splitlines() if line.startswith("Inst ")]
        wanted = [one for one in packages if not any(part in one for part in self.LEFT_OUT)]
        # A library that it is linked with.
        wanted += [one for one in packages if one.startswith("libmariadb")]
        run("apt-get", "download", *(wanted or ["glewlwyd", "glewlwyd-common"]), folder=self.folder)
        for package in self.folder.glob("*.deb"):
            run("dpkg-deb", "--extract", package, "root", folder=self.folder)

    def prepare(self):
        usr = self.folder / "root/usr"
        with sqlite3.connect(self.folder / "peer.db") as database:
            database.executescript((usr / "share/dbconfig-common/data/glewlwyd/install/sqlite3").read_text())
            database.execute("PRAGMA journal_mode=WAL")
        text = (HERE / "glewlwyd/glewlwyd.conf").read_text()
        (self.folder / "glewlwyd.conf").write_text(text.replace("@PORT@", str(self.port)).replace("@FOLDER@", str(self.folder)))

    def command(self):
        return ["root/usr/bin/glewlwyd", "--config-file=glewlwyd.conf"]

    def environment(self):
        libraries = [str(folder) for folder in (self.folder / "root/usr/lib").glob("*-linux-gnu")]
        return {"LD_LIBRARY_PATH": ":".join(libraries)}

    def start(self):
        super().start()
        answer = self.post("/api/auth/", {"username": "admin", "password": "password"})
        self.admin = self.session(answer).split(": ", 1)[1]

    def create(self, number):
        body = {"username": name(number), "password": PASSWORD, "name": name(number), "enabled": True, "scope": ["g_profile"]}
        self.post("/api/user/", body, Cookie=self.admin)

    def body(self, number):
        return json.dumps({"username": name(number), "password": PASSWORD})

    def session(self, answer):
        return f"Cookie: {answer.headers['Set-Cookie'].split(';')[0]}"


ALL = [Doorward, BetterAuth, Glewlwyd, Allauth, FastapiUsers]
