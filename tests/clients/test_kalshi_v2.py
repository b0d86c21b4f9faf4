"""The published kalshi client (kalshi-python 1.0.0) against the successor API at /trade-api/v2."""

import json

import kalshi_python
import pytest
from kalshi_python.rest import ApiException

import wires
from harness import new_password


@pytest.fixture
def client(server):
    """Makes a client for one user, as its documentation does."""

    def make(user=None):
        configuration = kalshi_python.Configuration()
        configuration.host = server.url + "/trade-api/v2"
        # A class attribute in this release: without this, one client's token would be every client's.
        configuration.api_key, configuration.api_key_prefix = {}, {}
        return kalshi_python.ApiInstance(email=user and user.email, password=user and user.password, configuration=configuration)

    return make


def use(api, token):
    """Hands a client the token that its later calls carry."""
    configuration = api.api_client.configuration
    configuration.api_key["Authorization"], configuration.api_key_prefix["Authorization"] = token, "Bearer"


def login(api, user, password=None):
    return api.login(kalshi_python.LoginRequest(email=user.email, password=password or user.password))


def refused(call, status):
    with pytest.raises(ApiException) as caught:
        call()
    body = json.loads(caught.value.body)
    assert caught.value.status == status
    assert set(body) == {"code", "message", "details", "service"}
    return body


def test_login_and_logout(client, user):
    api = client(user)
    answer = login(api, user)
    assert answer.member_id == user.id
    assert len(answer.token) >= 32
    use(api, answer.token)
    assert api.logout() is None
    refused(api.logout, 401)


def test_the_clients_own_automatic_login(client, user):
    api = client(user)
    api.auto_login_if_possible()
    api.logout()
    refused(api.logout, 401)


def test_wrong_password_and_unknown_user_are_the_same_refusal(client, user):
    api = client(user)
    wrong = refused(lambda: login(api, user, "not the password"), 401)
    user.email = "nobody-" + user.email
    assert refused(lambda: login(api, user, "not the password"), 401) == wrong
    assert wrong["code"] == "invalid_credentials"


def test_logout_needs_a_session(client, user):
    api = client(user)
    refused(api.logout, 401)
    use(api, "A" * 43)
    refused(api.logout, 401)


def test_disabled_user(server, client, user):
    api = client(user)
    server.cli("user", "disable", user.id)
    refused(lambda: login(api, user), 403)
    refused(lambda: login(api, user, new_password()), 401)
    server.cli("user", "enable", user.id)
    assert login(api, user).token


def test_second_factor_owed(server, client):
    user, _ = wires.user_with_key(server)
    refused(lambda: login(client(user), user), 403)


def test_two_sessions_are_two(client, user):
    first, second = client(user), client(user)
    use(first, login(first, user).token)
    use(second, login(second, user).token)
    first.logout()
    refused(first.logout, 401)
    second.logout()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"email": "x"}', b'{"email": 1, "password": []}', b"\xff\xfe"])
def test_malformed_login(server, body):
    answer = server.post("/trade-api/v2/login", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "details", "service"}
