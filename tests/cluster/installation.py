"""The set-up of docs/operations/cluster.md: the files of deploy/, the commands of the document, machines of namespaces."""

import contextlib
import json
import os
import pathlib
import re
import secrets
import shlex
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from cryptography import x509

import papers
import postgres
from authority import Authority
from harness import BINARY, User, new_password, unique, until
from machines import Machine, Switch

HOST, CLIENT = "login.example.org", "10.0.0.50"
# Over what the files say, for they are for machines that do nothing else, with as many open files as they like.
SMALL, FEW = "-c shared_buffers=64MB", ("-n", "2000")
NEEDS = ("ip", "nsenter", "unshare", "setpriv", "runuser", "curl", "haproxy", "pg_createcluster")


def missing():
    """What keeps machines from being made here, in words; nothing if nothing does."""
    if os.geteuid() != 0:
        return "namespaces are made by root"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    lacking = [program for program in NEEDS if not shutil.which(program, path=path)]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


def deployed(name, **addresses):
    """A file of deploy/, with the machine's own address where the file says that it is to be put in."""
    text = (papers.DEPLOY / name).read_text()
    for old, new in addresses.values():
        assert old in text, f"{old} is not in {name}"
        text = text.replace(old, new)
    return text


class Database(Machine):
    """A database server, as Debian's package leaves it."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.release = postgres.programs().parent.name
        self.etc = f"/etc/postgresql/{self.release}/main"
        self.data = f"/var/lib/postgresql/{self.release}/main"

    def boot(self, script=""):
        """The folder of the socket is made at each start."""
        (self.disk / "lib/postgresql").mkdir(exist_ok=True)
        return super().boot(f"install -d -o postgres -g postgres -m 2775 /run/postgresql\n{script}")

    def install(self, authority, passwords):
        """The package, the files of the table and what step 1 names beside them."""
        self.run("chown postgres: /var/lib/postgresql; install -d -o root -g postgres -m 1775 /var/log/postgresql")
        self.run(f"pg_createcluster {self.release} main")
        self.put(f"{self.etc}/conf.d/doorward.conf", deployed("postgresql-primary.conf"), owner="postgres")
        self.put(f"{self.etc}/pg_hba.conf", deployed("pg_hba.conf"), 0o640, "postgres")
        certificate, key = authority.issue(self.name, [x509.IPAddress(ip_address(self.address))])
        self.put("/etc/postgresql/server.pem", certificate.read_text())
        self.put("/etc/postgresql/server.key", key.read_text(), 0o600, "postgres")
        self.put("/etc/postgresql/ca.pem", authority.path.read_text())
        self.put("/var/lib/postgresql/.pgpass", f"*:*:*:replicator:{passwords['replicator']}\n", 0o600, "postgres")

    def follow(self, primary):
        """The file that a standby has beside the others."""
        text = deployed("postgresql-standby.conf", primary=("10.0.0.21", primary.address))
        self.put(f"{self.etc}/conf.d/standby.conf", text, owner="postgres")

    def start_server(self):
        """What the unit of Debian's package does."""
        self.run(f"pg_ctlcluster {self.release} main start -o '{SMALL}'")

    def operate(self, script, **kwargs):
        """Commands of the document, as `postgres`."""
        return self.run(script.replace("/15/", f"/{self.release}/"), user="postgres", **kwargs)

    def sql(self, text):
        """Rows that a statement gives."""
        return [row.split("|") for row in self.operate(f"psql -XAtc {shlex.quote(text)}").splitlines()]


