"""What the modules share: a durable PostgreSQL server, databases in it, nodes on them, a post office."""

import contextlib
import os

import pytest

import figures
import postgres
from harness import BINARY, free_port
from nodes import Nodes
from post_office import Office, Post

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"


def pytest_sessionstart(session):
    """Says early what is missing, instead of failing in each test."""
    if not session.config.option.collectonly:
        if not BINARY.exists():
            raise pytest.UsageError(f"no server at {BINARY}: run scripts/test.sh cluster, or set CLIENT_TESTS_BINARY")
        postgres.programs()


def pytest_terminal_summary(terminalreporter):
    """The figures of the run."""
    if figures.measured:
        terminalreporter.section(f"figures, also in {figures.PATH}")
        for line in figures.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def server_of_databases():
    """One PostgreSQL server for all tests that do it no harm."""
    one = postgres.started()
    yield one
    one.dispose()


@pytest.fixture
def database(server_of_databases):
    """The name of a new database in it."""
    return server_of_databases.create_database()


@pytest.fixture
def closing():
    """A stack of what is to be ended after the test."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def post():
    """What the post office has been sent."""
    return Post()


@pytest.fixture
def smtp_url(post, closing):
    """A running post office."""
    office = Office(post, free_port())
    office.start()
    closing.callback(office.stop)
    return f"smtp://127.0.0.1:{office.port}"


@pytest.fixture
def serve(closing, smtp_url):
    """Starts nodes on a database, all of them sending to the one post office."""

    def start(database_url, count=2, started=True, env=None, **kwargs):
        nodes = Nodes(database_url, count, env={"DOORWARD_SMTP_URL": smtp_url, **(env or {})}, **kwargs)
        closing.callback(nodes.dispose)
        return nodes.start() if started else nodes

    return start
