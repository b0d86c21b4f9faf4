"""The load: wrk for session checks, as fast as they are answered, and `load` for all else."""

import json
import os
import pathlib
import re
import subprocess

from harness import ROOT
from processes import processor_ms

HERE = pathlib.Path(__file__).parent
# Where the programs of the crate `doorward-bench` are.
PROGRAMS = pathlib.Path(os.environ.get("BENCH_PROGRAMS", ROOT / "target/release"))
CONNECTIONS = 32


def wrk(subject, tokens, carrier, order, seconds):
    """Session checks over 32 connections: how many a second, their times, and what each costs the subject of the processors."""
    url, pid = subject
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", HERE / "session.lua", url, "--"]
    before = processor_ms(pid)
    done = subprocess.run([*command, str(tokens), carrier, str(order)], capture_output=True, text=True, timeout=seconds + 60)
    worked = processor_ms(pid) - before
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    if done.returncode or not found:
        raise RuntimeError(f"wrk: {done.stdout[-500:]} {done.stderr[-500:]}")
    result = json.loads(found[1])
    requests = result["requests"]
    if result["wrong"] or not requests:
        raise RuntimeError(f"{url}: {result}")
    times = {"median_ms": result["median_us"] / 1000, "p99_ms": result["p99_us"] / 1000}
    per_second = requests * 1e6 / result["microseconds"]
    return {"requests": requests, "per_second": per_second, **times, "processor_us": 1000 * worked / requests}


def command(port, seconds, path, **options):
    """The command line of `load`: `values=FILE` is `--values FILE`, `once=True` is `--once`; `headers` is a list."""
    words = [PROGRAMS / "load", "--to", f"127.0.0.1:{port}", "--seconds", str(seconds), "--path", path]
    for header in options.pop("headers", []):
        words += ["--header", header]
    for key, value in options.items():
        words += [f"--{key}"] if value is True else [f"--{key}", str(value)]
    return words


class Load:
    """A load that goes on beside others."""

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen(command(*arguments, **options), stdout=subprocess.PIPE, text=True)

    def result(self):
        """Waits for its end; what came back."""
        out, _ = self.process.communicate()
        if self.process.returncode:
            raise RuntimeError(f"load: exit {self.process.returncode}")
        return json.loads(out)


def load(*arguments, **options):
    """A load by itself."""
    return Load(*arguments, **options).result()


def answered(result, status=200):
    """The part of a result that was answered with a status; fails if nothing was."""
    if str(status) not in result["answers"]:
        raise RuntimeError(f"nothing was answered with {status}: {result}")
    return result["answers"][str(status)]


def only(result, status=200):
    """As `answered`, where nothing else may have come back."""
    if result["failed"] or set(result["answers"]) != {str(status)}:
        raise RuntimeError(f"not only {status}: {result}")
    return answered(result, status)


def program(name, *arguments):
    """What another program of the crate prints, a line of JSON."""
    done = subprocess.run([PROGRAMS / name, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def sign_in(password):
    """Options of `load` for sign-ins with a password; the values are names."""
    return {"method": "POST", "body": json.dumps({"identifier": "{}", "password": password})}


def bearer():
    """Options of `load` for calls with a token; the values are tokens."""
    return {"headers": ["Authorization: Bearer {}"]}
