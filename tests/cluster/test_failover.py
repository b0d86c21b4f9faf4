"""The database dies, freezes, fills up and comes back: what was acknowledged is there, and nobody is kept waiting."""

import os
import threading
import time

import pytest
import requests

import postgres
import wires
from figures import record
from harness import until
from load import Crowd
from proxy import Deaf

OUTAGE = float(os.environ.get("CLUSTER_TESTS_OUTAGE", "60"))
AWAY = 20  # seconds without a standby: several times as long as a call waits
POOL, FEW_CONNECTIONS = 4, 24
BACK_WITHIN = 5  # seconds from the promotion to the first sign-in: a promise


@pytest.fixture
def pair(closing):
    """A primary with a synchronous standby, of the test's own."""
    both = postgres.Pair()
    closing.callback(both.dispose)
    return both


@pytest.fixture
def crowded(closing):
    """Such a pair that takes few connections."""
    both = postgres.Pair({"max_connections": str(FEW_CONNECTIONS)})
    closing.callback(both.dispose)
    return both


@pytest.fixture
def alone(closing):
    """A PostgreSQL server of the test's own."""
    one = postgres.started()
    closing.callback(one.dispose)
    return one


def unready(crowd, since):
    """Waits until every node has said that it is not ready, and somebody was told to come back later."""

    def said():
        seen = {a.node for a in list(crowd.readiness) if a.began >= since and a.status == 503}
        return len(seen) == len(crowd.nodes) and crowd.refused(since, time.monotonic())

    until(said, "readiness says no and requests are refused", 20)


def back(crowd, since, name, bar=None, **more):
    """Waits until all is well again on all nodes, ends the load and keeps the figures."""
    for number in range(len(crowd.nodes)):
        until(lambda n=number: [a for a in crowd.done("sign-in", since) if a.node == n], f"sign-ins on node {number}", 60)
        until(lambda n=number: crowd.nodes[n].is_ready(), f"node {number} is ready", 30)
    for what in ("check", "sign-out", "mail", "kotak"):
        crowd.until_done(what, since, 3)
    crowd.stop()
    firsts, lasts = crowd.recovery(since)
    worst = max(a.seconds for a in crowd.answers)
    record(
        name,
        signed_in_after_s=[round(s, 2) for s in firsts],
        last_refusal_after_s=[round(s, 2) for s in lasts],
        slowest_answer_s=round(worst, 2),
        refused=len(crowd.refused(0, time.monotonic())),
        answers=len(crowd.answers),
        **more,
    )
    if bar:
        assert max(firsts) < bar, f"sign-ins came back only after {firsts} s"
        assert max(lasts) < 2 * bar, f"requests were refused for {lasts} s more"


def test_the_primary_dies_and_the_standby_is_promoted(pair, serve, post):
    nodes = serve(pair.url(pair.primary.create_database()))
    crowd = Crowd(nodes).start()
    died = time.monotonic()
    pair.primary.kill()
    unready(crowd, died)
    time.sleep(max(0, died + 2 - time.monotonic()))  # not a wait for anything: as long as somebody takes to decide
    asked = time.monotonic()
    pair.standby.promote()
    back(crowd, asked, "failover", BACK_WITHIN, promotion_took_s=round(time.monotonic() - asked, 2))
    record("failover: kept", **crowd.check_kept(post))


# A pool of two has one place for who writes, which a commit takes that waits at the old server. That this is gone is looked for only when its
# caller has given up.
@pytest.mark.parametrize("pool, within", [(16, BACK_WITHIN), (2, 2 * BACK_WITHIN)])
def test_the_primary_freezes_and_the_standby_is_promoted(pair, serve, post, pool, within):
    """It takes connections and never answers; what it had in hand when it thaws is nobody's any more."""
    nodes = serve(pair.url(pair.primary.create_database()), env={"DOORWARD_DATABASE__POOL_SIZE": str(pool)})
    crowd = Crowd(nodes).start()
    froze = time.monotonic()
    pair.primary.freeze()
    unready(crowd, froze)
    asked = time.monotonic()
    pair.standby.promote()
    back(crowd, asked, f"failover from a frozen primary, {pool} connections", within)
    pair.primary.kill()
    record(f"failover from a frozen primary, {pool} connections: kept", **crowd.check_kept(post))


def test_a_standby_that_is_away_acknowledges_nothing(pair, serve, post):
    """A commit that the standby does not have is no commit: what was answered must outlive the primary all the same."""
    nodes = serve(pair.url(pair.primary.create_database()))
    crowd = Crowd(nodes).start()
    froze = time.monotonic()
    pair.standby.freeze()
    until(lambda: crowd.refused(froze, time.monotonic()), "requests are refused", 20)
    asked = time.monotonic()
    pair.primary.kill()
    pair.standby.thaw()
    pair.standby.promote()
    back(crowd, asked, "standby away, then failover", BACK_WITHIN)
    record("standby away: kept", **crowd.check_kept(post))


