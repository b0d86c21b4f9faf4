"""Doorward measured beside the floor of its machine, section by section.

    just bench [--only checks --engine sqlite --rounds 3 --seconds 10]

Prints tables of medians with ratios, says which bars are met, and writes the same as JSON. Ends with 0 if all bars are met, 1 if not, 2 if
there is no measurement: the machine was busy with something else, or something failed.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import traceback

import checks
import first
import isolation
import sign_in
import small
import writes
from harness import BINARY, ROOT
from rest import Busy, Machine

SQLITE, BOTH = ["sqlite"], ["sqlite", "postgres"]
SECTIONS = {
    "small": (small, SQLITE),
    "checks": (checks, BOTH),
    "first": (first, BOTH),
    "sign-in": (sign_in, SQLITE),
    "isolation": (isolation, SQLITE),
    "writes": (writes, BOTH),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section (may be repeated)")
    parser.add_argument("--engine", action="append", choices=BOTH, help="this engine, where the section has it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of one round")
    parser.add_argument("--sessions", type=int, default=100_000, help="of the session checks")
    parser.add_argument("--first-sessions", type=int, help="of the first checks")
    parser.add_argument("--people", type=int, help="users and sessions of the section `small`")
    parser.add_argument("--minute", type=int, default=60, help="seconds of the flood of sign-ins")
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too: figures to try the harness with, marked as such")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "target/bench.json")
    return parser.parse_args()


def surroundings():
    """On what it was measured."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return {"processors": os.cpu_count(), "model": model, "kernel": platform.release(), "commit": commit, "binary": str(BINARY)}


def main():
    options = arguments()
    machine, report = Machine(options.force), {**surroundings(), "sections": []}
    print(", ".join(f"{key} {value}" for key, value in report.items() if key != "sections"))
    met = True
    for name in options.only or SECTIONS:
        module, engines = SECTIONS[name]
        for engine in [one for one in options.engine or engines if one in engines]:
            try:
                section = module.measure(machine, options, engine)
            except Busy as error:
                print(f"no measurement: {error}", file=sys.stderr)
                return 2
            except Exception:
                traceback.print_exc()
                print(f"no measurement: {name}, {engine}", file=sys.stderr)
                return 2
            met &= section.met
            print(section.text(), flush=True)
            report["sections"].append(section.json())
    report |= {"met": met, "forced": options.force, "share_of_others": round(machine.worst, 3)}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")
    note = " MEASURED BY FORCE: worth nothing where others had a part." if options.force else ""
    print(f"\nOthers had at most {100 * machine.worst:.0f} % of the processors in any round.{note}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
