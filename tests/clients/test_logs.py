"""No log line says what only the caller may know."""

import json
import urllib.parse

import pytest

import mailbox_reader
import wires
from harness import new_password
from security_key import SecurityKey


@pytest.fixture(params=["", "debug", "trace"], ids=["default", "debug", "trace"])
def talkative(serve, request):
    """A server at each depth of logging."""
    return serve(env={"DOORWARD_LOG__FILTER": request.param} if request.param else {})


class Secrets:
    """Collects what was issued or sent, with the spellings in which it might turn up."""

    def __init__(self):
        self.all = {}

    def add(self, what, *values):
        for value in values:
            assert len(value) >= 5, what
            self.all[value] = what
            self.all[urllib.parse.quote(value, safe="")] = what
        return values[0]

    def seen_in(self, text):
        return sorted({what for value, what in self.all.items() if value.lower() in text.lower()})


def walk_all(server, secrets):
    """Goes through every flow of every dialect, right and wrong, and notes every secret on the way."""
    user = server.user()
    secrets.add("password", user.password)
    secrets.add("e-mail of a login call", user.email)

    for opener in (wires.native, wires.kalshi, wires.kalshi2, wires.kraken, wires.kestra):
        token = secrets.add(f"session of {opener.__name__}", opener(server, user))
        assert wires.honoured(server, token) == wires.EVERYWHERE
        server.get(f"/v1/log_out?token={token}")
    for end in wires.ENDERS.values():
        end(server, user, secrets.add("session", wires.kalshi(server, user)))

    wrong = secrets.add("wrong password", new_password())
    nobody = secrets.add("e-mail of an unknown login", f"nobody-{user.email}")
    for email in (user.email, nobody):
        server.post("/v1/log_in", json={"email": email, "password": wrong})
        server.post("/trade-api/v2/login", json={"email": email, "password": wrong})
        server.post(wires.KRAKEN + "/login", json={"username": email, "password": wrong})
        server.post("/login", data={"username": email, "password": wrong})
        server.post("/auth/v1/sign-in/password", json={"identifier": email, "password": wrong})
        server.post(
            "/v1/log_in", data=f'{{"email": "{email}", "password": "{wrong}"', headers={"Content-Type": "application/json"}
        )
        server.post("/v1/log_in", json={"email": [email], "password": {"x": wrong}})

    link = server.mail.after(
        lambda: server.post("/v1/passwords/reset", json={"email": user.email}),
        user.email,
        mailbox_reader.link_with("code", "user_id"),
    )
    code, fresh = mailbox_reader.query_of(link)["code"], new_password()
    secrets.add("reset code", code)
    secrets.add("new password", fresh)
    server.get(link)
    server.call("PUT", f"/v1/passwords/reset/{code}/confirm", json={"password": "short", "user_id": user.id})
    assert (
        server.call("PUT", f"/v1/passwords/reset/{code}/confirm", json={"password": fresh, "user_id": user.id}).status_code == 204
    )
    server.call("PUT", f"/v1/passwords/reset/{code}/confirm", json={"password": fresh, "user_id": user.id})
    user.password = fresh

    find = mailbox_reader.link_with("token")
    link = server.mail.after(lambda: server.get("/api/v1/forgotten-password", params={"username": user.email}), user.email, find)
    token = secrets.add("reset token", mailbox_reader.query_of(link)["token"])
    server.get(link)
    server.post("/api/v1/reset-password", json={"token": token, "password": "aaa"})
    user.password = secrets.add("new password", new_password())
    assert server.post("/api/v1/reset-password", json={"token": token, "password": user.password}).status_code == 200

    code = server.mail.after(lambda: server.get(f"/api/v1/request-code/{user.email}"), user.email, mailbox_reader.code)
    secrets.add("login code", code)
    assert server.post("/login", json={"username": user.email, "password": code}).status_code == 200
    server.post("/login", json={"username": user.email, "password": code})

    invited = secrets.add("invited address", f"invited-{user.email}")
    made = server.cli("invitation", "create", invited)
    secrets.add("invitation", made["id"])
    server.get(made["link"])
    body = {"firstName": "a", "lastName": "b", "password": secrets.add("password of the invited", new_password())}
    assert server.post(f"/api/v1/invitation/create/{made['id']}", json=body).status_code == 200
    server.post(f"/api/v1/invitation/create/{made['id']}", json=body)

    application = server.app()
    secrets.add("consumer key", application["consumer_key"])
    secrets.add("access token", application["access_token"])
    client = wires.KotakClient(server, application, user.email)
    code = server.mail.after(lambda: client.login(user.password), user.email, mailbox_reader.code)
    secrets.add("access code", code)
    secrets.add("one-time token", client.one_time_token)
    secrets.add("kotak session", client.session_2fa(code)["sessionToken"])
    client.logout()
    wires.refused_by_kotak(client.logout)

    with wires.signed_in(server, user) as caller:
        key = SecurityKey()
        options = caller.post(wires.KRAKEN + "/startRegister").json()
        secrets.add("challenge", options["publicKey"]["challenge"])
        caller.post(wires.KRAKEN + "/finishRegister", json={**key.create(options, server.url), "name": "key"})
        secrets.add("half session", wires.kraken(server, user))
    with wires.signed_in(server, user) as caller:
        options = caller.post(wires.KRAKEN + "/startAuth").json()
        secrets.add("challenge", options["publicKey"]["challenge"])
        answer = key.get(options, server.url)
        secrets.add("signature", answer["response"]["signature"])
        assert caller.post(wires.KRAKEN + "/finishAuth", json=answer).status_code == 200
        secrets.add("stepped-up session", *[c.value for c in caller.cookies])


