"""How long a revoked session is still honoured: by another node, and after a command in another process."""

import http.client
import itertools
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import mailbox_reader
import wires
from figures import record, spread
from harness import Server, new_password
from metronome import Metronome
from proxy import Proxy

RESET = mailbox_reader.link_with("code", "user_id")
AT_ONCE, AFTER_A_CUT = 0.1, 1.0  # seconds: promises


@pytest.fixture(autouse=True)
def short_turns():
    """The post office runs in a thread of this process: it must not take five milliseconds at a time from who measures."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    yield
    sys.setswitchinterval(before)


class Asker:
    """One connection that is kept open, over which a node is asked about sessions."""

    def __init__(self, node):
        self.port, self.line = node.port, None

    def status(self, token):
        """What the node answers to who presents a token."""
        if self.line is None:
            self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.line.request("GET", "/auth/v1/session", headers=wires.bearer(token))
        answer = self.line.getresponse()
        answer.read()
        return answer.status

    def lag(self, token, revoke):
        """Seconds from the end of a revocation to the node's first refusal; there is no way back from it."""
        assert [self.status(token) for _ in range(2)] == [200, 200]
        revoke()
        done = time.monotonic()
        while (status := self.status(token)) == 200:
            assert time.monotonic() < done + 10, "still honoured after 10 s"
        refused = time.monotonic()
        assert status == 401 and self.status(token) == 401
        return refused - done


@pytest.fixture
def metronome(closing):
    """Tells how busy the machine was."""
    one = Metronome()
    closing.callback(one.dispose)
    return one


def judge(name, lags, metronome, bar):
    """Records the lags and holds them to the bar: each of them, unless the machine lets programs wait that could run.

    Four programs stand between a revocation and its effect on another node, and each may have to wait.
    """
    late = metronome.worst()
    record(name, **spread(lags), machine_late_ms=round(1000 * late, 2))
    assert statistics.median(lags) < bar / 4
    assert max(lags) < (bar if late < bar / 10 else bar + 4 * late)


class Revoker:
    """The three ways in which what is open in somebody's name ends, on one node."""

    def __init__(self, node, administrator, post):
        self.node, self.post, self.caller = node, post, node.http()
        self.admin = wires.bearer(wires.native(node, administrator))

    def expect(self, status, method, path, **kwargs):
        """A call that must be answered so."""
        answer = self.caller.request(method, path, **kwargs)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"

    def sign_out(self, user, token):
        """The user ends the session."""
        return lambda: self.expect(204, "DELETE", "/auth/v1/session", headers=wires.bearer(token))

    def disable(self, user, token):
        """An administrator disables the user."""
        return lambda: self.expect(200, "POST", f"/admin/v1/users/{user.id}/disable", headers=self.admin)

    def ask(self, user):
        """The user asks for a link to set a new password."""
        self.expect(202, "POST", "/v1/passwords/reset", json={"email": user.email})

    def reset(self, user, token):
        """The user sets a new password with the link that was mailed last."""
        query = mailbox_reader.query_of(self.post.to(user.email, RESET)[-1])
        body = {"code": query["code"], "password": new_password(), "user_id": user.id}

        def confirm():
            self.expect(204, "POST", "/auth/v1/recovery/confirm", json=body)
            user.password = body["password"]

        return confirm


@pytest.fixture
def nodes(server_of_databases, database, serve):
    """Two nodes on one new database."""
    return serve(server_of_databases.url(database))


