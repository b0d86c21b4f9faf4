"""Machines that are namespaces: each with a network card, processes, memory and a disk of its own, on one switch.

Nothing has a name outside, so nothing is left behind, whatever ends the tests: the namespaces live as long as their first processes,
which the kernel ends with their parent. The disk is a folder and outlives them, as a disk does.
"""

import contextlib
import os
import pathlib
import signal
import subprocess

# A first process that has no children to wait for: the kernel takes them away when they have ended.
REST = "trap '' CHLD; echo up; exec sleep infinity"

# What a machine has of its own; all else is the system's, as it is outside.
MOUNTS = """
mount --bind {disk}/etc /etc
mount --bind {disk}/lib /var/lib
mount --bind {disk}/log /var/log
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs /dev/shm
mount --bind {disk}/bin /usr/local/bin
"""


def children(pid):
    """The processes that a process has started, as they are numbered outside."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if f"\nPPid:\t{pid}\n" in status.read_text():
                found.append(int(status.parent.name))
    return found


def must(command, **kwargs):
    """Runs a command and gives back what it said; fails if it does."""
    options = {"stdin": subprocess.DEVNULL} if "input" not in kwargs else {}
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, cwd="/", **options, **kwargs)
    assert result.returncode == 0, f"{command[-1]}: exit {result.returncode}: {result.stdout[-1000:]}{result.stderr[-2000:]}"
    return result.stdout


def shell(user):
    """The command that runs a script for somebody; root is there already."""
    return ["sh", "-c"] if user == "root" else ["runuser", "--login", user, "-c"]


class Namespaces:
    """Namespaces and the process that keeps them. To be made by the main thread: they end with the thread that made them."""

    def __init__(self, kinds, script):
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", *kinds]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.keeper = subprocess.Popen([*command, "sh", "-euc", script + REST], text=True, cwd="/", start_new_session=True, **pipes)
        if self.keeper.stdout.readline() != "up\n":
            _, said = self.keeper.communicate(timeout=20)
            raise OSError(said.strip())
        self.first = children(self.keeper.pid)[0]

    def inside(self, *command, kinds="--all"):
        """The command that runs a command in them, or in those of some kinds."""
        return ["nsenter", "--target", str(self.first), kinds, "--", *map(str, command)]

    def end(self):
        """Ends all that runs inside, at once and without a word."""
        self.keeper.kill()
        self.keeper.communicate(timeout=20)


class Switch(Namespaces):
    """What machines are plugged into. It is connected with nothing else."""

    def __init__(self):
        super().__init__(["--net"], "ip link add switch type bridge; ip link set switch up; ")

    def plug(self, port, namespaces):
        """A line to a machine, whose end there is called `lan`."""
        line = ["type", "veth", "peer", "name", "lan", "netns", namespaces.first]
        must(self.inside("ip", "link", "add", port, *line, kinds="--net"))
        must(self.inside("ip", "link", "set", port, "master", "switch", "up", kinds="--net"))


class Machine:
    """One machine with an address on a switch."""

    def __init__(self, switch, name, address, folder):
        self.switch, self.name, self.address, self.namespaces = switch, name, address, None
        self.disk, self.log_path = folder / name, folder / f"{name}.log"
        for part in ("lib", "log", "bin"):
            (self.disk / part).mkdir(parents=True)
        must(["cp", "-a", "/etc", self.disk / "etc"])
        must(["rm", "-rf", *(self.disk / "etc" / service for service in ("postgresql", "haproxy", "doorward"))])

    def boot(self, script=""):
        """Switches it on; `script` is what its system does at each start."""
        mounts = MOUNTS.format(disk=self.disk)
        self.namespaces = Namespaces(["--mount-proc", "--net", "--ipc", "--uts"], f"{mounts}hostname {self.name}\n{script}\n")
        self.switch.plug(self.name, self.namespaces)
        self.run(f"ip link set lo up; ip address add {self.address}/24 dev lan; ip link set lan up")
        return self

    def power_off(self):
        """kill -9 of everything that runs on it."""
        if self.namespaces:
            self.namespaces.end()

    def run(self, script, user="root", **kwargs):
        """What a script says that somebody runs in a shell of theirs; fails if one of its commands does."""
        return must(self.namespaces.inside(*shell(user), f"set -e\n{script}"), **kwargs)

    def answer(self, script, answers, user):
        """Runs a script that asks for something, as often as there are answers: each is given when it has asked."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        command = self.namespaces.inside(*shell(user), f"set -e\n{script}")
        process, said = subprocess.Popen(command, bufsize=0, cwd="/", start_new_session=True, **pipes), b""
        for text in answers:
            while part := process.stderr.read(1):
                said += part
                if said.endswith(b": "):
                    process.stdin.write(f"{text}\n".encode())
                    break
        said += process.communicate(timeout=120)[1]
        assert process.returncode == 0, said.decode()

    def put(self, path, content, mode=0o644, owner="root"):
        """A file on its disk; the folder is made if it is missing."""
        self.run(f"mkdir -p $(dirname {path}); cat >{path}; chmod {mode:o} {path}; chown {owner}: {path}", input=content)

    def start(self, *command):
        """Starts a program that stays in the foreground. What it prints is in the machine's log."""
        return Service(self.namespaces.inside(*command), self.log_path)

    def log(self):
        """What programs have printed."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


class Service:
    """A program in the foreground on a machine."""

    def __init__(self, command, log_path):
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
            )

    def runs(self):
        """Whether it has not ended."""
        return self.process.poll() is None

    def stop(self, number=signal.SIGTERM, seconds=20):
        """Sends it a signal, and gives back its exit code."""
        for pid in children(self.process.pid):
            os.kill(pid, number)
        return self.process.wait(seconds)
