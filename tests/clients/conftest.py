"""What every module shares: started servers."""

import contextlib
import os

import pytest

import postgres
from harness import BINARY, Server

# A proxy of the machine is no way to a server on the same machine; some clients would take it.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"


# What the whole run is on: `sqlite`, `postgres` for a throw-away server, or the postgres:// URL of a superuser's.
ENGINE = "CLIENT_TESTS_DATABASE"


def pytest_configure(config):
    """Starts the PostgreSQL server of the run, before there are workers, which find its URL in the environment."""
    engine = os.environ.get(ENGINE) or "sqlite"
    if engine == "postgres" and not config.option.collectonly:
        throw_away = postgres.started(settings=postgres.FORGETFUL)
        config.add_cleanup(throw_away.dispose)
        engine = os.environ[ENGINE] = throw_away.superuser()
    if engine.startswith("postgres://"):
        Server.databases = postgres.Databases(engine)
    elif engine not in ("sqlite", "postgres"):
        raise pytest.UsageError(f"{ENGINE}: expected sqlite, postgres or a postgres:// URL")


def pytest_sessionstart(session):
    """Says early what is missing, instead of failing in each test."""
    if not session.config.option.collectonly and not BINARY.exists():
        raise pytest.UsageError(f"no server at {BINARY}: run scripts/test.sh clients, or set CLIENT_TESTS_BINARY")


@pytest.fixture(scope="module")
def server():
    """One started server for a whole module: no limits, cheap hashing. Tests keep apart by users of their own."""
    one = Server()
    try:
        yield one.start()
    finally:
        one.dispose()


@pytest.fixture
def serve():
    """Starts servers with settings of their own; all are ended and removed after the test."""
    with contextlib.ExitStack() as stack:

        def start(started=True, **kwargs):
            one = Server(**kwargs)
            stack.callback(one.dispose)
            return one.start() if started else one

        yield start


@pytest.fixture
def user(server):
    """A user that no other test knows."""
    return server.user()
