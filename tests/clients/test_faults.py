"""Power cuts and stops: what was acknowledged is still so afterwards."""

import random
import signal
import socket
import threading
import time

import pytest
import requests

import mailbox_reader
import wires
from harness import new_password, until

RESET = mailbox_reader.link_with("code", "user_id")


@pytest.fixture(scope="module")
def crashing(server):
    """The module's server; each test kills and restarts it."""
    return server


# kill -9 right after the answer


@pytest.mark.parametrize("opener", wires.OPENERS.values(), ids=wires.OPENERS.keys())
def test_a_session_answered(crashing, opener):
    user = crashing.user()
    token = opener(crashing, user)
    crashing.restart()
    assert wires.honoured(crashing, token) == wires.EVERYWHERE


@pytest.mark.parametrize(
    "end", [wires.end_native, wires.end_kalshi_bearer, wires.end_kalshi2, wires.end_kraken], ids=lambda f: f.__name__
)
def test_a_sign_out_answered(crashing, end):
    user = crashing.user()
    token = wires.native(crashing, user)
    wires.cookie_name(crashing, "kraken")
    assert 200 <= end(crashing, user, token) < 300
    crashing.restart()
    assert wires.honoured(crashing, token) == wires.NOWHERE


def test_a_password_changed_and_its_ticket_spent(crashing):
    user, fresh = crashing.user(), new_password()
    token = wires.kalshi(crashing, user)
    ask = lambda: crashing.post("/v1/passwords/reset", json={"email": user.email})  # noqa: E731
    query = mailbox_reader.query_of(crashing.mail.after(ask, user.email, RESET))
    path, body = f"/v1/passwords/reset/{query['code']}/confirm", {"password": fresh, "user_id": user.id}
    assert crashing.call("PUT", path, json=body).status_code == 204
    crashing.restart()
    assert wires.honoured(crashing, token) == wires.NOWHERE
    assert crashing.call("PUT", path, json=body).status_code == 400
    assert crashing.post("/v1/log_in", json={"email": user.email, "password": user.password}).status_code == 401
    assert crashing.post("/v1/log_in", json={"email": user.email, "password": fresh}).status_code == 200


def test_a_login_code_spent_and_its_tries_counted(crashing):
    user = crashing.user()
    ask = lambda: crashing.get(f"/api/v1/request-code/{user.email}")  # noqa: E731
    code = crashing.mail.after(ask, user.email, mailbox_reader.code)
    assert crashing.post("/login", json={"username": user.email, "password": code}).status_code == 200
    crashing.restart()
    assert crashing.post("/login", json={"username": user.email, "password": code}).status_code == 401
    code = crashing.mail.after(ask, user.email, mailbox_reader.code)
    wrong = ("2" if code[0] != "2" else "3") + code[1:]
    for _ in range(5):
        assert crashing.post("/login", json={"username": user.email, "password": wrong}).status_code == 401
    crashing.restart()
    assert crashing.post("/login", json={"username": user.email, "password": code}).status_code == 401


def test_an_invitation_used(crashing):
    address, password = f"{new_password().split()[0]}@example.net", new_password()
    invitation = crashing.cli("invitation", "create", address)["id"]
    body = {"firstName": "a", "lastName": "b", "password": password}
    assert crashing.post(f"/api/v1/invitation/create/{invitation}", json=body).status_code == 200
    crashing.restart()
    assert crashing.post(f"/api/v1/invitation/create/{invitation}", json=body).status_code in (404, 409)
    assert crashing.post("/v1/log_in", json={"email": address, "password": password}).status_code == 200


def test_mails_promised(crashing):
    users = [crashing.user() for _ in range(3)]
    for user in users:
        assert crashing.post("/v1/passwords/reset", json={"email": user.email}).status_code == 202
        crashing.kill()
        crashing.start()
    for user in users:
        query = mailbox_reader.query_of(crashing.mail.wait(user.email, RESET)[-1])
        path, body = f"/v1/passwords/reset/{query['code']}/confirm", {"password": new_password(), "user_id": user.id}
        assert crashing.call("PUT", path, json=body).status_code == 204


def test_an_invitation_mail_promised_by_the_command_line(crashing):
    """The command writes to the store of a server that is not there; the mail goes when it comes back."""
    crashing.kill()
    made = crashing.cli("invitation", "create", "while-down@example.net")
    crashing.start()
    assert made["link"] in crashing.mail.wait("while-down@example.net", mailbox_reader.links)[-1]


def test_a_kotak_way_over_two_power_cuts(crashing):
    user = crashing.user()
    application = crashing.app()
    client = wires.KotakClient(crashing, application, user.username)
    client.login(user.password)
    crashing.restart()
    crashing.resend()
    code = crashing.mail.wait(user.email, mailbox_reader.code)[-1]
    client.session_2fa(code)
    crashing.restart()
    assert wires.refused_by_kotak(lambda: client.session_2fa(code)).status == 401
    assert wires.honoured(crashing, client.session_token) == wires.EVERYWHERE
    client.logout()
    crashing.restart()
    assert wires.honoured(crashing, client.session_token) == wires.NOWHERE