class Checks:
    """Has a session checked again and again, at each node."""

    def __init__(self, nodes):
        user = nodes[0].user()
        self.token, self.nodes, self.statuses = wires.native(nodes[0], user), nodes, []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(node,), daemon=True) for node in nodes]

    def ask(self, node):
        """One node, until it is enough."""
        with requests.Session() as http:
            http.trust_env = False
            while not self.stopping.wait(0.02):
                url = f"http://127.0.0.1:{node.port}/auth/v1/session"
                self.statuses.append(http.get(url, headers=wires.bearer(self.token), timeout=30).status_code)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)


def test_a_standby_that_is_away_for_a_while_keeps_nobody_from_reading(crowded, serve, post):
    """Commits that wait hold the connections that they have, and no more: the database goes on taking others, and checks are answered."""
    env = {"DOORWARD_DATABASE__POOL_SIZE": str(POOL), "DOORWARD_SESSIONS__CACHE_MIB": "0"}
    nodes = serve(crowded.url(crowded.primary.create_database()), env=env)
    crowd = Crowd(nodes, visitors=6 * POOL).start()
    held, most = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{postgres.OWNER}'", 0
    with Checks(nodes) as checks:
        until(lambda: len(checks.statuses) > 20, "checks are answered")
        froze = time.monotonic()
        crowded.standby.freeze()
        while time.monotonic() < froze + AWAY:
            most = max(most, int(crowded.primary.sql(held)[0][0]))
            time.sleep(0.2)  # between two samples
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = '{}'"
        stuck = int(crowded.primary.sql(waiting.format(postgres.OWNER))[0][0])
        thawed = time.monotonic()
        crowded.standby.thaw()
        back(crowd, thawed, f"standby away for {AWAY} s", BACK_WITHIN, connections=most, commits_that_waited=stuck)
    assert set(checks.statuses) == {200}, f"{len(checks.statuses)} checks, some refused"
    refused = [a for a in crowd.answers if a.what == "check" and froze <= a.began <= thawed and a.status != 200]
    assert not refused, f"{len(refused)} checks of others refused, such as {refused[:3]}"
    assert stuck and most <= len(nodes) * (POOL + 1), f"{most} connections, {stuck} of them waited"
    ready = crowd.said_ready(froze + 8, thawed)
    assert ready and 200 not in ready, f"ready while nothing can be written: {ready.count(200)} of {len(ready)}"
    record("standby away for a while: kept", **crowd.check_kept(post))


def test_the_database_is_stopped_for_a_while(alone, serve, post):
    nodes = serve(alone.url(alone.create_database()))
    crowd = Crowd(nodes).start()
    stopped = time.monotonic()
    alone.stop()
    unready(crowd, stopped)
    time.sleep(max(0, stopped + OUTAGE - time.monotonic()))  # the outage itself
    assert not crowd.done("sign-in", stopped + 1)
    alone.start()
    started = time.monotonic()
    back(crowd, started, f"stopped for {OUTAGE:.0f} s", BACK_WITHIN)
    assert 200 not in crowd.said_ready(stopped + 3, stopped + OUTAGE - 1), "ready without a database"
    record("stopped: kept", **crowd.check_kept(post))


def test_the_database_falls_silent(alone, serve, post):
    """SIGSTOP: connections are taken and nothing is answered on old ones or new ones."""
    nodes = serve(alone.url(alone.create_database()))
    crowd = Crowd(nodes).start()
    froze = time.monotonic()
    alone.freeze()
    unready(crowd, froze)
    time.sleep(max(0, froze + OUTAGE - time.monotonic()))  # the outage itself
    thawed = time.monotonic()
    alone.thaw()
    back(crowd, thawed, f"silent for {OUTAGE:.0f} s", BACK_WITHIN)
    record("silent: kept", **crowd.check_kept(post))


def test_every_connection_is_terminated(alone, serve, post):
    nodes = serve(alone.url(alone.create_database()))
    crowd = Crowd(nodes).start()
    began = time.monotonic()
    ended = [alone.terminate() for _ in range(5)]
    assert ended[0] >= len(nodes)
    asked = time.monotonic()
    back(crowd, asked, "all connections terminated", BACK_WITHIN, terminated=sum(ended), from_s=round(began - asked, 2))
    record("terminated: kept", **crowd.check_kept(post))


def test_a_host_that_never_answers_stands_first_in_the_url(alone, serve, closing, post):
    deaf = Deaf()
    closing.callback(deaf.close)
    hosts = [f"127.0.0.1:{deaf.port}", f"127.0.0.1:{alone.port}"]
    url = alone.url(alone.create_database(), hosts=hosts, target_session_attrs="read-write")
    began = time.monotonic()
    nodes = serve(url)
    record("deaf first host", started_after_s=round(time.monotonic() - began, 2))
    crowd = Crowd(nodes).start()
    terminated = time.monotonic()
    alone.terminate()
    back(crowd, terminated, "deaf first host, connections terminated", BACK_WITHIN)
    assert deaf.taken, "it was tried"
    record("deaf first host: kept", **crowd.check_kept(post))
