"""The published kestra client (kestrapy 1.0.2): its four API classes, and the refusals of each call."""

import json

import kestrapy
import pytest
from kestrapy.exceptions import ApiException

import mailbox_reader
import wires
from harness import new_password, until

FORM = "application/x-www-form-urlencoded"


class Client:
    """The published classes over one ApiClient, with the cookie that a person's browser would keep."""

    def __init__(self, server, token=None):
        cookie = token and wires.cookie(server, "kestra", token)["Cookie"]
        raw = kestrapy.ApiClient(kestrapy.Configuration(host=server.url), cookie=cookie)
        self.default, self.auths, self.codes = (
            kestrapy.DefaultApi(raw),
            kestrapy.AuthsApi(raw),
            kestrapy.AuthenticationCodeApi(raw),
        )

    def login(self, name, password):
        return self.default.login_with_http_info(name, password, _content_type=FORM)

    def reset(self, token, password):
        return self.default.reset_password(kestrapy.AuthControllerResetPasswordRequest(token=token, password=password))

    def create(self, invitation, password=None, first="Nia", last="Osei"):
        person = kestrapy.AuthControllerInvitationUserRequest(firstName=first, lastName=last, password=password or new_password())
        return self.default.create_from_invitation(invitation, person)

    def accept(self, invitation):
        return self.default.accept_invitation(invitation)


@pytest.fixture
def client(server):
    return Client(server)


def refused(call, status):
    """The body of a refusal, after checking status and shape."""
    with pytest.raises(ApiException) as caught:
        call()
    assert caught.value.status == status, f"{caught.value.status} {caught.value.body}"
    return checked(json.loads(caught.value.body))


def checked(body):
    assert set(body) == {"message", "_embedded"}
    assert set(body["_embedded"]) == {"errors"}
    errors = body["_embedded"]["errors"]
    assert body["message"] and errors and all(set(e) == {"message"} and e["message"] for e in errors)
    return body


def set_cookie(answer):
    """The cookie that an answer sets; this client keeps the headers' names as they came."""
    return {name.lower(): value for name, value in answer.headers.items()}["set-cookie"]


def login(server, name, password, **kwargs):
    return server.post("/login", json={"username": name, "password": password}, **kwargs)


def reset_token(server, client, user):
    find = mailbox_reader.link_with("token")
    link = server.mail.after(lambda: client.default.forgotten_password(user.username), user.email, find)
    assert link.startswith(server.url + "/reset?")
    return mailbox_reader.query_of(link)["token"]


def mailed_code(server, client, user):
    return server.mail.after(lambda: client.codes.request_code(user.email), user.email, mailbox_reader.code)


def another(code):
    """A code of the same shape that is not this one."""
    first = "2" if code[0] != "2" else "3"
    return first + code[1:]


# Methods


def test_index(client):
    methods = client.auths.index()
    assert methods.login_password is True
    assert methods.passwordless is True
    assert isinstance(methods.mails_enabled, bool)
    assert methods.oauths == []
    assert methods.additional_properties == {}


# Login


@pytest.mark.parametrize("by", ["username", "email"])
def test_login_by_form_and_by_json(server, client, user, by):
    name = getattr(user, by)
    answer = client.login(name, user.password)
    assert answer.status_code == 200
    assert isinstance(answer.data, dict)
    cookie = set_cookie(answer)
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie
    answer = login(server, name, user.password)
    assert answer.status_code == 200
    assert isinstance(answer.json(), dict)
    assert wires.honoured(server, wires.only_cookie(answer)[1]) == wires.EVERYWHERE


def test_form_encoding(server, client):
    user = server.user(password="100% + a&b=c; \u00fcber \u2603 " + new_password())
    assert client.login(user.username, user.password).status_code == 200


def test_login_refusals_are_one(server, client, user):
    wrong = refused(lambda: client.login(user.username, "not the password"), 401)
    assert refused(lambda: client.login("nobody-here", "not the password"), 401) == wrong
    assert "Set-Cookie" not in login(server, user.username, "not the password").headers


def test_the_clients_default_sends_an_empty_body(client, user):
    refused(lambda: client.default.login(user.username, user.password), 400)


def test_disabled_user(server, client, user):
    code = mailed_code(server, client, user)
    server.cli("user", "disable", user.username)
    for password in (user.password, code):
        answer = login(server, user.username, password)
        assert answer.status_code in (401, 403)
        assert "Set-Cookie" not in answer.headers


def test_second_factor_owed(server, client):
    user, _ = wires.user_with_key(server)
    code = mailed_code(server, client, user)
    for password in (user.password, code):
        answer = login(server, user.username, password)
        assert answer.status_code == 403
        checked(answer.json())
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b"{}"),
        ("application/json", b'{"username": "x"}'),
        ("application/json", b'{"username": 1, "password": []}'),
        (FORM, b""),
        (FORM, b"username=x"),
        (FORM, b"%ff=%fe"),
        ("text/plain", b"username=x&password=y"),
        (None, b"x"),
    ],
)
def test_malformed_login(server, content_type, body):
    answer = server.post("/login", data=body, headers={"Content-Type": content_type} if content_type else {})
    assert answer.status_code in (400, 415)
    checked(answer.json())


