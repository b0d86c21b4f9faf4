"""How busy the machine is: how late a process that has nothing to do but to look at the clock is woken."""

import json
import subprocess
import sys

# Until its input ends, it asks to be woken after a millisecond and notes how much later that was.
PROGRAM = """
import select, sys, time
worst = 0
while True:
    began = time.monotonic()
    if select.select([sys.stdin], [], [], 0.001)[0]:
        break
    worst = max(worst, time.monotonic() - began - 0.001)
print(worst)
"""


class Metronome:
    """Beats from its making until it is asked for the worst delay."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def worst(self):
        """The worst delay in seconds; it ends."""
        return json.loads(self.process.communicate(timeout=20)[0])

    def dispose(self):
        """Ends it if it has not been asked."""
        if self.process.poll() is None:
            self.process.communicate(timeout=20)