# kill -9 at random moments under load


class Load:
    """Callers who write down what was acknowledged, and what they do not know."""

    def __init__(self, server, people):
        self.server, self.people = server, people
        self.alive, self.ended, self.spent, self.mailed = set(), set(), set(), []
        self.errors = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(person, n)) for n, person in enumerate(people)]

    def work(self, user, seed):
        """Signs in, signs out of some, asks for mails; ends when the server is gone."""
        dice = random.Random(f"{seed}{user.username}")
        with self.server.http() as caller:
            caller.cookies.set_policy(requests.cookies.cookielib.DefaultCookiePolicy(allowed_domains=[]))
            try:
                while not self.stopping.is_set():
                    self.turn(caller, user, dice)
            except requests.RequestException:
                pass  # the power is gone; what was not answered is not known
            except Exception as error:  # noqa: BLE001
                self.errors.append(repr(error))

    def turn(self, caller, user, dice):
        """One thing that a person does."""
        answer = caller.post("/v1/log_in", json={"email": user.email, "password": user.password})
        assert answer.status_code == 200, answer.text
        token = answer.json()["token"]
        if dice.random() < 0.6:
            assert caller.post("/v1/log_out", headers=wires.bearer(token)).status_code == 204
            self.ended.add(token)
        else:
            self.alive.add(token)
        if dice.random() < 0.3:
            assert caller.post("/v1/passwords/reset", json={"email": user.email}).status_code == 202
            self.mailed.append(user.email)

    def run_until_the_cut(self, seconds):
        for thread in self.threads:
            thread.start()
        until(lambda: self.alive and self.ended, "work is being done")
        time.sleep(seconds)  # not a wait for anything: the random moment of the cut
        self.server.kill()
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)


def test_power_cuts_at_random_moments(crashing):
    people = [crashing.user() for _ in range(6)]
    alive, ended, mailed = set(), set(), {}
    for _ in range(4):
        load = Load(crashing, people)
        load.run_until_the_cut(random.uniform(0.05, 0.5))
        assert not load.errors
        crashing.start()
        alive |= load.alive
        ended |= load.ended
        for address in load.mailed:
            mailed[address] = mailed.get(address, 0) + 1
    assert alive and ended
    lost = [token for token in alive if not wires.by_native_bearer(crashing, token)]
    revived = [token for token in ended if wires.by_native_bearer(crashing, token)]
    assert not lost and not revived, f"{len(lost)} of {len(alive)} lost, {len(revived)} of {len(ended)} revived"
    crashing.resend()
    for address, count in mailed.items():
        crashing.mail.wait(address, RESET, count)


# Stopping


def half_sent_login(server, user):
    """A connection on which a login is half said."""
    body = f'{{"email": "{user.email}", "password": "{user.password}"}}'.encode()
    head = f"POST /v1/log_in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    line = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    line.sendall(head.encode() + body[:10])
    return line, body[10:]


def answer_on(line):
    """All that comes on a connection until the other side closes it."""
    parts = []
    while part := line.recv(65536):
        parts.append(part)
    return b"".join(parts).decode()


def test_sigterm_lets_a_request_in_flight_finish(serve):
    server = serve()
    user = server.user()
    line, rest = half_sent_login(server, user)
    # The server has seen the request once it answers one that came after it.
    until(server.is_ready, "later requests are answered")
    server.process.send_signal(signal.SIGTERM)
    until(lambda: not server.is_ready(), "readiness turns off")
    assert server.process.poll() is None, "it waits for the request in flight"
    line.sendall(rest)
    answer = answer_on(line)
    assert answer.startswith("HTTP/1.1 200"), answer[:200]
    token = answer.partition('"token":"')[2].partition('"')[0]
    assert server.process.wait(10) == 0
    server.start()
    assert wires.honoured(server, token) == wires.EVERYWHERE


def test_sigterm_does_not_wait_for_silent_connections(serve):
    server = serve()
    user = server.user()
    with server.http() as idle:
        assert idle.get("/health/live").status_code == 200
        silent = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10
        silent.close()
    server.start()
    assert wires.native(server, user)


def test_a_request_that_never_ends_is_cut_within_the_grace_time(serve):
    server = serve(env={"DOORWARD_SHUTDOWN_GRACE": "1s"})
    line, _ = half_sent_login(server, server.user())
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)
    assert time.monotonic() - began < 8
    line.close()


def test_health(server):
    for path in ("/health/live", "/health/ready"):
        assert server.get(path).status_code == 200
        assert server.call("HEAD", path).status_code == 200