# Code


def test_login_by_code(server, client, user):
    code = mailed_code(server, client, user)
    assert len(code) == 6
    answer = client.login(user.email, code)
    assert answer.status_code == 200
    assert set_cookie(answer)
    refused(lambda: client.login(user.email, code), 401)


def test_code_in_lower_case_and_with_spaces(server, client, user):
    code = mailed_code(server, client, user)
    answer = login(server, user.email, f" {code.lower()} ")
    assert answer.status_code in (200, 401), "either is sensible; what follows must fit to it"
    assert login(server, user.email, code).status_code == (401 if answer.status_code == 200 else 200)


def test_unknown_address_gets_the_same_answer_and_no_mail(server, client, user):
    known, unknown = client.codes.request_code(user.email), client.codes.request_code("nobody-there@example.com")
    assert known == unknown == {}
    server.mail.wait(user.email, mailbox_reader.code)
    assert not server.mail.messages("nobody-there@example.com")


def test_a_code_stands_five_wrong_tries_and_no_more(server, client, user):
    code = mailed_code(server, client, user)
    for _ in range(4):
        refused(lambda: client.login(user.email, another(code)), 401)
    assert client.login(user.email, code).status_code == 200
    code = mailed_code(server, client, user)
    for _ in range(5):
        refused(lambda: client.login(user.email, another(code)), 401)
    refused(lambda: client.login(user.email, code), 401)
    assert client.login(user.email, user.password).status_code == 200, "the password is not locked with the code"


def test_a_new_code_replaces_the_last(server, client, user):
    old = mailed_code(server, client, user)
    new = mailed_code(server, client, user)
    refused(lambda: client.login(user.email, old), 401)
    assert client.login(user.email, new).status_code == 200


def test_a_code_is_its_users_alone(server, client, user):
    other = server.user()
    code = mailed_code(server, client, user)
    refused(lambda: client.login(other.email, code), 401)
    assert client.login(user.email, code).status_code == 200


@pytest.mark.parametrize(
    "address", ["x", "a@b", "@", "a" * 3000 + "@example.com", "a b@example.com", "%00@example.com", "'\"<>@example.com"]
)
def test_odd_addresses(client, address):
    try:
        assert client.codes.request_code(address) == {}
    except ApiException as refusal:
        assert refusal.status in (400, 414)


def test_plus_and_slash_in_an_address(server, client):
    user = server.user(email=f"first+{wires.mailbox_reader.time.monotonic_ns()}@example.com")
    code = mailed_code(server, client, user)
    assert client.login(user.email, code).status_code == 200


# Reset


def test_forgotten_password_by_either_name(server, client, user):
    assert client.default.forgotten_password(user.username) == {}
    server.mail.wait(user.email, mailbox_reader.link_with("token"), 1)
    assert client.default.forgotten_password(user.email) == {}
    server.mail.wait(user.email, mailbox_reader.link_with("token"), 2)


@pytest.mark.parametrize("name", ["nobody-here", "nobody@example.com", " ", "\u0000", "x" * 2000, "a/b?c#d"])
def test_forgotten_password_never_tells(client, name):
    assert client.default.forgotten_password(name) == {}


def test_reset(server, client, user):
    sessions = [wires.kestra(server, user), wires.kalshi(server, user)]
    token, fresh = reset_token(server, client, user), new_password()
    body = refused(lambda: client.reset(token, "aaa"), 422)
    assert len(body["_embedded"]["errors"]) >= 1
    assert client.reset(token, fresh) == {}
    refused(lambda: client.reset(token, new_password()), 400)
    refused(lambda: client.login(user.username, user.password), 401)
    assert client.login(user.username, fresh).status_code == 200
    assert all(wires.honoured(server, session) == wires.NOWHERE for session in sessions)


def test_a_reset_kills_the_code_that_was_out(server, client, user):
    code = mailed_code(server, client, user)
    client.reset(reset_token(server, client, user), new_password())
    refused(lambda: client.login(user.email, code), 401)


