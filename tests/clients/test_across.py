"""One store under all dialects: what one opens, every other honours and ends; what ends in one, ends in all."""

import pytest

import mailbox_reader
import wires
from harness import new_password
from wires import ENDERS, EVERYWHERE, NOWHERE, OPENERS, honoured


@pytest.fixture(params=OPENERS.values(), ids=OPENERS.keys())
def opener(request):
    """Each dialect's way of opening a session."""
    return request.param


@pytest.mark.parametrize("end", ENDERS.values(), ids=ENDERS.keys())
def test_opened_in_one_honoured_and_ended_in_every_other(server, user, opener, end):
    token = opener(server, user)
    other = wires.native(server, user)
    assert honoured(server, token) == EVERYWHERE
    assert 200 <= end(server, user, token) < 300
    assert honoured(server, token) == NOWHERE
    assert all(again(server, user, token) in (400, 401) or again is wires.end_kraken for again in ENDERS.values())
    assert honoured(server, other) == EVERYWHERE, "the user's other sessions go on"


def test_who_am_i(server, user, opener):
    token = opener(server, user)
    body = server.get("/auth/v1/session", headers=wires.bearer(token)).json()
    assert body["user"]["id"] == user.id
    assert body["user"]["email"] == user.email
    assert body["user"]["username"] == user.username
    assert body["factors"], "which factors were proven"


