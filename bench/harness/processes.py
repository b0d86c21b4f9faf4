"""What the kernel says of a process."""

import pathlib
import re


def memory(pid):
    """Bytes of memory that a process has in use: now, and at most so far."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    now, most = (int(re.search(rf"{key}:\s+(\d+)", status)[1]) * 1024 for key in ("VmRSS", "VmHWM"))
    return now, most


def processor_ms(pid):
    """Milliseconds that the threads of a process have worked; those that are gone are left out."""
    return sum(int(one.read_text().split()[0]) for one in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6
