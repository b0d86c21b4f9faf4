"""Nodes hold nothing that the others need: what one begins another finishes, and what is counted is counted once."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

import mailbox_reader
import wires
from harness import new_password, until
from kotak_client import KotakClient
from security_key import SecurityKey

RESET = mailbox_reader.link_with("code", "user_id")
KRAKEN = wires.KRAKEN


@pytest.fixture
def nodes(server_of_databases, database, serve):
    """Two nodes on one new database."""
    return serve(server_of_databases.url(database))


def at_both(nodes, call, count=16):
    """The status codes of callers who start together, the first half at one node, the others at the other."""
    barrier = Barrier(count)

    def one(n):
        barrier.wait(30)
        return call(nodes[n % 2], n).status_code

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def signed_in(node, user):
    """A caller with a session of kraken in its jar."""
    caller = node.http()
    assert caller.post(node.url + KRAKEN + "/login", json={"username": user.username, "password": user.password}).status_code == 200
    return caller


def enrolled(caller, first, second):
    """A new security key; one node makes the challenge, the other takes the answer."""
    key = SecurityKey()
    options = caller.post(first.url + KRAKEN + "/startRegister")
    assert options.status_code == 200, options.text
    answer = {**key.create(options.json(), first.public_url), "name": "key"}
    assert caller.post(second.url + KRAKEN + "/finishRegister", json=answer).status_code == 200
    return key


def refused_everywhere(nodes, token):
    """Waits until no node honours a token. How long that takes is measured elsewhere; here a second is enough."""
    for node in nodes:
        until(lambda n=node: wires.honoured(n, token) == wires.NOWHERE, "the session is refused", 1)


# Steps on different nodes


def test_nodes_that_start_together_on_an_empty_database_migrate_it_once(server_of_databases, database, serve):
    nodes = serve(server_of_databases.url(database), count=4)
    assert all(node.is_ready() for node in nodes)
    user = nodes[0].user()
    assert all(wires.honoured(node, wires.native(nodes[1], user)) == wires.EVERYWHERE for node in nodes)


def test_a_challenge_of_one_is_answered_at_the_other(nodes):
    a, b = nodes
    user = a.user()
    with signed_in(a, user) as caller:
        key = enrolled(caller, a, b)
    for first, second in ((a, b), (b, a)):
        with signed_in(first, user) as caller:
            options = caller.post(first.url + KRAKEN + "/startAuth")
            assert options.status_code == 200, options.text
            done = caller.post(second.url + KRAKEN + "/finishAuth", json=key.get(options.json(), first.public_url))
            assert done.status_code == 200, done.text
            assert [caller.get(node.url + KRAKEN + "/test").status_code for node in nodes] == [200, 200]


def test_an_assertion_is_good_once_whichever_node_it_is_shown(nodes):
    a, b = nodes
    user = a.user()
    with signed_in(a, user) as caller:
        key = enrolled(caller, a, b)
    with signed_in(b, user) as caller:
        assertion = key.get(caller.post(b.url + KRAKEN + "/startAuth").json(), b.public_url)
        cookies = {"Cookie": "; ".join(f"{c.name}={c.value}" for c in caller.cookies)}
    got = at_both(nodes, lambda node, n: node.post(KRAKEN + "/finishAuth", json=assertion, headers=cookies))
    assert got.count(200) == 1 and all(400 <= status < 500 for status in got if status != 200), got


def test_a_mailed_code_of_one_opens_the_other_once(nodes, post):
    a, b = nodes
    user = a.user()
    assert a.get(f"/api/v1/request-code/{user.email}").status_code == 200
    code = post.wait(user.email, mailbox_reader.code)[-1]
    got = at_both(nodes, lambda node, n: node.post("/login", data={"username": user.email, "password": code}))
    assert got.count(200) == 1 and set(got) == {200, 401}, got


def test_wrong_codes_are_counted_over_all_nodes(nodes, post):
    a, b = nodes
    user = a.user()
    assert a.get(f"/api/v1/request-code/{user.email}").status_code == 200
    code = post.wait(user.email, mailbox_reader.code)[-1]
    wrong = ("2" if code[0] != "2" else "3") + code[1:]
    for n in range(5):
        assert nodes[n % 2].post("/login", data={"username": user.email, "password": wrong}).status_code == 401
    assert [node.post("/login", data={"username": user.email, "password": code}).status_code for node in nodes] == [401, 401]


def test_a_reset_link_of_one_works_at_the_other_once(nodes, post):
    a, b = nodes
    user = a.user()
    sessions = [wires.native(node, user) for node in nodes]
    assert a.post("/v1/passwords/reset", json={"email": user.email}).status_code == 202
    query = mailbox_reader.query_of(post.wait(user.email, RESET)[-1])
    passwords = [new_password() for _ in range(16)]

    def confirm(node, n):
        body = {"password": passwords[n], "user_id": user.id}
        return node.call("PUT", f"/v1/passwords/reset/{query['code']}/confirm", json=body)

    got = at_both(nodes, confirm)
    assert got.count(204) == 1 and set(got) == {204, 400}, got
    user.password = passwords[got.index(204)]
    assert all(wires.honoured(node, wires.native(node, user)) == wires.EVERYWHERE for node in nodes)
    for token in sessions:
        refused_everywhere(nodes, token)


def test_kotak_from_node_to_node(nodes, post):
    a, b = nodes
    user = a.user()
    client = KotakClient(a, b.app(), user.username)
    client.host = b.url + "/apim"
    client.login(user.password)
    code = post.wait(user.email, mailbox_reader.code)[-1]
    client.host = a.url + "/apim"
    client.session_2fa(code)
    assert all(wires.honoured(node, client.session_token) == wires.EVERYWHERE for node in nodes)
    client.host = b.url + "/apim"
    client.logout()
    refused_everywhere(nodes, client.session_token)


@pytest.mark.parametrize("opener", wires.OPENERS)
def test_a_session_of_one_is_honoured_by_the_other_and_ended_there(nodes, post, opener):
    a, b = nodes
    user = a.user()
    a.mail.after = lambda action, to, find: (action(), post.wait(to, find))[1][-1]
    token = wires.OPENERS[opener](a, user)
    for node in nodes:
        assert wires.honoured(node, token) == wires.EVERYWHERE
    assert wires.end_native(b, user, token) == 204
    refused_everywhere(nodes, token)


# Counted once


BURST = 10  # under one name; an account's two names have half of what the account has


@pytest.fixture
def limited(server_of_databases, database, serve):
    """Two nodes with limits."""
    env = {"DOORWARD_LIMITS__SIGNIN_ACCOUNT__BURST": str(2 * BURST), "DOORWARD_LIMITS__SIGNIN_ACCOUNT__PER": "1h"}
    return serve(server_of_databases.url(database), limits=True, env=env)


def guess(node, user):
    """A wrong password."""
    return node.post("/auth/v1/sign-in/password", json={"identifier": user.email, "password": "not the password"})


def test_guesses_by_turns_hit_one_bucket(limited):
    user = limited[0].user()
    got = [guess(limited[n % 2], user).status_code for n in range(BURST + 4)]
    assert got == [401] * BURST + [429] * 4


def test_guesses_at_once_hit_one_bucket(limited):
    user = limited[0].user()
    began = time.monotonic()
    got = at_both(limited, lambda node, n: guess(node, user), 32)
    refilled = int((time.monotonic() - began) * BURST / 3600) + 1
    assert set(got) <= {401, 429} and BURST <= got.count(401) <= BURST + refilled, got


# The work of the background


def statuses(node):
    """How many mails are in which state."""
    return [row["status"] for row in node.items("mail", "list", "--limit", "200")]


def test_two_outboxes_send_each_mail_once(nodes, post):
    with ThreadPoolExecutor(4) as pool:
        users = list(pool.map(lambda n: nodes[n % 2].user(), range(20)))

        def promise(n):
            return nodes[n % 2].post("/v1/passwords/reset", json={"email": users[n % 20].email}).status_code

        assert set(pool.map(promise, range(200))) == {202}
    until(lambda: len(post.mails) >= 200 and set(statuses(nodes[0])) == {"sent"}, "all mails are sent", 60)
    ids = [message["Message-ID"] for _, _, message, _ in post.mails]
    assert len(ids) == len(set(ids)) == 200
    assert all(len(post.to(user.email)) == 10 for user in users)


def test_what_a_killed_node_had_in_hand_is_sent_by_the_other(nodes, post):
    a, b = nodes
    users = [a.user() for _ in range(3)]
    for n in range(60):
        assert a.post("/v1/passwords/reset", json={"email": users[n % 3].email}).status_code == 202
    a.kill()
    for user in users:
        post.wait(user.email, RESET, 20, seconds=60)
    until(lambda: set(statuses(b)) == {"sent"}, "all mails are sent", 30)
    assert len({message["Message-ID"] for _, _, message, _ in post.mails}) == 60


def test_two_sweepers_remove_what_expired_and_nothing_else(server_of_databases, database, serve):
    short = {"DOORWARD_SESSIONS__IDLE": "1s", "DOORWARD_SESSIONS__ABSOLUTE": "1s"}
    nodes = serve(server_of_databases.url(database), env=short)
    user = nodes[0].user()
    tokens = [wires.native(nodes[n % 2], user) for n in range(100)]
    for node in nodes:
        node.stop()
    rows = lambda: int(server_of_databases.sql("SELECT count(*) FROM sessions", database)[0][0])  # noqa: E731
    assert 0 < rows() <= 100
    for node in nodes:
        node.env.update(DOORWARD_SESSIONS__IDLE="1d", DOORWARD_SESSIONS__ABSOLUTE="30d")
    time.sleep(1)  # as long as the youngest of them lives
    nodes.start()
    lasting = wires.native(nodes[1], user)
    until(lambda: rows() == 1, "what expired is gone", 60)
    assert all(wires.honoured(node, lasting) == wires.EVERYWHERE for node in nodes)
    assert not any(wires.by_native_bearer(node, token) for node in nodes for token in tokens[-2:])
    assert not any("ERROR" in node.log() for node in nodes)
