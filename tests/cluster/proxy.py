"""A line between a node and its database that can fall silent: nothing is closed, nothing passes."""

import contextlib
import socket
import threading

from harness import free_port


class Line:
    """One connection and its two directions."""

    def __init__(self, near, far):
        self.near, self.far, self.listens = near, far, False
        self.flows = threading.Event()
        self.flows.set()

    def close(self):
        """Ends both sides."""
        for side in (self.near, self.far):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


class Proxy:
    """Forwards connections to a port. `silence` stops the bytes of all of them, or of those that listen to notifications."""

    def __init__(self, target):
        self.target, self.port = target, free_port()
        self.lines, self.silenced = [], lambda line: False
        self.door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        """Takes connections until the door is closed."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.door.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                line = Line(near, far)
                self.lines.append(line)
                self.judge(line)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self.pump, args=(line, source, sink), daemon=True).start()

    def pump(self, line, source, sink):
        """Carries bytes one way."""
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                if source is line.near and b"LISTEN " in part.upper():
                    line.listens = True
                    self.judge(line)
                line.flows.wait()
                sink.sendall(part)
        line.close()

    def judge(self, line):
        """Lets a connection flow, or not."""
        line.flows.clear() if self.silenced(line) else line.flows.set()

    def silence(self, which=lambda line: True):
        """Bytes stop on all connections for which `which` holds, now and later."""
        self.silenced = which
        for line in self.lines:
            self.judge(line)

    def speak(self):
        """The end of a silence."""
        self.silence(lambda line: False)

    def close(self):
        """Ends all connections."""
        self.door.close()
        self.speak()
        for line in self.lines:
            line.close()


class Deaf:
    """Takes connections and never says a word."""

    def __init__(self):
        self.port, self.taken = free_port(), []
        self.door = socket.create_server(("127.0.0.1", self.port), backlog=512)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        """Keeps what it takes, so that it stays open."""
        with contextlib.suppress(OSError):
            while True:
                self.taken.append(self.door.accept()[0])

    def close(self):
        """Ends all connections."""
        self.door.close()
        for one in self.taken:
            one.close()
