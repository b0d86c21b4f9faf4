"""What measurements share: a quiet machine, wrk, medians."""

import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

# The share of all processors that other programs may have had.
BUSY = 0.05


class Busy(Exception):
    """Somebody else was using the machine."""


def work():
    """Ticks that the processors have worked, and all that there were."""
    words = [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = words[3] + words[4]
    return sum(words[:8]) - idle, sum(words[:8])


def at_rest(force=False, seconds=1.0, patience=20.0):
    """Waits until the machine has nothing to do; fails if that takes long, unless told not to mind."""
    deadline = time.monotonic() + patience
    while True:
        worked, there = work()
        time.sleep(seconds)
        now_worked, now_there = work()
        share = (now_worked - worked) / max(now_there - there, 1)
        if force or share <= BUSY:
            return
        if time.monotonic() > deadline:
            raise Busy(f"{100 * share:.0f} % of the processors are in use by others")


def processor_seconds(*processes):
    """Processor time that these, and those that they have started, have taken so far."""
    wanted = {one.pid for one in processes if one}
    ticks = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # After the name, which may hold anything: state, parent, …, and the times as fields 14 to 17.
            words = stat.read_text().rpartition(")")[2].split()
            if int(stat.parent.name) in wanted or int(words[1]) in wanted:
                ticks += sum(int(word) for word in words[11:15 if int(stat.parent.name) in wanted else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def wrk(url, script, *arguments, seconds, connections, threads=1, accept_wrong=False):
    """One run of the load generator, with a script that ends by printing a line RESULT of JSON."""
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency", "-s", script, url]
    done = subprocess.run([*command, "--", *map(str, arguments)], capture_output=True, text=True, timeout=seconds + 120)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    if done.returncode or not found:
        raise RuntimeError(f"wrk: {done.stdout[-500:]} {done.stderr[-500:]}")
    result = json.loads(found[1])
    if not result["requests"] or (result["wrong"] and not accept_wrong):
        raise RuntimeError(f"{url}: {arguments}: {result}")
    per_second = result["requests"] * 1e6 / result["microseconds"]
    return {"requests": result["requests"], "per_second": per_second, "p50_ms": result["median_us"] / 1000, "p99_ms": result["p99_us"] / 1000, "wrong": result["wrong"]}


def medians(rounds):
    """Of each figure, the median over the rounds."""
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


def ratio(ours, theirs, key):
    """The median of what one is of the other in the same round: a shared machine's speed changes from minute to minute."""
    return statistics.median(one[key] / other[key] for one, other in zip(ours, theirs, strict=True))


def machine():
    """What was measured on."""
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return {"processors": os.cpu_count(), "model": model[1] if model else "", "quiet": True}


def add_options(parser, seconds, file, rounds=3):
    """Options that all have."""
    parser.add_argument("--seconds", type=int, default=seconds, help="of one run")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, too: figures that are worth nothing")
    parser.add_argument("--json", default=pathlib.Path(__file__).resolve().parents[1] / "target" / file)


def finish(report, options):
    """Keeps the findings."""
    report["machine"] = {**machine(), "quiet": not options.force}
    if options.force:
        print("measured with --force, perhaps on a busy machine: these figures are worth nothing", file=sys.stderr)
    pathlib.Path(options.json).parent.mkdir(exist_ok=True)
    pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
