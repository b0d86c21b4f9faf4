"""What sign-ins do to others that are offered at four times what can be hashed: to session checks, to memory, to other addresses."""

import os
import time

import fill
import load
from processes import memory
from report import Section
from subjects import doorward

USERS, SESSIONS = 1000, 10_000
OFFERED, CHECKS = 4, 1000
# Connections over which sign-ins are offered: more than can wait, or the load would wait for the server.
CALLERS = 1024
# Milliseconds: a check's 99th percentile; the worst of refusals and of sign-ins that are taken.
CHECK_P99, REFUSED, TAKEN = 10, 100, 2000
SLOT, ROOM = 19 * 2**20, 64 * 10**6
# Of the sign-ins a second before the flood, what there must be after it.
RECOVERED = 0.8
NOISY, QUIET, QUIET_RATE = "127.0.0.2", "127.0.0.3", 2
# Of the quiet address's sign-ins, how many must be taken.
QUIET_SHARE = 0.99


def measure(machine, options, engine):
    """The section of one engine."""
    section = Section(f"Sign-ins at {OFFERED} times what can be hashed, {engine}: {options.minute} s")
    with doorward(engine, USERS, SESSIONS) as (server, _):
        names, tokens = server.data / "names", fill.tokens(server.data / "tokens", SESSIONS)
        names.write_text("".join(f"user{number}\n" for number in range(1, USERS + 1)))
        crowd = Crowd(server, names, tokens)
        server.start()
        idle = memory(server.process.pid)[0]
        before = machine.alone(crowd.as_fast_as_can_be, 5)
        rate = before["per_second"] * OFFERED
        section.lines["before: sign-ins, 8 connections"] = times(before)
        flood(section, *machine.alone(crowd.flood, rate, options.minute), rate)
        most = memory(server.process.pid)[1]
        after(section, before, *machine.alone(crowd.after))
        noisy(section, machine.alone(crowd.noisy, rate, options.minute / 2))
    slots = os.cpu_count()
    section.notes.append(f"idle {idle / 1e6:.1f} MB, at most {most / 1e6:.1f} MB; {slots} slots for hashes; {rate:.0f} sign-ins a second offered")
    section.at_most("memory over idle, MB", (most - idle) / 1e6, (SLOT * slots + ROOM) / 1e6)
    return section


class Crowd:
    """Those who call the server."""

    def __init__(self, server, names, tokens):
        self.port = server.port
        self.names, self.tokens = names, tokens

    def sign_ins(self, seconds, **options):
        return load.Load(self.port, seconds, "/auth/v1/sign-in/password", values=self.names, **load.sign_in(fill.PASSWORD), **options)

    def checks(self, seconds):
        return load.Load(self.port, seconds, "/auth/v1/session", values=self.tokens, rate=CHECKS, **load.bearer())

    def as_fast_as_can_be(self, seconds):
        return load.only(self.sign_ins(seconds, connections=8).result())

    def flood(self, rate, seconds):
        """What became of the sign-ins and of the checks beside them."""
        sign_ins, checks = self.sign_ins(seconds, rate=rate, connections=CALLERS), self.checks(seconds)
        return sign_ins.result(), checks.result()

    def after(self):
        """The same a second later, with as many sign-ins as can be hashed."""
        time.sleep(1)
        sign_ins = self.as_fast_as_can_be(5)
        return sign_ins, self.checks(5).result()

    def noisy(self, rate, seconds):
        """What becomes of an address that signs in now and then while another one floods."""
        loud = self.sign_ins(seconds, rate=rate, connections=CALLERS, **{"from": NOISY})
        quiet = self.sign_ins(seconds, rate=QUIET_RATE, connections=32, **{"from": QUIET})
        return loud.result(), quiet.result()


def times(answers):
    return {key: answers[key] for key in ("per_second", "median_ms", "p99_ms", "worst_ms")}


def tell(section, name, result):
    """A line for each kind of answer; how many requests got none."""
    for status, answers in result["answers"].items():
        section.lines[f"{name}: {status}"] = times(answers)
    section.rounds[name] = result
    if result["failed"]:
        section.notes.append(f"{name}: {result['failed']} requests without an answer")


def flood(section, sign_ins, checks, rate):
    """The bars of the flood."""
    tell(section, "sign-ins", sign_ins)
    tell(section, "checks beside them", checks)
    refused, taken = sign_ins["answers"].get("503"), load.answered(sign_ins)
    asked = sum(one["count"] for one in checks["answers"].values()) + checks["failed"]
    strange = sum(one["count"] for status, one in sign_ins["answers"].items() if status not in ("200", "503"))
    section.at_most("checks: p99, ms", load.answered(checks)["p99_ms"], CHECK_P99)
    section.at_most("checks: not answered, or not with 200", asked - load.answered(checks)["count"], 0)
    section.at_most("sign-ins: not answered, or with neither 200 nor 503", strange + sign_ins["failed"], 0)
    if refused:
        section.at_most("refused: worst, ms", refused["worst_ms"], REFUSED)
        section.at_most("refused: without Retry-After", refused["count"] - refused["retry_after"], 0)
    section.at_most("taken: worst, ms", taken["worst_ms"], TAKEN)


def after(section, before, sign_ins, checks):
    """Nothing is starved when it ends."""
    section.lines["after: sign-ins, 8 connections"] = times(sign_ins)
    tell(section, "after: checks", checks)
    section.at_least("after: sign-ins a second, of those before", sign_ins["per_second"] / before["per_second"], RECOVERED)
    section.at_most("after: checks: p99, ms", load.only(checks)["p99_ms"], CHECK_P99)


def noisy(section, found):
    """One network address cannot take all slots."""
    loud, quiet = found
    tell(section, "noisy address", loud)
    tell(section, "quiet address", quiet)
    asked = sum(one["count"] for one in quiet["answers"].values()) + quiet["failed"]
    taken = quiet["answers"].get("200", {"count": 0, "worst_ms": 0})
    section.at_least("quiet address: share of its sign-ins that is taken", taken["count"] / asked, QUIET_SHARE)
    section.at_most("quiet address: worst, ms", taken["worst_ms"], TAKEN)
