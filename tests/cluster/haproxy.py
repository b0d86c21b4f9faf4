"""HAProxy in front of nodes, set up as docs/operations tells operators to, with quicker health checks."""

import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from harness import free_port, until

# No retry of a request that was sent: what a node takes it must answer.
SETTINGS = """
global
  maxconn 512
  stats socket {folder}/admin.sock mode 600 level admin
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout http-keep-alive 30s
  timeout check 2s
  retries 3
  option redispatch
  option forwardfor
frontend public
  bind 127.0.0.1:{port}
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /health/ready
  http-check expect status 200
  default-server check inter {interval}ms fall 2 rise 2
"""


class HaProxy:
    """One balancer; give it nodes with `start`."""

    def __init__(self, interval=250):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="doorward-haproxy-"))
        self.port, self.interval, self.process = free_port(), interval, None
        self.url = f"http://localhost:{self.port}"

    def start(self, nodes):
        """Starts it, and waits until it holds all nodes for healthy."""
        lines = [f"  server node{n} 127.0.0.1:{node.port}" for n, node in enumerate(nodes)]
        text = SETTINGS.format(folder=self.folder, port=self.port, interval=self.interval) + "\n".join(lines) + "\n"
        (self.folder / "haproxy.cfg").write_text(text)
        program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        assert program, "haproxy is missing"
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([program, "-db", "-f", self.folder / "haproxy.cfg"], stdout=log, stderr=log)
        until(lambda: (self.folder / "admin.sock").exists() or self.process.poll() is not None, "HAProxy runs")
        assert self.process.poll() is None, (self.folder / "log").read_text()
        for n in range(len(nodes)):
            until(lambda n=n: self.state(n) == "UP", f"node {n} is up")
        return self

    def rows(self):
        """Its statistics, a dictionary a row."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(self.folder / "admin.sock"))
            line.sendall(b"show stat\n")
            text = b"".join(iter(lambda: line.recv(65536), b"")).decode()
        head, *rows = [row.split(",") for row in text.lstrip("# ").splitlines() if row]
        return [dict(zip(head, row)) for row in rows]

    def state(self, n):
        """What it holds a node for: `UP`, `DOWN` or on the way between."""
        row = next(row for row in self.rows() if row["svname"] == f"node{n}")
        return row["status"] if row["check_status"].strip("* ") else "unchecked"

    def dispose(self):
        """Ends it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
