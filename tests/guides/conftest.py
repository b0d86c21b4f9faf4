"""What the modules share: readers of guides."""

import os

import pytest

from guide import Reader
from harness import BINARY

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"


def pytest_sessionstart(session):
    """Says early what is missing, instead of failing in each test."""
    if not session.config.option.collectonly and not BINARY.exists():
        raise pytest.UsageError(f"no server at {BINARY}: run scripts/test.sh guides, or set CLIENT_TESTS_BINARY")


@pytest.fixture
def reader():
    """Somebody with a clone, who follows guides."""
    one = Reader()
    try:
        yield one
    finally:
        one.dispose()
