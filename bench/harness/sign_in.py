"""Sign-ins with a password at the cost that is shipped, beside the fastest sound Argon2id by itself."""

import re
import subprocess

import fill
import load
from processes import processor_ms
from report import Section, medians
from subjects import doorward

SHARE, CONNECTIONS, USERS = 0.95, 8, 1000
# A line of what `hashes` prints: candidate, hashes a second, and of the best; the same for a second of one processor.
CANDIDATE = re.compile(r"^(\S.*?) +([\d.]+) +[\d.]+ +([\d.]+) +[\d.]+$", re.M)


def measure(machine, options, engine):
    """The section of one engine."""
    section = Section(f"Sign-ins with a password, {engine}: {CONNECTIONS} connections")
    has_raw = (load.PROGRAMS / "hashes").exists()
    raw_rounds, rounds = [], []
    with doorward(engine, USERS, 0) as (server, _):
        names = server.data / "names"
        names.write_text("".join(f"user{number}\n" for number in range(1, USERS + 1)))
        server.start()
        for _ in range(options.rounds):
            if has_raw:
                raw_rounds.append(machine.alone(raw))
            rounds.append(machine.alone(sign_ins, server, names, options.seconds))
    signed_in = section.lines["sign-in"] = medians(rounds, "per_second", "per_processor_second", "median_ms", "p99_ms")
    section.rounds["sign-in"] = rounds
    if not has_raw:
        section.notes.append("no raw rate: the program `hashes` is not there, so the bar is not judged")
        return section
    section.rounds["raw"] = raw_rounds
    base = section.lines["hash alone"] = medians(raw_rounds, "per_second", "per_processor_second")
    section.notes.append("hash alone: " + ", ".join(sorted({one["candidate"] for one in raw_rounds})))
    section.at_least(f"{engine}, sign-ins: of the raw rate", signed_in["per_second"] / base["per_second"], SHARE)
    return section


def sign_ins(server, names, seconds):
    """Sign-ins as fast as they are answered, and how many a second of one processor's time makes."""
    options = {"connections": CONNECTIONS, "values": names, **load.sign_in(fill.PASSWORD)}
    before = processor_ms(server.process.pid)
    found = load.only(load.load(server.port, seconds, "/auth/v1/sign-in/password", **options))
    worked = (processor_ms(server.process.pid) - before) / 1000
    return {**found, "per_processor_second": found["count"] / worked}


def raw():
    """The candidate that hashes fastest on two threads by itself."""
    command = [load.PROGRAMS / "hashes", "--rounds", "1", "--seconds", "2"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    candidates = [(float(wall), float(processor), name) for name, wall, processor in CANDIDATE.findall(printed)]
    wall, processor, name = max(candidates)
    return {"candidate": name, "per_second": wall, "per_processor_second": processor}
