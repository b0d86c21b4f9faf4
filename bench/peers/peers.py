"""The same work on Doorward and on servers that a user would otherwise take: session checks over 32 connections, sign-ins over 8.

    just bench-peers [--peer better-auth … --seconds 10 --rounds 3]

All run side by side in one run and take turns; beside them stands the floor, a bare axum route that answers as many bytes as Doorward. One
that cannot be installed or does not start is told, and the others go on. What is installed stays in target/peers. Ends with 0, or with 2
if the machine was busy.
"""

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys

import requests

import measure
import servers
from harness import ROOT

SCRIPT = pathlib.Path(__file__).parent / "peers.lua"
USERS, SESSIONS = 50, 200


class Ready:
    """A server with its users and sessions, and the files that the load generator draws from."""

    def __init__(self, peer):
        self.peer = peer
        for number in range(1, USERS + 1):
            peer.create(number)
        lines = [peer.open(1 + number % USERS) for number in range(SESSIONS)]
        self.headers, self.sessions, self.bodies = (peer.folder / f"{part}.txt" for part in ("headers", "sessions", "bodies"))
        self.headers.write_text("".join(f"{key}: {value}\n" for key, value in peer.headers.items()))
        self.sessions.write_text("\n".join(lines) + "\n")
        self.bodies.write_text("".join(f"{peer.body(number)}\n" for number in range(1, USERS + 1)))
        self.none = peer.folder / "none.txt"
        self.none.write_text("")
        self.line = lines[0]

    def checks(self, seed, seconds):
        method, path = self.peer.check
        drawn = (method, path, self.none, self.sessions, seed)
        return measure.wrk(self.peer.url, SCRIPT, "check", *drawn, seconds=seconds, connections=32)

    def sign_ins(self, seed, seconds):
        method, path = self.peer.sign_in
        drawn = (method, path, self.headers, self.bodies, seed)
        return measure.wrk(self.peer.url, SCRIPT, "sign-in", *drawn, seconds=seconds, connections=8)


def ready(kinds, folder, stack):
    """Those that could be had, by name; and why the others could not."""
    found, absent = {}, {}
    for kind in kinds:
        peer = kind(folder / kind.title)
        print(f"{kind.title} …", file=sys.stderr, flush=True)
        try:
            peer.install()
            stack.callback(lambda peer=peer: peer.dispose())
            peer.start()
            found[kind.title] = Ready(peer)
        except (servers.Absent, AssertionError, OSError, LookupError, ValueError, requests.RequestException, subprocess.SubprocessError) as error:
            absent[kind.title] = f"{type(error).__name__}: {error}"
            print(f"{kind.title} is left out: {error}", file=sys.stderr, flush=True)
    return found, absent


@contextlib.contextmanager
def floor(doorward):
    """The floor, answering as many bytes as Doorward's check; its URL."""
    header, value = doorward.line.split(": ", 1)
    method, path = doorward.peer.check
    answer = requests.request(method, doorward.peer.url + path, headers={header: value}, timeout=30)
    heads = sum(len(f"{key}: {text}\r\n") for key, text in answer.headers.items())
    # The floor has three headers of its own.
    size = len(answer.content) + heads - len("content-type: application/json\r\ncontent-length: 999\r\ndate: Sat, 28 Nov 2026 00:00:00 GMT\r\n")
    programs = pathlib.Path(os.environ.get("BENCH_PROGRAMS", ROOT / "target/release"))
    process = subprocess.Popen([programs / "floor", str(size)], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def rounds(found, options):
    """What each reaches, round after round."""
    with floor(found["Doorward"]) as bare:
        doorward = found["Doorward"]
        method, path = doorward.peer.check
        works = {("floor", "check"): lambda seed: measure.wrk(
            bare, SCRIPT, "check", method, path, doorward.none, doorward.sessions, seed, seconds=options.seconds, connections=32
        )}
        for name, one in found.items():
            works[name, "check"] = lambda seed, one=one: one.checks(seed, options.seconds)
            works[name, "sign-in"] = lambda seed, one=one: one.sign_ins(seed, options.seconds)
        gathered, failed = {key: [] for key in works}, {}
        for number in range(options.rounds):
            for key, work in works.items():
                measure.at_rest(options.force)
                try:
                    gathered[key].append(work(number))
                except RuntimeError as error:
                    failed[" ".join(key)] = str(error)[-300:]
        return {key: measure.medians(each) for key, each in gathered.items() if each}, failed


def show(middle, found, absent, failed):
    base, own = middle["floor", "check"], middle["Doorward", "check"]
    print(f"\n{'':16}{'checks/s':>10}{'of Doorward':>13}{'p50, ms':>9}{'p99, ms':>9}{'sign-ins/s':>12}{'p99, ms':>9}  hash")
    for name in ["floor", *found]:
        check, sign_in = middle.get((name, "check")), middle.get((name, "sign-in"))
        cells = f"{check['per_second']:>10.0f}{check['per_second'] / own['per_second']:>13.3f}{check['p50_ms']:>9.2f}{check['p99_ms']:>9.2f}" if check else f"{'failed':>41}"
        signed = f"{sign_in['per_second']:>12.1f}{sign_in['p99_ms']:>9.0f}" if sign_in else f"{'':21}"
        print(f"{name:16}{cells}{signed}  {found[name].peer.hashing if name in found else ''}")
    for name, why in {**absent, **failed}.items():
        print(f"{name}: none: {why}")
    print(f"Doorward reaches {own['per_second'] / base['per_second']:.2f} of the floor", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="bench-peers")
    titles = [kind.title for kind in servers.ALL if kind is not servers.Doorward]
    parser.add_argument("--peer", action="append", choices=titles, help="only this one; may be given several times")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "target/peers", help="where they are installed")
    measure.add_options(parser, 10, "bench-peers.json")
    options = parser.parse_args()
    kinds = [kind for kind in servers.ALL if kind is servers.Doorward or kind.title in (options.peer or titles)]
    with contextlib.ExitStack() as stack:
        found, absent = ready(kinds, options.folder.resolve(), stack)
        if "Doorward" not in found:
            raise SystemExit(f"Doorward itself: {absent['Doorward']}")
        middle, failed = rounds(found, options)
    show(middle, found, absent, failed)
    figures = {}
    for (name, kind), one in middle.items():
        figures.setdefault(name, {})[kind] = one
    measure.finish({"figures": figures, "absent": absent, "failed": failed}, options)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.Busy as error:
        print(f"no measurement: {error}", file=sys.stderr)
        sys.exit(2)