def test_a_new_request_replaces_the_older_token(server, client, user):
    old, new = reset_token(server, client, user), reset_token(server, client, user)
    refused(lambda: client.reset(old, new_password()), 400)
    client.reset(new, new_password())


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 5000, "\u2603"])
def test_worthless_tokens(client, token):
    refused(lambda: client.reset(token, new_password()), 400)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"token": "x"}', b'{"password": "x"}', b'{"token": 1, "password": 2}']
)
def test_malformed_reset(server, body):
    answer = server.post("/api/v1/reset-password", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    checked(answer.json())


# Invitations


@pytest.fixture
def invitation(server):
    """A fresh invitation for a fresh address."""
    return invite(server)


def invite(server, email=None, *flags):
    email = email or f"{wires.mailbox_reader.time.monotonic_ns()}@example.net"
    made = server.cli("invitation", "create", email, *flags)
    return {**made, "address": email}


def test_the_invitation_and_its_mail(server, invitation):
    assert invitation["id"] in invitation["link"]
    assert invitation["link"].startswith(server.url + "/")
    assert invitation["handle"] != invitation["id"]
    assert len(invitation["id"]) >= 22, "128 random bits take 22 characters"
    mailed = server.mail.wait(invitation["address"], mailbox_reader.links)[-1]
    assert invitation["link"] in mailed
    for _ in range(3):
        assert server.get(invitation["link"]).status_code == 200
    listed = json.dumps(server.cli("invitation", "list"))
    assert invitation["handle"] in listed
    assert invitation["id"] not in listed


def test_create_from_invitation(server, client, invitation):
    password = new_password()
    refused(lambda: client.create(invitation["id"], "abc"), 422)
    assert client.create(invitation["id"], password) == {}
    refused(lambda: client.create(invitation["id"]), 404)
    assert client.login(invitation["address"], password).status_code == 200
    answer = server.post("/v1/log_in", json={"email": invitation["address"], "password": password})
    assert answer.json()["access_level"] == "member", "the address counts as verified"
    shown = json.dumps(server.cli("user", "show", invitation["address"]))
    assert "Nia" in shown and "Osei" in shown


def test_address_and_role_come_from_the_row(server, client, invitation):
    body = {
        "firstName": "N",
        "lastName": "O",
        "password": new_password(),
        "email": "evil@example.com",
        "role": "admin",
        "username": "root",
    }
    assert server.post(f"/api/v1/invitation/create/{invitation['id']}", json=body).status_code == 200
    assert client.login(invitation["address"], body["password"]).status_code == 200
    assert login(server, "evil@example.com", body["password"]).status_code == 401
    assert "evil@example.com" not in json.dumps(server.cli("user", "list"))


def test_create_for_an_address_that_has_an_account(server, client, user):
    invitation = invite(server, user.email)
    refused(lambda: client.create(invitation["id"]), 409)
    refused(lambda: client.create(invite(server, user.email.upper())["id"]), 409)
    assert client.login(user.email, user.password).status_code == 200


def test_accept_by_the_invited(server, user):
    invitation = invite(server, user.email)
    client = Client(server, wires.kestra(server, user))
    assert client.accept(invitation["id"]) == {}
    with pytest.raises(ApiException) as caught:
        client.accept(invitation["id"])
    assert caught.value.status in (404, 409)


def test_accept_refusals(server, client, user, invitation):
    refused(lambda: client.accept(invitation["id"]), 401)
    signed_in = Client(server, wires.kestra(server, user))
    refused(lambda: signed_in.accept(invitation["id"]), 403)
    refused(lambda: signed_in.accept("A" * 22), 404)
    assert client.create(invitation["id"]) == {}, "no refusal spent it"


def test_accept_with_a_half_session(server):
    user, _ = wires.user_with_key(server)
    invitation = invite(server, user.email)
    half = wires.kraken(server, user)
    with pytest.raises(ApiException) as caught:
        Client(server, half).accept(invitation["id"])
    assert caught.value.status in (401, 403)


def test_accept_gives_the_role(server, user):
    invitation = invite(server, user.email, "--role", "admin")
    Client(server, wires.kestra(server, user)).accept(invitation["id"])
    assert "admin" in json.dumps(server.cli("user", "show", user.id))


def test_a_revoked_invitation_is_none(server, client, invitation):
    server.cli("invitation", "revoke", invitation["handle"])
    refused(lambda: client.create(invitation["id"]), 404)


def test_an_expired_invitation_is_none(server, client):
    invitation = invite(server, None, "--expires", "1s")

    def gone():
        try:
            client.create(invitation["id"], "abc")  # refused in any case: first for the password, then for the time
        except ApiException as refusal:
            return refusal.status in (400, 404)

    until(gone, "the invitation expires", 5)
    with pytest.raises(ApiException) as caught:
        client.create(invitation["id"])
    assert caught.value.status in (400, 404)


@pytest.mark.parametrize("secret", ["00000000-0000-0000-0000-000000000000", "x", "A" * 43, "A" * 3000, "a b", "\u2603"])
def test_unknown_invitations(client, secret):
    refused(lambda: client.create(secret), 404)



@pytest.mark.parametrize("field", ["handle"])
def test_the_handle_is_not_the_secret(client, invitation, field):
    refused(lambda: client.create(invitation[field]), 404)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"firstName": 1, "lastName": 2, "password": 3}', b'{"firstName": "a"}']
)
def test_malformed_creation_leaves_the_invitation(server, client, invitation, body):
    path = f"/api/v1/invitation/create/{invitation['id']}"
    answer = server.post(path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    checked(answer.json())
    assert client.create(invitation["id"]) == {}
