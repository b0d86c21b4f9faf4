"""PgBouncer in transaction mode in front of a PostgreSQL server."""

import pathlib
import shutil
import socket
import subprocess
import tempfile

from harness import free_port, until
from postgres import ADMIN, OWNER, given_away, unprivileged

# As Debian's release allows it: without prepared statements of its own.
SETTINGS = """
[databases]
* = host=127.0.0.1 port={target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
admin_users = {admin}
pool_mode = transaction
max_client_conn = 200
default_pool_size = {pool}
logfile = {folder}/log
pidfile = {folder}/pid
"""


class PgBouncer:
    """One pooler; `url` is a database of the server behind it. Fewer connections than clients, so that clients share them."""

    def __init__(self, server, pool=3):
        self.server, self.port = server, free_port()
        self.folder = pathlib.Path(given_away(tempfile.mkdtemp(prefix="doorward-pgbouncer-")))
        users = f'"{OWNER}" "{server.owner_password}"\n"{ADMIN}" "{server.password}"\n'
        text = SETTINGS.format(target=server.port, port=self.port, folder=self.folder, admin=ADMIN, pool=pool)
        for name, content in (("users", users), ("ini", text)):
            path = self.folder / name
            path.write_text(content)
            path.chmod(0o600)
            given_away(path)
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        assert program, "pgbouncer is missing"
        self.process = subprocess.Popen(
            [program, "-q", self.folder / "ini"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **unprivileged()
        )
        until(lambda: self.process.poll() is not None or self.answers(), "PgBouncer takes connections")
        assert self.process.poll() is None, (self.folder / "log").read_text()

    def answers(self):
        """Whether somebody is at the port."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
        except OSError:
            return False
        return True

    def url(self, database, **parameters):
        """The URL of a database by way of the pooler."""
        return self.server.url(database, hosts=[f"127.0.0.1:{self.port}"], **parameters)

    def dispose(self):
        """Ends it."""
        self.process.kill()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
