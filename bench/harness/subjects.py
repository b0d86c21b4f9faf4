"""What is measured: Doorward on either engine, and the floor."""

import contextlib
import pathlib
import re
import socket
import subprocess

import fill
import load
import postgres
import requests
from harness import Server, free_port

# Everything as it is shipped; the lines of the log go nowhere, as what takes them is not what is measured.
NOWHERE = pathlib.Path("/dev/null")


@contextlib.contextmanager
def doorward(engine, users, live, **environment):
    """A server on a database with users and their sessions, not started; and its tables."""
    database = postgres.started(settings={"synchronous_commit": "on", "shared_buffers": "512MB"}) if engine == "postgres" else None
    metrics = free_port()
    try:
        url = {"DOORWARD_DATABASE_URL": database.url(database.create_database())} if database else {}
        server = Server(cheap=False, limits=True, env={"DOORWARD_METRICS_LISTEN": f"127.0.0.1:{metrics}", **url, **environment})
        server.metrics_port = metrics
        try:
            server.start()
            tables = fill.Postgres(url["DOORWARD_DATABASE_URL"]) if database else fill.Sqlite(server)
            fill.populate(server, tables, users, live)
            server.log_path = NOWHERE
            yield server, tables
        finally:
            server.dispose()
    finally:
        if database:
            database.dispose()


def metric(server, name):
    """What a counter or a gauge without labels says."""
    text = requests.get(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=5).text
    found = re.search(rf"^{name}(?:_total)? (\S+)$", text, re.M)
    if not found:
        raise LookupError(f"{name} is not among the metrics")
    return float(found[1])


def answer_size(server, token):
    """Bytes of the answer to a check, head and body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(f"GET /auth/v1/session HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while part := line.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 200 "), received
    return len(received) - len(b"connection: close\r\n")


# What the floor's own head takes: status line, content-type, content-length, date.
FLOOR_HEAD = len("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\ndate: Sat, 28 Nov 2026 00:00:00 GMT\r\n\r\n")


@contextlib.contextmanager
def floor(size):
    """The floor, answering `size` bytes in all; its URL and its process."""
    process = subprocess.Popen([load.PROGRAMS / "floor", str(size - FLOOR_HEAD)], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://{process.stdout.readline().strip()}", process.pid
    finally:
        process.kill()
        process.wait()


def at(server):
    """As the floor is told: a server's URL and its process."""
    return f"http://127.0.0.1:{server.port}", server.process.pid
