"""The set-up of docs/operations/cluster.md stands, and does what the document says. Each test leaves all of it running."""

import json
import re
import signal
import threading

import pytest

import installation
import papers
from figures import record
from harness import until

FORGED = ["X-Forwarded-For: 203.0.113.7", "X-Real-IP: 203.0.113.7", "Forwarded: for=203.0.113.7"]


@pytest.fixture(scope="module")
def site():
    """Five machines, set up as the document says, and one of a caller."""
    why = installation.missing()
    if why:
        pytest.skip(why)
    try:
        made = installation.Installation()
    except OSError as error:
        pytest.skip(f"namespaces cannot be made here: {error}")
    try:
        yield made.set_up()
    finally:
        made.dispose()


@pytest.fixture
def user(site):
    """A user, created on a node."""
    return site.nodes[0].user()


def signed_in(site, user):
    """The token of a new session."""
    answer = site.client.sign_in(user)
    assert answer.status == 200, answer.body
    return answer.json()["token"]


def test_http_leads_to_https(site):
    answer = site.client.call("GET", f"http://{installation.HOST}/auth/v1/session")
    assert (answer.status, answer.header("location")) == (301, [f"https://{installation.HOST}/auth/v1/session"])


@pytest.mark.parametrize(("option", "version"), [("--http2", "HTTP/2"), ("--http1.1", "HTTP/1.1")])
def test_sign_in_through_tls(site, user, option, version):
    answer = site.client.sign_in(user, option)
    assert (answer.status, answer.version) == (200, version), answer.body
    assert answer.header("strict-transport-security") == ["max-age=31536000"]
    cookies = answer.header("set-cookie")
    assert cookies and all(re.match(r"__Host-.*; Secure(;|$)", cookie) for cookie in cookies), cookies


def last_sign_in(site, user):
    """What the audit log has of the last sign-in of a user."""
    rows = json.loads(site.nodes[1].doorward("audit", "list", "--json"))["items"]
    return next(row for row in rows if row["event"] == "sign_in" and row["user_id"] == user.id)


def test_the_address_is_the_callers_whatever_the_caller_claims(site, user):
    assert site.client.sign_in(user, headers=FORGED).status == 200
    row = last_sign_in(site, user)
    assert (row["address"], row["peer"]) == (installation.CLIENT, "10.0.0.1"), row


def test_a_caller_who_goes_past_the_balancer_is_not_believed(site, user):
    assert site.client.sign_in(user, url="http://10.0.0.11:8080", headers=FORGED).status == 200
    row = last_sign_in(site, user)
    assert (row["address"], row["peer"]) == (installation.CLIENT, installation.CLIENT), row


def asked_of_both(site, token):
    """What the nodes say of a session, by their names: the balancer takes turns."""
    said = {}

    def asked():
        answer = site.client.session(token)
        said[site.balancer.node_of(answer)] = answer.status
        return len(said) == 2

    until(asked, "both nodes have answered", 30)
    return said


def test_a_session_and_its_end_are_good_on_both_nodes(site, user):
    token = signed_in(site, user)
    assert asked_of_both(site, token) == {"node1": 200, "node2": 200}
    ended = site.client.call("DELETE", "/auth/v1/session", headers=[f"Authorization: Bearer {token}"])
    assert ended.status == 204, ended.body
    until(lambda: asked_of_both(site, token) == {"node1": 401, "node2": 401}, "the session is refused")


def test_the_databases_are_spoken_to_in_tls_only(site):
    primary = next(one for one in site.databases if one.sql("SELECT pg_is_in_recovery()") == [["f"]])
    remote = "pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL"
    rows = primary.sql(f"SELECT DISTINCT usename, ssl FROM {remote}")
    assert sorted(rows) == [["doorward", "t"], ["replicator", "t"]]
    plain = f"host={primary.address} dbname=doorward user=doorward sslmode=disable"
    with pytest.raises(AssertionError, match="no pg_hba.conf entry"):
        site.nodes[0].run(f"psql '{plain}' -c 'SELECT 1'")


class Caller:
    """Asks for one session again and again, in a thread of its own, until it is told to stop."""

    def __init__(self, site, token):
        self.site, self.token, self.statuses, self.over = site, token, [], threading.Event()
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()

    def ask(self):
        """The thread."""
        while not self.over.is_set():
            self.statuses.append(self.site.client.session(self.token).status)

    def stop(self):
        """Ends it; what it was told."""
        self.over.set()
        self.thread.join(60)
        return self.statuses


def test_nodes_are_restarted_one_after_the_other_and_nobody_notices(site, user):
    caller = Caller(site, signed_in(site, user))
    try:
        for node in site.nodes:
            mark = site.balancer.mark()
            assert node.server.stop(signal.SIGTERM) == 0, node.log()[-1500:]
            site.balancer.saw(node.name, "DOWN", mark)
            node.start_server()
            site.balancer.saw(node.name, "UP", mark)
    finally:
        statuses = caller.stop()
    assert set(statuses) == {200} and len(statuses) > 4, statuses
    record("set-up: nodes restarted", answers=len(statuses), refused=0)


def instead(script, dead, heir):
    """A script of the document, which speaks of the death of 10.0.0.21, for that of another."""
    return script.replace("10.0.0.22", heir.address) if dead.address == "10.0.0.21" else script.replace("10.0.0.22", "10.0.0.21")


def test_the_primary_dies_and_comes_back_as_standby_and_then_the_other_one(site, user):
    token = signed_in(site, user)
    (promote,), (rewind, slot), (release, *_) = (step for step in papers.blocks("The primary is dead: promote") if step)
    for dead, heir in (site.databases, site.databases[::-1]):
        dead.power_off()
        until(lambda: site.client.sign_in(user).status in (503, 504), "sign-ins are refused", 30)
        heir.operate(promote)
        until(lambda: site.client.sign_in(user).status == 200, "sign-ins work", 30)
        assert site.client.session(token).status == 200
        dead.boot()
        dead.operate(instead(rewind, dead, heir))
        dead.follow(heir)
        dead.start_server()
        dead.operate(slot)
        *leave, question = release.splitlines()
        heir.operate("\n".join(leave))
        site.synchronous(heir, question)
        assert heir.sql("SHOW synchronous_standby_names") == [["FIRST 1 (standby)"]]
    assert asked_of_both(site, signed_in(site, user)) == {"node1": 200, "node2": 200}
    assert asked_of_both(site, token) == {"node1": 200, "node2": 200}
