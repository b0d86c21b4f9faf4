"""Reads a guide of docs/guides and does what it says, block by block, as a reader would at a terminal.

What a fenced block is for is said by a comment before it, which readers of the page do not see:

    (none)                  sh: run in the reader's one shell; python: run as a script
    test: serve URL         sh: left running, once the URL answers
    test: prints            what the shell block before it printed; … stands for anything within a line
    test: save FILE         written to that file
    test: nginx, caddy      the configuration of that proxy, which is started with it if it is this run's
    test: excerpt FILE      stands in that file, word for word
    test: skip "REASON"     not run

A block of any other kind is an error. Nothing is changed but the ports that the pages share with everybody.
"""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import requests

from harness import BINARY, ROOT, free_port, until
from proxies import PROXIES

GUIDES = ROOT / "docs/guides"
# Of Doorward, the proxy and the app.
PORTS = ("8080", "8000", "9000")
FENCE = re.compile(r"(?:^<!-- test: (?P<test>.*?) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass
class Block:
    """A fenced block: its language, what it is for and what is in it."""

    kind: str
    test: list
    text: str
    line: int


def read(name):
    """The blocks of a guide."""
    page = (GUIDES / name).read_text()
    blocks = [
        Block(found["kind"], shlex.split(found["test"] or ""), found["text"], page.count("\n", 0, found.start("kind")) + 1)
        for found in FENCE.finditer(page)
    ]
    assert blocks and page.count("\n```") + page.startswith("```") == 2 * len(blocks), f"{name}: a block that cannot be read"
    return blocks


class Reader:
    """Somebody with a clone of the repository, who follows guides in it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="doorward-guide-"))
        self.ports = {port: str(free_port()) for port in PORTS}
        self.printed, self.shell, self.stack = "", None, contextlib.ExitStack()
        (self.folder / "examples").symlink_to(ROOT / "examples")
        (self.folder / "target/release").mkdir(parents=True)
        (self.folder / "target/release/doorward").symlink_to(BINARY)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
        self.env.update(
            PATH=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            PYTHONDONTWRITEBYTECODE="1",
            # The pages rely on the defaults, of which the ports are taken by whoever came first.
            DOORWARD_LISTEN=f"127.0.0.1:{self.ports['8080']}",
            NOTES_PORT=self.ports["9000"],
            NOTES_DOORWARD=self.url("8080"),
        )

    def here(self, text):
        """The text with the ports of this run."""
        return re.sub(r"(?<!\d)(%s)(?!\d)" % "|".join(PORTS), lambda found: self.ports[found[0]], text)

    def url(self, port):
        """The address of what the pages have at a port."""
        return f"http://localhost:{self.ports[port]}"

    def follow(self, name, proxy=None):
        """Does all that a guide says; of its proxies, the one that is named."""
        for block in read(name):
            try:
                self.do(block, proxy)
            except AssertionError as failure:
                raise AssertionError(f"{name}, line {block.line}: {failure}") from failure
        return self

    def do(self, block, proxy=None):
        """Does what one block says."""
        match block.test, block.kind:
            case [], "sh":
                self.printed = self.run(self.here(block.text))
            case [], "python":
                self.printed = self.script(self.here(block.text))
            case ["serve", url], "sh":
                self.serve(["bash", "-c", "exec " + self.here(block.text)], self.here(url))
            case ["prints"], _:
                self.compare(self.here(block.text))
            case ["save", name], _:
                (self.folder / name).write_text(self.here(block.text))
            case [name], _ if name in PROXIES:
                if name == proxy:
                    started = PROXIES[name](self.here(block.text), self.ports["8000"])
                    self.stack.callback(started.dispose)
            case ["excerpt", name], _:
                assert block.text in (ROOT / name).read_text(), f"not in {name}"
            case ["skip", reason], _:
                assert reason
            case test, kind:
                raise AssertionError(f"nobody knows what to do with {kind} {test}")

    def compare(self, expected):
        """What was printed, line by line."""
        lines, found = expected.splitlines(), self.printed.splitlines()
        same = len(lines) == len(found) and all(
            re.fullmatch(".*".join(map(re.escape, line.split("…"))), other) for line, other in zip(lines, found)
        )
        assert same, f"printed:\n{self.printed}\nexpected:\n{expected}"

    def run(self, commands):
        """Runs commands in the one shell, which keeps its variables; gives back what they printed."""
        if not self.shell:
            self.shell = subprocess.Popen(
                ["bash", "-euo", "pipefail"], cwd=self.folder, env=self.env, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            self.stack.callback(self.end, self.shell)
        mark = "--- done ---"
        self.shell.stdin.write(f"{commands}\nprintf '\\n%s\\n' '{mark}'\n")
        self.shell.stdin.flush()
        printed = []
        for line in self.shell.stdout:
            if line.strip() == mark:
                text = "".join(printed)
                return text[:-1] if text.endswith("\n") else text
            printed.append(line)
        raise AssertionError(f"the shell ended: {''.join(printed)}{self.shell.stderr.read()}")

    def script(self, text):
        """Runs a script; gives back what it printed."""
        done = subprocess.run([sys.executable, "-"], input=text, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def serve(self, command, url):
        """Starts what goes on running."""
        log = self.folder / f"log-{len(list(self.folder.glob('log-*')))}"
        with open(log, "ab") as out:
            process = subprocess.Popen(command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.stack.callback(self.end, process)
        until(lambda: process.poll() is not None or answers(url), f"{url} answers")
        assert process.poll() is None, f"it ended: {log.read_text(errors='replace')[-1500:]}"
        return process

    def end(self, process):
        """Ends what was started."""
        if process.stdin:
            process.stdin.close()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def dispose(self):
        """Ends all that runs, and removes the folder."""
        self.stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def answers(url):
    """Whether anything answers there without an error."""
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False