def test_nothing_secret_is_logged(talkative):
    secrets = Secrets()
    walk_all(talkative, secrets)
    talkative.stop()
    log = talkative.log()
    assert secrets.seen_in(log) == []
    assert log.count("\n") > 20, "and yet there is a log"


def test_what_is_logged_is_json_with_the_request_id_of_the_answer(serve, server):
    one = serve()
    answer = one.get("/v1/no-such-thing")
    request_id = answer.headers["X-Request-Id"]
    assert request_id != one.get("/v1/no-such-thing").headers["X-Request-Id"]
    planted = one.get("/v1/no-such-thing", headers={"X-Request-Id": "x\ty" * 200}).headers["X-Request-Id"]
    assert "\t" not in planted and len(planted) < 200
    one.stop()
    lines = [json.loads(line) for line in one.log().splitlines() if line.startswith("{")]
    assert any(request_id in json.dumps(line) for line in lines)


def test_control_characters_do_not_forge_log_lines(serve):
    one = serve()
    one.post(wires.KRAKEN + "/login", json={"username": 'x\n{"level":"ERROR","forged":true}\x1b[31m', "password": "y"})
    one.get("/x%0a%7b%22forged%22:true%7d")
    one.stop()
    assert not any(line.startswith('{"forged') or line.startswith('{"level":"ERROR","forged') for line in one.log().splitlines())
    assert "\x1b[31m" not in one.log()


def test_no_answer_but_the_issuing_one_carries_a_secret(serve):
    """The mails carry codes; no response to the asking call does."""
    one = serve()
    user = one.user()
    answers = []

    def ask():
        answers.append(one.post("/v1/passwords/reset", json={"email": user.email}))
        answers.append(one.get("/api/v1/forgotten-password", params={"username": user.email}))
        answers.append(one.get(f"/api/v1/request-code/{user.email}"))

    ask()
    reset = mailbox_reader.query_of(one.mail.wait(user.email, mailbox_reader.link_with("code", "user_id"))[-1])["code"]
    token = mailbox_reader.query_of(one.mail.wait(user.email, mailbox_reader.link_with("token"))[-1])["token"]
    code = one.mail.wait(user.email, mailbox_reader.code)[-1]
    for answer in answers:
        said = answer.text + str(answer.headers)
        assert not any(secret in said for secret in (reset, token, code))
        assert "Set-Cookie" not in answer.headers
