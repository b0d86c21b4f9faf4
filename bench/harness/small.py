"""How small Doorward is: the binary, memory and the first answer on a database with a million users, a million sessions in memory."""

import os
import socket
import statistics
import subprocess
import time

import fill
import load
from harness import BINARY
from processes import memory, processor_ms
from report import Section
from subjects import doorward, metric

PEOPLE, SESSIONS = 1_000_000, 1_000_000
# Seconds of peace: more than from one round of housekeeping to the next, which writes down when sessions were used.
STARTS, PEACE = 20, 12
# Room for a million sessions, whatever each takes.
ROOM_MIB = 2048
# Of a million sessions that were checked, how many may not be in memory.
MISSED = 0.01
IDLE_MB, ANSWER_MS, BINARY_MB, CACHED_MB = 15, 20, 25, 300


def measure(machine, options, engine):
    """The section of one engine."""
    people = sessions = options.people or PEOPLE
    section = Section(f"Small, {engine}: {people} users, {sessions} sessions")
    with doorward(engine, people, sessions) as (server, _):
        first_answers(section, machine, server)
        from_disk(BINARY)
        server.start()
        check(server)
        time.sleep(PEACE)
        section.at_most("idle memory, MB", memory(server.process.pid)[0] / 1e6, IDLE_MB)
        server.stop()
        server.env["DOORWARD_SESSIONS__CACHE_MIB"] = str(ROOM_MIB)
        server.start()
        in_memory(section, server, sessions)
    section.at_most("binary, MB", BINARY.stat().st_size / 1e6, BINARY_MB)
    return section


def from_disk(program):
    """Has the system forget the file, so that a start reads it from disk as after a boot. What a linker has written a moment ago is kept in
    larger pieces, of which Linux from 6.18 on maps whole ones, used or not: up to 2 MB more."""
    with open(program, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def check(server):
    server.get("/auth/v1/session", headers={"Authorization": f"Bearer {fill.token(0)}"}).raise_for_status()


def first_answers(section, machine, server):
    """From the start of the process to its first answer: that it lives, and who has a session."""
    for name, path in {"alive": "/health/live", "session": "/auth/v1/session"}.items():
        # Together: a start is over before the system has counted what it took.
        rounds = machine.alone(lambda path: [first_answer(server, path) for _ in range(STARTS)], path)
        section.rounds[f"first answer: {name}"] = rounds
        took, worked = (statistics.median(one[key] for one in rounds) for key in ("ms", "processor_ms"))
        section.lines[f"first answer: {name}"] = {"median_ms": took, "processor_ms": worked}
        section.at_most(f"first answer: {name}, median of {STARTS}, ms", took, ANSWER_MS)


def first_answer(server, path):
    """Starts the server; milliseconds to its first answer, and of the processors' time until then."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {fill.token(0)}\r\n\r\n".encode()
    with open(server.log_path, "ab") as log:
        began = time.perf_counter()
        server.process = subprocess.Popen([BINARY, "serve"], env=server.env, cwd=server.data, stdout=log, stderr=log)
    answer = None
    while not answer:
        try:
            with socket.create_connection(("127.0.0.1", server.port)) as line:
                line.sendall(request)
                answer = line.recv(65536)
        except ConnectionRefusedError:
            assert server.process.poll() is None, "the server ended"
            time.sleep(0.0002)
    took = (time.perf_counter() - began) * 1000
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    worked = processor_ms(server.process.pid)
    server.stop()
    return {"ms": took, "processor_ms": worked}


def in_memory(section, server, sessions):
    """Checks every session twice: what memory they take, and that the second check asked nobody else. Between the two, that they were used
    is written down."""
    tokens = fill.tokens(server.data / "tokens", sessions)
    asked = {"values": tokens, "once": True, **load.bearer()}
    load.only(load.load(server.port, 3600, "/auth/v1/session", **asked))
    took = memory(server.process.pid)[0]
    time.sleep(PEACE)
    before = metric(server, "doorward_session_cache_misses")
    load.only(load.load(server.port, 3600, "/auth/v1/session", **asked))
    missed = metric(server, "doorward_session_cache_misses") - before
    section.at_most("sessions that were not in memory after all, of all", missed / sessions, MISSED)
    section.at_most(f"{sessions} sessions in memory, MB", took / 1e6, CACHED_MB)