def test_who_am_i_without_a_session(server):
    for headers in ({}, wires.bearer("A" * 43), {"Authorization": "Basic dTpw"}, wires.cookie(server, "native", "x")):
        answer = server.get("/auth/v1/session", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert {"type", "title", "status"} <= set(answer.json())


# A half session


@pytest.fixture
def half(server):
    """A user, their key, and a token for which the second factor is owed."""
    user, key = wires.user_with_key(server)
    return user, key, wires.kraken(server, user)


def test_a_half_session_is_worth_nothing(server, half):
    user, _, token = half
    assert honoured(server, token) == NOWHERE
    invitation = server.cli("invitation", "create", user.email)["id"]
    path = f"/api/v1/invitation/accept/{invitation}"
    assert server.post(path, headers=wires.cookie(server, "kestra", token)).status_code in (401, 403)
    application = server.app()
    client = wires.KotakClient(server, application, user.username)
    client.session_token = token
    assert wires.refused_by_kotak(client.logout).status == 401
    for call in ("/startRegister", "/finishRegister"):
        answer = server.post(wires.KRAKEN + call, headers=wires.cookie(server, "kraken", token), json={})
        assert answer.status_code == 400


@pytest.mark.parametrize("end", ENDERS.values(), ids=ENDERS.keys())
def test_a_half_session_can_be_signed_out_everywhere(server, half, end):
    user, _, token = half
    assert 200 <= end(server, user, token) < 300
    answer = server.post(wires.KRAKEN + "/startAuth", headers=wires.cookie(server, "kraken", token))
    assert answer.status_code == 400
    assert answer.json()["status_code"] == 1005


def test_a_stepped_up_session_is_whole_everywhere(server, half):
    user, key, _ = half
    with wires.signed_in(server, user) as caller:
        wires.prove(server, caller, key)
        token = next(iter(caller.cookies.values()))
    assert honoured(server, token) == EVERYWHERE


# What ends all sessions of a user


def sessions_of(server, user):
    return {name: open_one(server, user) for name, open_one in OPENERS.items()}


def assert_all(server, sessions, where):
    assert {name: honoured(server, token) for name, token in sessions.items()} == {name: where for name in sessions}


def test_disabling_the_user(server, user):
    sessions, bystander = sessions_of(server, user), wires.kalshi(server, server.user())
    assert_all(server, sessions, EVERYWHERE)
    server.cli("user", "disable", user.username)
    assert_all(server, sessions, NOWHERE)
    assert honoured(server, bystander) == EVERYWHERE
    for end in ENDERS.values():
        end(server, user, sessions["native"])
    server.cli("user", "enable", user.username)
    assert wires.kraken(server, user)


def test_deleting_the_user(server, user):
    sessions = sessions_of(server, user)
    server.cli("user", "delete", user.id)
    assert_all(server, sessions, NOWHERE)
    assert server.post("/v1/log_in", json={"email": user.email, "password": user.password}).status_code == 401


def test_reset_by_kalshi(server, user):
    sessions = sessions_of(server, user)
    find = mailbox_reader.link_with("code", "user_id")
    ask = lambda: server.post("/v1/passwords/reset", json={"email": user.email})  # noqa: E731
    code = mailbox_reader.query_of(server.mail.after(ask, user.email, find))["code"]
    assert_all(server, sessions, EVERYWHERE)
    body = {"password": new_password(), "user_id": user.id}
    assert server.call("PUT", f"/v1/passwords/reset/{code}/confirm", json=body).status_code == 204
    assert_all(server, sessions, NOWHERE)


def test_reset_by_kestra(server, user):
    sessions = sessions_of(server, user)
    ask = lambda: server.get("/api/v1/forgotten-password", params={"username": user.username})  # noqa: E731
    token = mailbox_reader.query_of(server.mail.after(ask, user.email, mailbox_reader.link_with("token")))["token"]
    assert_all(server, sessions, EVERYWHERE)
    assert server.post("/api/v1/reset-password", json={"token": token, "password": new_password()}).status_code == 200
    assert_all(server, sessions, NOWHERE)


def test_a_password_set_by_the_administrator(server, user):
    sessions = sessions_of(server, user)
    server.cli("user", "set-password", user.email, "--password-stdin", stdin=new_password())
    assert_all(server, sessions, NOWHERE)


def test_revoking_one_session(server, user):
    token = wires.native(server, user)
    other = wires.kraken(server, user)
    rows = server.items("session", "list", "--user", user.email)
    assert len(rows) == 2
    assert token not in str(rows) and other not in str(rows)
    first = min(rows, key=lambda row: row["created_at"])
    server.cli("session", "revoke", first["id"])
    assert honoured(server, token) == NOWHERE
    assert honoured(server, other) == EVERYWHERE


# A ticket of one kind at the door of another


def test_no_ticket_opens_anothers_door(server, user):
    """Every one-time secret is presented wherever another kind is taken; all are refused and none is spent."""
    other = server.user()
    kalshi_link = server.mail.after(
        lambda: server.post("/v1/passwords/reset", json={"email": other.email}),
        other.email,
        mailbox_reader.link_with("code", "user_id"),
    )
    kalshi_code = mailbox_reader.query_of(kalshi_link)["code"]
    invitation = server.cli("invitation", "create", f"x{user.username}@example.net")["id"]
    application = server.app()
    client = wires.KotakClient(server, application, user.username)
    access_code = server.mail.after(lambda: client.login(user.password), user.email, mailbox_reader.code)
    session = wires.native(server, user)
    secrets = {
        "reset code": kalshi_code,
        "invitation": invitation,
        "one-time token": client.one_time_token,
        "access code": access_code,
        "session": session,
        "consumer key": application["consumer_key"],
        "access token": application["access_token"],
    }

    fresh = new_password()
    for kind, secret in secrets.items():
        if kind != "session":
            assert honoured(server, secret) == NOWHERE, kind
        if kind != "reset code":
            body = {"password": fresh, "user_id": user.id}
            assert server.call("PUT", f"/v1/passwords/reset/{secret}/confirm", json=body).status_code == 400, kind
            assert server.post("/api/v1/reset-password", json={"token": secret, "password": fresh}).status_code == 400, kind
        if kind != "invitation":
            body = {"firstName": "a", "lastName": "b", "password": fresh}
            assert server.post(f"/api/v1/invitation/create/{secret}", json=body).status_code == 404, kind
        if kind != "one-time token":
            thief = wires.KotakClient(server, application, user.username)
            thief.one_time_token = secret
            assert wires.refused_by_kotak(lambda thief=thief: thief.session_2fa(access_code)).status == 401, kind
        for name in (user.email, other.email):
            if (kind, name) != ("access code", user.email):
                assert server.post("/login", json={"username": name, "password": secret}).status_code == 401, kind

    assert client.session_2fa(access_code)["sessionToken"]
    body = {"password": fresh, "user_id": other.id}
    assert server.call("PUT", f"/v1/passwords/reset/{kalshi_code}/confirm", json=body).status_code == 204
