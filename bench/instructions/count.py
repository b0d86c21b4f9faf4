"""How many instructions a session check and a sign-in without its hash take, beside the figures of `committed.json`.

    scripts/test.sh instructions [--write]

Times depend on the machine and on who else uses it; instructions hardly do. So this is what a change that makes the two slower is caught by.
Each call is repeated so often and then oftener, and the difference counts: what a start takes is in both. Of a check the thread that
answers it counts; of a sign-in all threads but those that hash. Ends with 1 if one takes a tenth more than its figure.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
COMMITTED = HERE / "committed.json"
SLACK = 1.10
# The call, how often, and how much oftener.
CALLS = {"session check": ("checks", 200, 1000), "sign-in without its hash": ("sign-ins", 20, 100)}
# What only hashing threads do. Others read what a hash says of itself, and the first proves the implementation.
HASHING = re.compile(r"^c?fn=.*core::password::work", re.M)


def threads(program, call, times):
    """The instructions of each thread: a pair of whether it hashes, and their number. The first is the thread that answers."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--separate-threads=yes", "--fair-sched=yes", f"--callgrind-out-file={folder}/out"]
        done = subprocess.run([*command, program, call, str(times)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{program} {call}: {done.stderr[-2000:]}")
        for file in sorted(pathlib.Path(folder).glob("out*-*")):
            text = file.read_text()
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
            yield bool(HASHING.search(text)), int(total[1]) if total else 0


def instructions(program, call, times):
    """Those that count."""
    found = list(threads(program, call, times))
    if call == "checks":
        return found[0][1]
    if found[0][0] or not any(hashes for hashes, _ in found):
        sys.exit("the threads that hash are not known by what they do any more: see HASHING")
    return sum(number for hashes, number in found if not hashes)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--write", action="store_true", help="take what is counted now for the figures")
    options = parser.parse_args()
    counted = {}
    for name, (call, few, more) in CALLS.items():
        difference = instructions(options.program, call, few + more) - instructions(options.program, call, few)
        counted[name] = round(difference / more)
    if options.write:
        COMMITTED.write_text(json.dumps(counted, indent=1) + "\n")
    committed = json.loads(COMMITTED.read_text())
    late = False
    for name, number in counted.items():
        ratio = number / committed[name]
        late |= ratio > SLACK
        print(f"{name}: {number} instructions, {ratio:.2f} of the {committed[name]} that are committed{' TOO MANY' if ratio > SLACK else ''}")
    if late:
        print("Find what has grown (callgrind_annotate), or commit new figures with the reason: scripts/test.sh instructions --write")
    return late


if __name__ == "__main__":
    sys.exit(main())