class Node(Machine):
    """A node, run as the unit says."""

    server = None

    def install(self, authority, passwords):
        """What the head lines of the unit and of the configuration say."""
        text = deployed("doorward-node.toml", own=("10.0.0.11", self.address))
        url = re.search(r"^# +(DOORWARD_DATABASE_URL=.*)", text, re.M)[1].replace("…", passwords["doorward"])
        (self.disk / "bin/doorward").touch()
        self.run(re.search(r"`(useradd .*?)`", (papers.DEPLOY / "doorward.service").read_text())[1])
        self.put("/etc/doorward/doorward.toml", text, 0o640)
        self.run("chgrp doorward /etc/doorward/doorward.toml")
        self.put("/etc/doorward/environment", url + "\n", 0o600)
        self.put("/etc/doorward/database-ca.pem", authority.path.read_text())

    def boot(self, script=""):
        """The binary is the one under test."""
        (self.disk / "bin/doorward").touch()
        return super().boot(f"mount --bind {shlex.quote(str(BINARY))} /usr/local/bin/doorward\n{script}")

    def start_server(self):
        """ExecStart= as User=, with what else of the unit can be had without systemd."""
        unit = papers.unit()
        user, folder = unit["User"], unit["WorkingDirectory"]
        self.run(f"install -d -o {user} -g {unit['Group']} -m {unit['StateDirectoryMode']} /var/lib/{unit['StateDirectory']}")
        variables = papers.environment(self.run(f"cat {unit['EnvironmentFile'].lstrip('-')}"))
        variables |= {"PATH": "/usr/local/bin:/usr/bin", "USER": user, "HOME": folder}
        became = ["setpriv", "--reuid", user, "--regid", unit["Group"], "--init-groups", "--no-new-privs"]
        became += ["--bounding-set=-all", "--inh-caps=-all", "env", "-i", *("=".join(pair) for pair in variables.items())]
        # A container's root may not raise limits above its own.
        files = f'ulimit -n {unit["LimitNOFILE"]} || ulimit -n "$(ulimit -H -n)"'
        limits = f'umask {unit["UMask"]}; {files}; ulimit -c {unit["LimitCORE"]}; cd {folder}; exec "$@"'
        self.server = self.start("sh", "-euc", limits, "sh", *became, *shlex.split(unit["ExecStart"]))

    def doorward(self, *arguments, **kwargs):
        """A command, as the document tells operators to run them."""
        function = papers.blocks("Set up")[2][0]
        return self.run(f"{function}\ndoorward {shlex.join(arguments)}", **kwargs)

    def user(self):
        """Creates a user that no other test knows."""
        name, password = unique(), new_password()
        user = User("", f"{name}@example.com", name, password)
        command = ["user", "create", "--email", user.email, "--username", name, "--password-stdin", "--json"]
        user.id = json.loads(self.doorward(*command, input=password))["id"]
        return user


class Balancer(Machine):
    """HAProxy."""

    server = None

    def install(self, authority):
        """Its file and its certificate."""
        certificate, key = authority.issue(HOST, [x509.DNSName(HOST)])
        self.put("/etc/haproxy/haproxy.cfg", deployed("haproxy.cfg"))
        self.put("/etc/haproxy/doorward.pem", certificate.read_text() + key.read_text(), 0o600)

    def start_server(self):
        """The command of Debian's unit, but for its talk with systemd."""
        self.run("haproxy -c -q -f /etc/haproxy/haproxy.cfg")
        self.server = self.start("haproxy", "-W", *FEW, "-f", "/etc/haproxy/haproxy.cfg")
        until(self.listens, "HAProxy listens", 30)

    def listens(self):
        """Whether it takes connections."""
        assert self.server.runs(), self.log()[-1500:]
        return self.run(f"curl -sk -o /dev/null https://{self.address}/ && echo yes || true")

    def node_of(self, answer):
        """The name of the node that gave an answer, from the log."""
        line = rf"{CLIENT}:{answer.port} nodes/(\w+) {answer.status} "
        return until(lambda: re.search(line, self.log()), f"the balancer's log has the answer to port {answer.port}")[1]

    def mark(self):
        """A place in the log, from which `saw` looks."""
        return len(self.log())

    def saw(self, node, state, mark):
        """Waits until the checks of a node have come out so."""
        until(lambda: f"Server nodes/{node} is {state}" in self.log()[mark:], f"{node} is {state}", 30)


class Answer:
    """What came back through curl, line ends as Python has them."""

    def __init__(self, text):
        head, _, rest = text.partition("\n\n")
        self.body, _, port = rest.rpartition("\x1e")
        status, *fields = head.split("\n")
        self.version, self.status, self.port = status.split()[0], int(status.split()[1]), int(port)
        self.headers = [tuple(field.split(": ", 1)) for field in fields]

    def header(self, name):
        """The values of a header."""
        return [value for key, value in self.headers if key.lower() == name]

    def json(self):
        """The body."""
        return json.loads(self.body)


