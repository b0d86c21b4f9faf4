"""Sign-ins with a password at the cost that is shipped, beside the fastest sound Argon2id by itself."""

import json
import subprocess

import fill
import load
from report import Section, medians
from subjects import doorward

SHARE, CONNECTIONS, USERS = 0.95, 8, 1000


def measure(machine, options, engine):
    """The section of one engine."""
    section = Section(f"Sign-ins with a password, {engine}: {CONNECTIONS} connections")
    raw_rounds, rounds = [], []
    with doorward(engine, USERS, 0) as (server, _):
        names = server.data / "names"
        names.write_text("".join(f"user{number}\n" for number in range(1, USERS + 1)))
        server.start()
        for _ in range(options.rounds):
            if (load.PROGRAMS / "hashes").exists():
                raw_rounds.append(machine.alone(raw))
            rounds.append(machine.alone(sign_ins, server, names, options.seconds))
    signed_in = medians(rounds, "per_second", "median_ms", "p99_ms")
    section.lines["sign-in"] = signed_in
    section.rounds["sign-in"] = rounds
    if not raw_rounds:
        section.notes.append("no raw rate: target/release/hashes is not there, so the bar is not judged")
        return section
    section.rounds["raw"] = raw_rounds
    base = medians(raw_rounds, "per_second")["per_second"]
    section.lines["raw hash, two threads"] = {"per_second": base}
    section.at_least(f"{engine}, sign-ins: of the raw rate", signed_in["per_second"] / base, SHARE)
    return section


def sign_ins(server, names, seconds):
    """Sign-ins as fast as they are answered."""
    options = {"connections": CONNECTIONS, "values": names, **load.sign_in(fill.PASSWORD)}
    return load.only(load.load(server.port, seconds, "/auth/v1/sign-in/password", **options))


def raw():
    """What the hash alone reaches on two threads: of what `hashes` has measured, the fastest that may be used."""
    out = subprocess.run([load.PROGRAMS / "hashes", "--json"], capture_output=True, text=True, check=True).stdout
    return {"per_second": json.loads(out)["fastest_per_second"]}
