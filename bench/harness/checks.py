"""Session checks beside the floor: of sessions that are in memory, with bearer tokens and with cookies."""

import fill
from load import wrk
from processes import memory
from report import Section, beside
from subjects import answer_size, at, doorward, floor, metric

# Of the floor's throughput, at least; of its 99th percentile, at most.
THROUGHPUT, LATENCY = 0.80, 2.0
# The log as it is shipped, with a line for each request, and without those.
LOGS = {"": "info", ", no access log": "warn"}


def measure(machine, options, engine):
    """The section of one engine."""
    sessions = options.sessions
    section = Section(f"Session checks, {engine}: {sessions} live sessions at random, 32 connections")
    rounds = {}
    with doorward(engine, max(1, sessions // 10), sessions) as (server, _):
        tokens = fill.tokens(server.data / "tokens", sessions)
        for suffix, filter in LOGS.items():
            server.env["DOORWARD_LOG__FILTER"] = filter
            server.start()
            one_log(machine, options, server, tokens, suffix, rounds, section)
            server.stop()
    ratios = beside(section, rounds)
    for name in ("bearer", "cookie"):
        section.at_least(f"{engine}, {name}: of the floor's throughput", ratios[name][0], THROUGHPUT)
        section.at_most(f"{engine}, {name}: times the floor's p99", ratios[name][1], LATENCY)
    return section


def one_log(machine, options, server, tokens, suffix, rounds, section):
    """The rounds with one setting of the log, in turn with the floor."""
    there = at(server)
    with floor(answer_size(server, fill.token(0))) as bare:
        # Every session once at least, so that they are in memory: the first check of each is another measurement. Each run begins at the
        # first session, so that one must come to the last.
        while wrk(there, tokens, "bearer", "once", 5)["requests"] < options.sessions:
            pass
        subjects = {f"floor{suffix}": (bare, "bearer"), f"bearer{suffix}": (there, "bearer"), f"cookie{suffix}": (there, "cookie")}
        before = metric(server, "doorward_session_cache_hits"), metric(server, "doorward_session_cache_misses")
        for number in range(options.rounds):
            for name, (where, carrier) in subjects.items():
                found = machine.alone(wrk, where, tokens, carrier, number, options.seconds)
                rounds.setdefault(name, []).append(found)
        hits = metric(server, "doorward_session_cache_hits") - before[0]
        misses = metric(server, "doorward_session_cache_misses") - before[1]
        resident = memory(server.process.pid)[0] / 1e6
        section.notes.append(f"bearer, cookie{suffix}: {100 * hits / (hits + misses):.1f} % answered from memory, {resident:.0f} MB resident")
