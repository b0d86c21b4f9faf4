"""Writes `server/often.ld`: which functions a server uses while it starts, checks a session and idles.

    scripts/order.sh

Callgrind names the functions that are called. What is written has no hashes of the compiler's in it, so that it holds for the next version
of a crate and of the compiler, too; a name that is no longer there does no harm.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = ROOT / "server/often.ld"
PORT = 18999
PASSWORD = "correct horse battery 9!"
# Of a session that is in memory.
CHECKS = 1000
URL = f"http://127.0.0.1:{PORT}"
HEAD = """/* Written by scripts/order.sh. The functions that a server uses while it starts, checks sessions and idles, side by side, and those of
   checks first: the system keeps what surrounds a function in memory with it, so a program in which they lie anywhere takes twice the memory. See
   docs/decisions/0053-size.md. */
SECTIONS
{
  .text.often :
  {
"""
TAIL = """  }
}
INSERT BEFORE .text;
"""


def called(program):
    """The functions, as the linker calls them, and how often each is called."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DOORWARD_DATA_DIR": f"{folder}/data", "DOORWARD_LISTEN": f"127.0.0.1:{PORT}"}
        create = [program, "user", "create", "--email", "ann@example.org", "--username", "ann", "--password-stdin"]
        subprocess.run(create, env=environment, input=PASSWORD, text=True, check=True, capture_output=True)
        # The database is there when the start that counts begins.
        with serving([program], environment):
            bearer = {"Authorization": f"Bearer {sign_in()}"}
        out = pathlib.Path(folder) / "out"
        with serving(["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}", program], environment):
            assert status("/health/ready") == 200
            assert status("/auth/v1/session", {"Authorization": "Bearer of-nobody"}) == 401
            assert {status("/auth/v1/session", bearer) for _ in range(CHECKS)} == {200}
            # What it does by the clock.
            time.sleep(15)
        return counted(out.read_text())


def counted(profile):
    """From the text of a profile: the calls of each function, zero for one that nobody is known to call."""
    names, calls, callee = {}, {}, None
    for line in profile.splitlines():
        if found := re.match(r"c?fn=\((\d+)\)(?: (.+))?$", line):
            number, name = found.groups()
            names.setdefault(number, name)
            callee = names[number]
            calls.setdefault(callee, 0)
        elif line.startswith("calls="):
            calls[callee] += int(line[len("calls=") :].split()[0])
    return calls


def sign_in():
    """The token of a session."""
    body = json.dumps({"identifier": "ann", "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{URL}/auth/v1/sign-in/password", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["token"]


@contextlib.contextmanager
def serving(command, environment):
    """A server that answers; ended as a supervisor ends it."""
    server = subprocess.Popen([*command, "serve"], env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while status("/health/live") != 200:
            if time.monotonic() > deadline or server.poll() is not None:
                sys.exit("the server does not answer")
            time.sleep(0.2)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def status(path, headers=None):
    """What the server answers; nothing while it does not."""
    try:
        with urllib.request.urlopen(urllib.request.Request(URL + path, headers=headers or {}), timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def pattern(name):
    """A name without the compiler's hashes, as a pattern of the linker's."""
    name = re.sub(r"'\d+$", "", name)
    name = re.sub(r"17h[0-9a-f]{16}E.*$", "17h*", name)
    if name.startswith("_R"):
        name = re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name)
    return name


def main():
    program = sys.argv[1]
    listed = subprocess.run(["nm", "--defined-only", program], capture_output=True, text=True, check=True).stdout
    ours = {line.split()[-1] for line in listed.splitlines()}
    names = {}
    for name, calls in called(program).items():
        name = re.sub(r"'\d+$", "", name)
        names[name] = names.get(name, 0) + calls
    names = {name: calls for name, calls in names.items() if name in ours}
    if len(names) < 1000:
        sys.exit(f"only {len(names)} functions are known by name: is the program stripped?")
    # What a check needs lies together, and takes few places in the processor's tables.
    of_checks = {pattern(name) for name, calls in names.items() if calls >= 0.9 * CHECKS}
    others = {pattern(name) for name in names} - of_checks
    lines = [f"    *(.text.{name})\n" for name in [*sorted(of_checks), *sorted(others)]]
    SCRIPT.write_text(HEAD + "".join(lines) + TAIL)
    print(f"{SCRIPT.relative_to(ROOT)}: {len(lines)} patterns of {len(names)} functions, {len(of_checks)} of them of checks")


if __name__ == "__main__":
    main()
