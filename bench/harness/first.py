"""The first check of a session that is not in memory, beside the floor."""

import fill
from load import wrk
from report import Section, beside
from subjects import answer_size, at, doorward, floor

THROUGHPUT = 0.25
# So many sessions, and a round so short, that none is asked for twice.
SESSIONS, SECONDS = 500_000, 5


def measure(machine, options, engine):
    """The section of one engine. Each round asks a server that was just started for each session once at most."""
    sessions = options.first_sessions or SESSIONS
    section = Section(f"First checks, {engine}: each of {sessions} sessions once at most, 32 connections")
    rounds = {"floor": [], "first check": []}
    with doorward(engine, sessions // 10, sessions) as (server, _):
        tokens = fill.tokens(server.data / "tokens", sessions)
        server.start()
        with floor(answer_size(server, fill.token(0))) as bare:
            for _ in range(options.rounds):
                rounds["floor"].append(machine.alone(wrk, bare, tokens, "bearer", "once", SECONDS))
                rounds["first check"].append(machine.alone(anew, server, tokens, sessions))
    ratios = beside(section, rounds)
    if engine == "sqlite":
        section.at_least("sqlite, first check: of the floor's throughput", ratios["first check"][0], THROUGHPUT)
    return section


def anew(server, tokens, sessions):
    """A round on a server that has nothing in memory."""
    server.stop()
    server.start()
    found = wrk(at(server), tokens, "bearer", "once", SECONDS)
    if found["requests"] > sessions:
        raise RuntimeError(f"{found['requests']} checks of {sessions} sessions: some were in memory")
    return found
