"""Many callers at once, over real connections: what may happen once happens once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import mailbox_reader
import wires
from harness import new_password
from security_key import SecurityKey

CALLERS = 32


def at_once(call, count=CALLERS):
    """The status codes of `count` callers who start together; each call gets its number and a warm caller."""
    barrier = Barrier(count)

    def one(server_call):
        barrier.wait(30)
        return server_call().status_code

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, [call(n) for n in range(count)]))


def test_one_reset_code(server, user):
    ask = lambda: server.post("/v1/passwords/reset", json={"email": user.email})  # noqa: E731
    query = mailbox_reader.query_of(server.mail.after(ask, user.email, mailbox_reader.link_with("code", "user_id")))
    passwords = [new_password() for _ in range(CALLERS)]

    def call(n):
        body = {"password": passwords[n], "user_id": user.id}
        return lambda: server.call("PUT", f"/v1/passwords/reset/{query['code']}/confirm", json=body)

    got = at_once(call)
    assert sorted(set(got)) == [204, 400] and got.count(204) == 1, got
    good = [server.post("/v1/log_in", json={"email": user.email, "password": p}).status_code == 200 for p in passwords]
    assert good == [status == 204 for status in got]


def test_one_login_code(server, user):
    ask = lambda: server.get(f"/api/v1/request-code/{user.email}")  # noqa: E731
    code = server.mail.after(ask, user.email, mailbox_reader.code)
    got = at_once(lambda n: lambda: server.post("/login", json={"username": user.email, "password": code}))
    assert got.count(200) == 1 and set(got) == {200, 401}, got


def test_wrong_codes_never_get_more_than_five_tries(server, user):
    """With a right code among the crowd after five wrong ones were counted, at most one call of all can succeed."""
    ask = lambda: server.get(f"/api/v1/request-code/{user.email}")  # noqa: E731
    code = server.mail.after(ask, user.email, mailbox_reader.code)
    wrong = ("2" if code[0] != "2" else "3") + code[1:]
    got = at_once(lambda n: lambda: server.post("/login", json={"username": user.email, "password": wrong}))
    assert set(got) == {401}
    assert server.post("/login", json={"username": user.email, "password": code}).status_code == 401


def test_one_invitation_makes_one_account(server):
    address = f"{new_password().split()[0]}@example.net"
    invitation = server.cli("invitation", "create", address)["id"]
    passwords = [new_password() for _ in range(CALLERS)]

    def call(n):
        body = {"firstName": f"N{n}", "lastName": "O", "password": passwords[n]}
        return lambda: server.post(f"/api/v1/invitation/create/{invitation}", json=body)

    got = at_once(call)
    assert got.count(200) == 1 and set(got) <= {200, 404, 409}, got
    good = [server.post("/v1/log_in", json={"email": address, "password": p}).status_code == 200 for p in passwords]
    assert good == [status == 200 for status in got]


def test_one_second_factor_for_one_token(server, user):
    application = server.app()
    client = wires.KotakClient(server, application, user.username)
    code = server.mail.after(lambda: client.login(user.password), user.email, mailbox_reader.code)
    headers = client.headers(oneTimeToken=client.one_time_token)
    path = "/apim/session/1.0/session/2FA/accesscode"
    got = at_once(lambda n: lambda: server.post(path, headers=headers, json={"userid": user.username, "accessCode": code}))
    assert got.count(200) == 1 and set(got) == {200, 401}, got


def test_one_assertion(server):
    user, key = wires.user_with_key(server)
    with wires.signed_in(server, user) as caller:
        answer = key.get(caller.post(wires.KRAKEN + "/startAuth").json(), server.url)
        headers = {"Cookie": "; ".join(f"{c.name}={c.value}" for c in caller.cookies)}
    got = at_once(lambda n: lambda: server.post(wires.KRAKEN + "/finishAuth", headers=headers, json=answer))
    assert got.count(200) == 1, got


def test_two_registrations_of_one_key(server, user):
    with wires.signed_in(server, user) as caller:
        made = SecurityKey().create(caller.post(wires.KRAKEN + "/startRegister").json(), server.url)
        headers = {"Cookie": "; ".join(f"{c.name}={c.value}" for c in caller.cookies)}
    path = wires.KRAKEN + "/finishRegister"
    got = at_once(lambda n: lambda: server.post(path, headers=headers, json={**made, "name": f"key {n}"}), 8)
    assert got.count(200) == 1, got


def test_sign_out_against_session_checks(server, user):
    token = wires.native(server, user)

    def call(n):
        if n == 0:
            return lambda: server.call("DELETE", "/auth/v1/session", headers=wires.bearer(token))
        return lambda: server.get("/auth/v1/session", headers=wires.bearer(token))

    got = at_once(call)
    assert got[0] == 204 and set(got[1:]) <= {200, 401}
    assert wires.honoured(server, token) == wires.NOWHERE


def test_many_sign_outs_of_one_session(server, user):
    token = wires.kalshi(server, user)
    got = at_once(lambda n: lambda: server.post("/v1/log_out", headers=wires.bearer(token)))
    assert got.count(204) == 1 and set(got) == {204, 401}, got


def test_many_sign_ins_of_one_user(server, user):
    tokens = []

    def call(n):
        def sign_in():
            answer = server.post("/v1/log_in", json={"email": user.email, "password": user.password})
            tokens.append(answer.json().get("token"))
            return answer

        return sign_in

    assert set(at_once(call)) == {200}
    assert len(set(tokens)) == CALLERS
    assert all(wires.by_native_bearer(server, token) for token in tokens)