class Client(Machine):
    """Somebody's machine."""

    def install(self, authority):
        """It knows the name and who issued the certificate."""
        self.put("/etc/authority.pem", authority.path.read_text())
        self.run(f"echo '10.0.0.1 {HOST}' >>/etc/hosts")

    def call(self, method, url, *options, headers=(), body=None):
        """One call on a connection of its own."""
        url = url if "://" in url else f"https://{HOST}{url}"
        command = ["curl", "-sSi", "-m", "30", "--cacert", "/etc/authority.pem", "-X", method, "-w", "\x1e%{local_port}"]
        fields = [part for field in headers for part in ("-H", field)]
        if body is not None:
            fields += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        return Answer(self.run(shlex.join([*command, *options, *fields, url])))

    def sign_in(self, user, *options, url="", **kwargs):
        """A sign-in with the password."""
        body = {"identifier": user.username, "password": user.password}
        return self.call("POST", f"{url}/auth/v1/sign-in/password", *options, body=body, **kwargs)

    def session(self, token):
        """Who am I."""
        return self.call("GET", "/auth/v1/session", headers=[f"Authorization: Bearer {token}"])


class Installation:
    """All of it. `dispose` ends everything and removes the disks."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="doorward-machines-"))
        self.passwords = {name: secrets.token_hex(12) for name in ("doorward", "replicator")}
        self.machines, self.switch = [], None
        try:
            self.switch = Switch()
            self.databases = [self.machine(Database, f"database{n}", f"10.0.0.2{n}") for n in (1, 2)]
            self.nodes = [self.machine(Node, f"node{n}", f"10.0.0.1{n}") for n in (1, 2)]
            self.balancer = self.machine(Balancer, "balancer", "10.0.0.1")
            self.client = self.machine(Client, "client", CLIENT)
        except BaseException:
            self.dispose()
            raise

    def machine(self, kind, name, address):
        """A machine that runs, with nothing on it."""
        one = kind(self.switch, name, address, self.folder)
        self.machines.append(one)
        return one.boot()

    def set_up(self):
        """The steps of the document."""
        first, second, third = papers.blocks("Set up")[:3]
        between, public = Authority(self.folder, "databases"), Authority(self.folder, "public")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda one: one.install(between, self.passwords), self.databases))
        self.set_up_primary(first)
        self.set_up_standby(second)
        for node in self.nodes:
            node.install(between, self.passwords)
            for command in third[1].splitlines():
                node.doorward(*shlex.split(command)[1:])
        for node in self.nodes:
            node.start_server()
        self.balancer.install(public)
        self.balancer.start_server()
        self.client.install(public)
        for node in self.nodes:
            self.ready(node)
        until(lambda: self.client.call("GET", "/health/ready").status == 200, "the balancer has a node", 30)
        return self

    def set_up_primary(self, step):
        """Step 1. Both passwords are asked for twice."""
        primary = self.databases[0]
        primary.start_server()
        asked = [self.passwords[name] for name in ("doorward", "doorward", "replicator", "replicator")]
        primary.answer(step[0], asked, "postgres")

    def set_up_standby(self, step):
        """Step 2: the copy, what the primary must say, the slot."""
        primary, standby = self.databases
        standby.run(f"rm -rf {standby.data}; install -d -o postgres -g postgres -m 0700 {standby.data}")
        standby.operate(step[0])
        standby.follow(primary)
        standby.start_server()
        self.synchronous(primary, step[1])
        standby.operate(step[2])

    def synchronous(self, primary, question):
        """Waits until a primary says what the document says that it must."""
        until(lambda: re.search(r"^ standby +\| sync$", primary.operate(question), re.M), "the standby is synchronous", 60)

    def ready(self, node):
        """Waits until a node is ready, as the balancer sees it."""

        question = f"curl -s -o /dev/null -w '%{{http_code}}' http://{node.address}:8080/health/ready || true"

        def asked():
            assert node.server.runs(), node.log()[-1500:]
            return self.balancer.run(question) == "200"

        until(asked, f"{node.name} is ready", 30)

    def dispose(self):
        """Ends all machines."""
        for one in [*self.machines, self.switch]:
            with contextlib.suppress(AttributeError):
                one.power_off() if one is not self.switch else one.end()
        if not os.environ.get("CLIENT_TESTS_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
