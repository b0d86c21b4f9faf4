"""nginx and Caddy with a configuration of the guides, around which is only what keeps them out of the system's folders."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from harness import until

PROGRAMS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"

# As Debian's nginx.conf includes a site, without its folders. Root's workers would not reach a temporary folder of root's.
AROUND_NGINX = """
daemon off;
{user}
pid {folder}/pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""

# The interface for changes at run time has a port of its own, the same for every Caddy.
AROUND_CADDY = "{\n\tadmin off\n}\n"


class Proxy:
    """A started proxy."""

    def __init__(self, site, port):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="doorward-proxy-"))
        self.port = int(port)
        program = shutil.which(self.NAME, path=PROGRAMS)
        assert program, f"{self.NAME} is missing: run scripts/test.sh guides"
        home = {name: str(self.folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        with open(self.folder / "log", "ab") as log:
            command = [program, *self.arguments(site)]
            self.process = subprocess.Popen(command, env={**os.environ, **home}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: self.process.poll() is not None or self.listens(), f"{self.NAME} listens")
        assert self.process.poll() is None, self.log()

    def log(self):
        """What it has printed."""
        return (self.folder / "log").read_text(errors="replace")

    def listens(self):
        """Whether it takes connections."""
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0

    def dispose(self):
        """Ends it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Nginx(Proxy):
    """nginx with one site."""

    NAME = "nginx"

    def arguments(self, site):
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "site.conf").write_text(site)
        (self.folder / "nginx.conf").write_text(AROUND_NGINX.format(folder=self.folder, user=user))
        return ["-e", "stderr", "-p", self.folder, "-c", self.folder / "nginx.conf"]


class Caddy(Proxy):
    """Caddy with one site."""

    NAME = "caddy"

    def arguments(self, site):
        (self.folder / "Caddyfile").write_text(AROUND_CADDY + site)
        return ["run", "--config", self.folder / "Caddyfile", "--adapter", "caddyfile"]


PROXIES = {proxy.NAME: proxy for proxy in (Nginx, Caddy)}
