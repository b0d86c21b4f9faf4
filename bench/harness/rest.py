"""Whether the machine had time for a measurement: what processes have worked that are no part of the run."""

import contextlib
import os
import pathlib
import sys
import time

# The share of all processors that others may have had.
BUSY = 0.05
# How often a round is made that others have disturbed.
TRIES = 3
# Kernel threads work for whoever asks, the run included: writing back, networking. Their parent is process 2.
KERNEL = 2


class Busy(Exception):
    """Somebody else was using the machine."""


def processes():
    """Parent and ticks of each process, those of its children that are gone included."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            found[int(folder.name)] = int(words[1]), sum(map(int, words[11:15]))
    return found


def reading():
    """Ticks: of all work, of the work of this run and of the kernel's own threads, and all that there were."""
    words = [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _wait, _irq, _softirq, stolen = words
    found = processes()

    def descends(pid, from_whom):
        while pid in found and pid not in from_whom:
            pid = found[pid][0]
        return pid in from_whom

    mine = sum(ticks for pid, (_, ticks) in found.items() if descends(pid, {os.getpid(), KERNEL}))
    return user + nice + system + stolen, mine, sum(words)


class Machine:
    """Runs measurements, each alone on the machine: else it is made again, and in the end refused."""

    def __init__(self, force):
        self.force = force
        self.worst = 0.0

    def alone(self, measure, *arguments, **named):
        """What a measurement finds that others had no part in."""
        for _ in range(1 if self.force else TRIES):
            self.wait()
            before = reading()
            found = measure(*arguments, **named)
            share = others(before, reading())
            if share <= BUSY or self.force:
                self.worst = max(self.worst, share)
                return found
            print(f"others had {100 * share:.0f} % of the processors: once more", file=sys.stderr, flush=True)
        raise Busy(f"others had {100 * share:.0f} % of the processors")

    def wait(self, seconds=30):
        """Waits until nobody else has anything to do."""
        until = time.monotonic() + (0 if self.force else seconds)
        while time.monotonic() < until:
            before = reading()
            time.sleep(1)
            if others(before, reading()) <= BUSY:
                return
        if not self.force:
            raise Busy(f"others have used the processors for {seconds} seconds")


def others(before, after):
    """The share of the processors that others had between two readings."""
    work, mine, there = (late - early for early, late in zip(before, after))
    return max(0.0, (work - mine) / max(there, 1))
