"""Contract tests: schemathesis over the OpenAPI documents, each with a server of its own.

    run.py [NAME…] [--seed N] [--examples N]

The seed and the number of made-up calls for each operation are those of the check of a commit; give others for a longer run.
"""

import argparse
import concurrent.futures
import pathlib
import subprocess
import sys
import time

# The longest first.
DOCUMENTS = ("native", "admin", "kotak", "kestra", "kalshi", "kraken")


def hold(document, arguments):
    """One document, in a process of its own: whether all is well, what it printed, and the seconds."""
    began = time.monotonic()
    script = pathlib.Path(__file__).with_name("contract.py")
    command = [sys.executable, str(script), document, str(arguments.seed), str(arguments.examples)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode == 0, done.stdout, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", nargs="*", metavar="NAME", help=", ".join(DOCUMENTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=20, help="made-up calls for each operation in each phase")
    parser.add_argument("--verbose", action="store_true", help="also what schemathesis says of documents that are kept")
    arguments = parser.parse_args()
    unknown = set(arguments.documents) - set(DOCUMENTS)
    if unknown:
        parser.error(f"no such document: {', '.join(sorted(unknown))}")
    failed = False
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        names = arguments.documents or DOCUMENTS
        for document, (kept, printed, seconds) in zip(names, pool.map(lambda name: hold(name, arguments), names)):
            failed |= not kept
            last = printed.rstrip().rpartition("\n")[2]
            print(printed if arguments.verbose or not kept else last)
            print(f"-- {document}: {'kept' if kept else 'BROKEN'}, {seconds:.0f} s", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