def people(node, count):
    """Users, made a few at a time."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: node.user(), range(count)))


ROUNDS, PEOPLE = 14, 24  # and three ways: 1,008 revocations


def test_a_thousand_revocations_on_two_nodes(nodes, post, metronome):
    a, b = nodes
    administrator, users = a.user("--admin"), people(a, PEOPLE)
    revokers = [Revoker(node, administrator, post) for node in nodes]
    askers = [Asker(node) for node in nodes]
    lags = {"sign_out": [], "reset": [], "disable": []}
    for turn in range(ROUNDS):
        for user in users:
            revokers[0].ask(user)
        for user in users:
            post.wait(user.email, RESET, turn + 1)
        for number, (user, way) in enumerate(itertools.product(users, lags)):
            here, there = revokers[number % 2], askers[1 - number % 2]
            token = wires.native(here.node, user)
            lags[way].append(there.lag(token, getattr(here, way)(user, token)))
            if way == "disable":
                here.expect(200, "POST", f"/admin/v1/users/{user.id}/enable", headers=here.admin)
    for way, measured in lags.items():
        record(f"revocation lag, {way}", **spread(measured))
    everything = [lag for measured in lags.values() for lag in measured]
    judge("revocation lag, all", everything, metronome, AT_ONCE)


@pytest.fixture(params=["sqlite", "postgres"])
def one_server(request, closing):
    """One running server on one engine or the other."""
    env = {}
    if request.param == "postgres":
        store = request.getfixturevalue("server_of_databases")
        env["DOORWARD_DATABASE_URL"] = store.url(request.getfixturevalue("database"))
    one = Server(env=env)
    closing.callback(one.dispose)
    one.engine = request.param
    return one.start()


def test_the_command_line_revokes_at_once(one_server, metronome):
    """The lag counts from the end of the command, when the operator sees its answer."""
    user, asker, lags = one_server.user(), Asker(one_server), []
    for n in range(30):
        token = wires.native(one_server, user)
        session = one_server.get("/auth/v1/session", headers=wires.bearer(token)).json()["session"]["id"]
        command = [("session", "revoke", session), ("session", "revoke", "--user", user.username), ("user", "disable", user.id)][n % 3]
        lags.append(asker.lag(token, lambda c=command: one_server.cli(*c)))
        if command[0] == "user":
            one_server.cli("user", "enable", user.id)
    judge(f"command line revocation lag, {one_server.engine}", lags, metronome, AT_ONCE)


# The channel is cut


# The last statement of a connection that listens: what it began with, or its heartbeat.
LISTENS = "(query LIKE 'LISTEN%' OR query LIKE 'SELECT CAST(EXTRACT(EPOCH%')"


def test_while_the_listening_connections_are_terminated(nodes, post, server_of_databases, database, metronome):
    a, b = nodes
    user, revoker, asker = a.user(), Revoker(a, a.user("--admin"), post), Asker(b)
    lags, cut = [], 0
    for _ in range(20):
        token = wires.native(a, user)
        assert asker.status(token) == 200
        cut += server_of_databases.terminate(f"{LISTENS} AND datname = '{database}'")
        lags.append(asker.lag(token, revoker.sign_out(user, token)))
    assert cut, "there was a channel to cut"
    record("channel terminated", listening_connections_cut=cut)
    judge("revocation lag, channel terminated", lags, metronome, AFTER_A_CUT)


def last_honoured(asker, token, since, seconds=3):
    """The moment of the last answer that honoured a token; the node is asked for a while."""
    last = since
    while time.monotonic() < since + seconds:
        if asker.status(token) == 200:
            last = time.monotonic()
    return last - since


@pytest.fixture
def apart(server_of_databases, database, serve, closing):
    """Two nodes, the second with a line of its own to the database, which can fall silent."""
    proxy = Proxy(server_of_databases.port)
    closing.callback(proxy.close)
    a = serve(server_of_databases.url(database), count=1)[0]
    url = server_of_databases.url(database, hosts=[f"127.0.0.1:{proxy.port}"])
    b = serve(url, count=1, public_url=a.url)[0]
    return a, b, proxy


@pytest.mark.parametrize("silenced", [lambda line: line.listens, lambda line: True], ids=["channel", "everything"])
def test_while_the_line_is_silent(apart, post, silenced, request):
    """Nothing is closed and nothing comes: only the node's own clock can tell it that the channel is dead."""
    a, b, proxy = apart
    user, revoker, asker = a.user(), Revoker(a, a.user("--admin"), post), Asker(b)
    lags = []
    for _ in range(3):
        token = wires.native(a, user)
        assert [asker.status(token) for _ in range(3)] == [200] * 3
        proxy.silence(silenced)
        revoker.sign_out(user, token)()
        lags.append(last_honoured(asker, token, time.monotonic()))
        proxy.speak()
        other = wires.native(a, user)
        deadline = time.monotonic() + 15
        while asker.status(other) != 200:
            assert time.monotonic() < deadline, "the node does not come back once the line speaks again"
    record(f"revocation lag, silent line ({request.node.callspec.id})", **spread(lags))
    assert max(lags) < AFTER_A_CUT
