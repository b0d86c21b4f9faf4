"""The disk of the database is full: refused in time, nothing acknowledged is lost, and all goes on once there is room."""

import contextlib
import pathlib
import subprocess
import tempfile
import time

import pytest

import postgres
from figures import record
from harness import until
from load import Crowd
from test_failover import BACK_WITHIN, back


@pytest.fixture
def small_disk(closing):
    """A file system of 160 MB; tests of it need the right to mount one."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="doorward-disk-"))
    closing.callback(folder.rmdir)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small file system needs the right to mount: {mounted.stderr.strip()}")
    closing.callback(subprocess.run, ["umount", "-l", folder], check=True)
    return postgres.given_away(folder)


class Ballast:
    """A file that takes all the room there is."""

    def __init__(self, folder):
        self.path = folder / "ballast"
        self.file = open(self.path, "wb", buffering=0)  # noqa: SIM115

    def fill(self):
        """Takes what is left; again, if somebody has given room back."""
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    self.file.write(b"\0" * size)

    def drop(self):
        """Gives the room back."""
        self.file.close()
        self.path.unlink()


@pytest.fixture
def cramped(small_disk, closing, tmp_path):
    """A PostgreSQL server on it, with log segments so small that a new one is soon needed. What it prints goes elsewhere."""
    one = postgres.Postgres(folder=small_disk, settings={"max_wal_size": "8MB", "min_wal_size": "2MB", "wal_keep_size": "0"})
    one.log_path = tmp_path / "log"
    closing.callback(one.dispose)
    return one.initialise("--wal-segsize=1").start().create_owner()


def brought_back(server):
    """Whether a server works, started again as its supervisor would if it has ended."""
    if server.process.poll() is not None:
        server.start()
    return server.takes_connections()


def test_the_disk_is_full(cramped, small_disk, serve, post):
    """Whether it is a table or the log that finds no room first: writes are refused, and the log ends the server."""
    nodes = serve(cramped.url(cramped.create_database()))
    crowd = Crowd(nodes).start()
    ballast, full = Ballast(small_disk), time.monotonic()
    until(lambda: (ballast.fill(), crowd.refused(full, time.monotonic()))[1], "writes are refused", 30)
    for _ in range(20):  # two seconds of a full disk, whatever the database gives back meanwhile
        ballast.fill()
        time.sleep(0.1)
    ended = not cramped.takes_connections()
    refused, ready = crowd.refused(full, time.monotonic()), crowd.said_ready(full + 1, time.monotonic())
    assert refused and not crowd.done("sign-in", time.monotonic() - 0.5)
    assert 503 in ready, "readiness says no"
    ballast.drop()
    until(lambda: brought_back(cramped), "the database is back", 30)
    room = time.monotonic()
    words = [word for word in ("No space left", "PANIC") if word in cramped.log()]
    assert "No space left" in words
    said = {"ready_503": ready.count(503), "ready_200": ready.count(200)}
    back(crowd, room, "full disk", BACK_WITHIN, database_ended=ended, words=words, **said)
    record("full disk: kept", **crowd.check_kept(post))
