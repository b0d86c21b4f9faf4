"""What a session check costs beside the floor: a bare axum route that answers as many bytes.

    just bench-check [--sessions 100000 --seconds 10 --rounds 3 --engine sqlite --engine postgres]

Both run side by side in one run, taking turns, each so many rounds; what is reported are medians of the rounds, and ratios. Ends with
0 if the bars are met, 1 if not, 2 if the machine was busy with something else, so that the figures are worth nothing.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

import postgres
from harness import ROOT, Server

HERE = pathlib.Path(__file__).parent
CONNECTIONS, USERS, PASSWORD = 32, 1000, "a parrot of the north"
# Of the floor's throughput, at least; of its 99th percentile, at most.
THROUGHPUT, LATENCY = 0.80, 2.0
# The share of all processors that other programs may have had.
BUSY = 0.05


class Busy(Exception):
    """Somebody else was using the machine."""


def work():
    """Ticks that the processors have worked, and all that there were."""
    words = [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = words[3] + words[4]
    return sum(words[:8]) - idle, sum(words[:8])


def at_rest(seconds=1.0):
    """Fails unless the machine has nothing to do."""
    worked, there = work()
    time.sleep(seconds)
    now_worked, now_there = work()
    share = (now_worked - worked) / (now_there - there)
    if share > BUSY:
        raise Busy(f"{100 * share:.0f} % of the processors are in use by others")


def wrk(url, script, *arguments, seconds, connections=CONNECTIONS):
    """One run of the load generator."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", HERE / script, url, "--", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode:
        raise RuntimeError(f"wrk: {done.stdout[-500:]} {done.stderr[-500:]}")
    return done.stdout


def checks(url, tokens, carrier, seed, seconds):
    """Session checks as fast as they are answered."""
    found = re.search(r"^RESULT (.*)$", wrk(url, "check.lua", tokens, carrier, seed, seconds=seconds), re.M)
    result = json.loads(found[1])
    if result["wrong"] or not result["requests"]:
        raise RuntimeError(f"{url}: {result}")
    return {"per_second": result["requests"] * 1e6 / result["microseconds"], "p99_ms": result["p99_us"] / 1000}


def answer_size(server, token):
    """Bytes of one answer, head and body."""
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
    """The floor, answering `size` bytes in all; its URL."""
    process = subprocess.Popen([ROOT / "target/release/floor", str(size - FLOOR_HEAD)], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def sign_in(server, count, tokens):
    """Opens so many sessions, with a hash that costs little, and keeps their tokens in a file."""
    for number in range(1, USERS + 1):
        server.run("user", "create", "--email", f"user{number}@example.org", "--username", f"user{number}", "--password-stdin", stdin=PASSWORD)
    opened = 0
    while opened < count:
        wrk(server.url.replace("localhost", "127.0.0.1"), "sign_in.lua", USERS, PASSWORD, tokens, seconds=5, connections=64)
        opened = sum(1 for _ in open(tokens))
    lines = pathlib.Path(tokens).read_text().splitlines()[:count]
    pathlib.Path(tokens).write_text("\n".join(lines) + "\n")
    return lines


def measure(engine, options):
    """The rounds of one engine."""
    database = postgres.started() if engine == "postgres" else None
    environment = {"DOORWARD_LOG__FILTER": "warn"}
    if database:
        environment["DOORWARD_DATABASE_URL"] = database.url(database.create_database())
    server = Server(env=environment)
    try:
        server.start()
        tokens = server.data / "tokens"
        lines = sign_in(server, options.sessions, tokens)
        server.stop()
        server.start()
        url = f"http://127.0.0.1:{server.port}"
        with floor(answer_size(server, lines[0])) as bare:
            subjects = {"floor": (bare, "bearer"), "bearer": (url, "bearer"), "cookie": (url, "cookie")}
            # Every session once at least, so that they are in memory: the first check of each is another measurement.
            cold = first_checks(server, lines)
            rounds = {name: [] for name in subjects}
            for number in range(options.rounds):
                for name, (where, carrier) in subjects.items():
                    at_rest()
                    rounds[name].append(checks(where, tokens, carrier, number, options.seconds))
        return {"rounds": rounds, "sessions": len(lines), "first_checks_per_second": cold, "resident_kib": resident(server)}
    finally:
        server.dispose()
        if database:
            database.dispose()


def first_checks(server, lines):
    """Each session checked once, as fast as it goes over many pipelined connections; how many a second."""
    began = time.monotonic()
    parts = [lines[n::CONNECTIONS] for n in range(CONNECTIONS)]
    streams = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in parts]
    for depth in range(max(map(len, parts))):
        asked = [(stream, part[depth]) for stream, part in zip(streams, parts) if depth < len(part)]
        for stream, token in asked:
            stream.sendall(f"GET /auth/v1/session HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        for stream, _ in asked:
            received = stream.recv(65536)
            assert received.startswith(b"HTTP/1.1 200 "), received
    for stream in streams:
        stream.close()
    return len(lines) / (time.monotonic() - began)


def resident(server):
    """Memory of the server that is in use."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])


def summary(measured):
    """Medians and ratios; whether the bars are met."""
    middle = {
        name: {key: statistics.median(one[key] for one in rounds) for key in ("per_second", "p99_ms")}
        for name, rounds in measured["rounds"].items()
    }
    base = middle["floor"]
    for one in middle.values():
        one["throughput_ratio"] = round(one["per_second"] / base["per_second"], 3)
        one["p99_ratio"] = round(one["p99_ms"] / base["p99_ms"], 2)
    met = all(one["throughput_ratio"] >= THROUGHPUT and one["p99_ratio"] <= LATENCY for one in middle.values())
    return middle, met


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", action="append", choices=["sqlite", "postgres"])
    parser.add_argument("--json", default=ROOT / "target/bench-check.json")
    options = parser.parse_args()
    report, all_met = {"processors": os.cpu_count()}, True
    for engine in options.engine or ["sqlite", "postgres"]:
        try:
            measured = measure(engine, options)
        except Busy as error:
            print(f"no measurement: {error}", file=sys.stderr)
            return 2
        middle, met = summary(measured)
        all_met &= met
        report[engine] = {**measured, "medians": middle, "met": met}
        print(f"\n{engine}: {measured['sessions']} sessions, {measured['resident_kib'] / 1024:.0f} MiB resident", flush=True)
        print(f"{'':8}{'a second':>12}{'of the floor':>14}{'p99, ms':>10}{'times the floor':>17}")
        for name, one in middle.items():
            print(f"{name:8}{one['per_second']:>12.0f}{one['throughput_ratio']:>14.2f}{one['p99_ms']:>10.2f}{one['p99_ratio']:>17.2f}")
        print(f"bars ({THROUGHPUT} of the throughput, {LATENCY} times the p99): {'met' if met else 'MISSED'}", flush=True)
    pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    return 0 if all_met else 1


if __name__ == "__main__":
    sys.exit(main())
