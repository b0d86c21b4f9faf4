"""PgBouncer in transaction mode between the nodes and the database: each transaction may meet another connection."""

import pytest

import mailbox_reader
import wires
from figures import record
from harness import CommandFailed
from load import Crowd
from pgbouncer import PgBouncer
from test_nodes import enrolled, refused_everywhere, signed_in

POOLER = {"DOORWARD_DATABASE__POOLER": "true"}


@pytest.fixture
def pooler(server_of_databases, closing):
    """A pooler with three connections for all."""
    one = PgBouncer(server_of_databases, pool=3)
    closing.callback(one.dispose)
    return one


@pytest.fixture
def nodes(pooler, database, serve):
    """Two nodes that reach their database by way of the pooler."""
    return serve(pooler.url(database), env=POOLER)


def test_the_main_flows(nodes, post, server_of_databases, database):
    a, b = nodes
    user = a.user()
    for name, opener in wires.OPENERS.items():
        if name != "kotak":
            token = opener(a, user)
            assert wires.honoured(b, token) == wires.EVERYWHERE, name
            assert wires.end_native(b, user, token) == 204
            refused_everywhere(nodes, token)
    client = wires.KotakClient(a, a.app(), user.username)
    client.login(user.password)
    client.session_2fa(post.wait(user.email, mailbox_reader.code)[-1])
    client.logout()
    with signed_in(a, user) as caller:
        key = enrolled(caller, a, b)
    with signed_in(b, user) as caller:
        options = caller.post(b.url + wires.KRAKEN + "/startAuth").json()
        assert caller.post(a.url + wires.KRAKEN + "/finishAuth", json=key.get(options, a.public_url)).status_code == 200


def test_what_one_node_ends_the_other_refuses_however_long_it_has_known_it(nodes):
    """A pooler gives a notification to whoever has the connection that listens at that moment, or to nobody."""
    a, b = nodes
    user = a.user()
    for _ in range(20):
        token = wires.native(a, user)
        assert [wires.by_native_bearer(b, token) for _ in range(3)] == [True] * 3
        assert wires.end_native(a, user, token) == 204
        assert not wires.by_native_bearer(b, token)


def test_a_crowd(nodes, post, server_of_databases, database):
    crowd = Crowd(nodes).start()
    crowd.until_done("sign-in", 0, 150)
    # PostgreSQL itself may be at work there, too, cleaning up.
    theirs = f"datname = '{database}' AND backend_type = 'client backend'"
    rows = server_of_databases.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {theirs}")
    crowd.stop()
    assert 1 <= int(rows[0][0]) <= 3, "the nodes share the pooler's connections"
    assert not crowd.refused(0, float("inf")), crowd.tally()
    record("through PgBouncer", connections=int(rows[0][0]), **crowd.check_kept(post))


def test_a_pooler_that_is_not_declared_is_named(pooler, database, serve):
    """Statements that one transaction has prepared are unknown to the next, or in its way: for the nodes, or for a command."""
    nodes = serve(pooler.url(database), started=False)
    said = []
    try:
        nodes.start()
        for _ in range(200):
            nodes[0].user()
            nodes[1].app()
    except CommandFailed as failure:
        said = failure.stderr.splitlines()
    except AssertionError:
        pass  # It did not even start.
    said += [line for node in nodes for line in node.log().splitlines()]
    told = [line for line in said if "prepared statement" in line]
    assert told and all("set database.pooler = true" in line for line in told), told
