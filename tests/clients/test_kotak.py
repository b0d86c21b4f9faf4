"""The kotak API by its contract, driven by a small client of our own."""

import pytest

import mailbox_reader
import wires
from kotak_client import Fault, KotakClient
from wires import refused_by_kotak as refused

INVALID_APPLICATION, MISSING_CREDENTIALS = 900901, 900902


@pytest.fixture(scope="module")
def application(server):
    """A registered application that several tests share."""
    return server.app()


def connected(server, application, user, **kwargs):
    return KotakClient(server, application, user.username, **kwargs)


def access_code(server, client, user):
    return server.mail.after(lambda: client.login(user.password), user.email, mailbox_reader.code)


def signed_in(server, application, user):
    client = connected(server, application, user)
    client.session_2fa(access_code(server, client, user))
    return client


def another(code):
    first = "2" if code[0] != "2" else "3"
    return first + code[1:]


# The whole way


def test_the_whole_way(server, application, user):
    client = connected(server, application, user)
    greeting = client.greeting
    assert greeting["status"] == "Success"
    assert greeting["userid"] == user.username
    assert greeting["message"]
    assert greeting["redirect"]["host"] == server.url + "/apim"
    assert {"host", "port"} <= set(greeting["redirect"])
    assert {"host", "port"} <= set(greeting["service"])

    answer = {}
    code = server.mail.after(lambda: answer.update(client.login(user.password)), user.email, mailbox_reader.code)
    assert {"oneTimeToken", "message", "Status", "emailId", "accessCodeTime", "redirect"} <= set(answer)
    assert answer["Status"] == "Temporary"
    assert answer["redirect"]["host"] == server.url + "/apim"
    assert answer["redirect"]["userid"] == user.username
    assert answer["emailId"] != user.email and "*" in answer["emailId"] and answer["emailId"].endswith("@example.com")
    assert code not in str(answer)
    assert wires.honoured(server, answer["oneTimeToken"]) == wires.NOWHERE, "login opens nothing yet"

    answer = client.session_2fa(code)
    assert {"sessionToken", "userId", "clientCode", "clientName", "loginTime", "redirect", "service"} <= set(answer)
    assert answer["userId"] == user.username
    assert wires.honoured(server, client.session_token) == wires.EVERYWHERE

    assert client.logout()["message"]
    assert wires.honoured(server, client.session_token) == wires.NOWHERE
    assert refused(client.logout).status == 401


def test_userid_may_be_the_address(server, application, user):
    client = KotakClient(server, application, user.email)
    client.session_2fa(access_code(server, client, user))
    client.logout()


def test_security_key_owners_use_the_access_code(server, application):
    user, _ = wires.user_with_key(server)
    client = signed_in(server, application, user)
    assert wires.honoured(server, client.session_token) == wires.EVERYWHERE


def test_init_tells_nothing_about_the_user(server, application, user):
    known = connected(server, application, user).greeting
    unknown = KotakClient(server, application, "nobody-here").greeting
    assert set(known) == set(unknown)
    assert known["message"] == unknown["message"]


# The application's three secrets


@pytest.mark.parametrize("part", ["access_token", "consumer_key", "app_id"])
def test_triples_that_do_not_belong_together(server, application, user, part):
    other = server.app()
    for wrong in (other[part], "x", "A" * 43, application[part] + "x", application[part][:-1]):
        mixed = {**application, part: wrong}
        fault = refused(lambda mixed=mixed: connected(server, mixed, user))
        assert (fault.status, fault.code) == (401, INVALID_APPLICATION)
        client = KotakClient(server, mixed, user.username, connect=False)
        fault = refused(lambda client=client: client.login(user.password))
        assert (fault.status, fault.code) == (401, INVALID_APPLICATION)


@pytest.mark.parametrize("header", ["Authorization", "consumerKey", "appId"])
def test_missing_secrets(server, application, user, header):
    headers = KotakClient(server, application, user.username, connect=False).headers(userid=user.username)
    del headers[header]
    answer = server.get("/apim/session/1.0/session/init", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["fault"]["code"] == MISSING_CREDENTIALS


@pytest.mark.parametrize("header", ["userid", "ip"])
def test_missing_parameters(server, application, user, header):
    headers = KotakClient(server, application, user.username, connect=False).headers(userid=user.username)
    del headers[header]
    answer = server.get("/apim/session/1.0/session/init", headers=headers)
    assert answer.status_code == 400
    assert set(answer.json()["fault"]) == {"code", "message", "description"}


def test_the_shape_of_a_fault(server, application, user):
    fault = refused(lambda: connected(server, {**application, "access_token": "x"}, user))
    assert set(fault.body) == {"fault"}
    assert set(fault.body["fault"]) == {"code", "message", "description"}
    assert isinstance(fault.code, int) and isinstance(fault.message, str) and isinstance(fault.description, str)


def test_a_rotated_application_has_new_secrets(server, user):
    old = server.app()
    client = signed_in(server, old, user)
    new = server.cli("app", "rotate", old["app_id"])
    assert refused(lambda: connected(server, old, user)).code == INVALID_APPLICATION
    connected(server, {**old, **new}, user)
    assert refused(client.logout).status == 401


def test_a_revoked_application_is_none(server, user):
    application = server.app()
    client = connected(server, application, user)
    code = access_code(server, client, user)
    server.cli("app", "revoke", application["app_id"])
    assert refused(lambda: client.session_2fa(code)).code == INVALID_APPLICATION
    assert refused(lambda: connected(server, application, user)).code == INVALID_APPLICATION


# Networks


def test_a_foreign_network(server, user):
    application = server.app("--allow-network", "192.0.2.0/24")
    assert refused(lambda: connected(server, application, user)).status == 401
    for claimed in ("192.0.2.1", "192.0.2.0/24"):
        assert refused(lambda claimed=claimed: connected(server, application, user, ip=claimed)).status == 401
    client = KotakClient(server, application, user.username, connect=False)
    headers = client.headers(
        userid=user.username, **{"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1", "X-Real-IP": "192.0.2.1"}
    )
    assert server.get("/apim/session/1.0/session/init", headers=headers).status_code == 401
    assert refused(lambda: client.login(user.password)).status == 401


def test_the_own_network_among_several(server, user):
    application = server.app("--allow-network", "192.0.2.0/24", "--allow-network", "127.0.0.0/8", "--allow-network", "::1/128")
    signed_in(server, application, user).logout()


def test_the_ip_header_is_only_recorded(server, application, user):
    for claimed in ("203.0.113.9", "not an address", ""):
        connected(server, application, user, ip=claimed)


# First factor


def test_login_refusals_are_one(server, application, user):
    client = connected(server, application, user)
    wrong = refused(lambda: client.login("not the password"))
    client.userid = "nobody-here"
    unknown = refused(lambda: client.login("not the password"))
    assert wrong.status == unknown.status == 401
    assert wrong.body == unknown.body


def test_disabled_user(server, application, user):
    client = connected(server, application, user)
    code = access_code(server, client, user)
    server.cli("user", "disable", user.id)
    assert refused(lambda: client.session_2fa(code)).status == 401
    assert refused(lambda: client.login(user.password)).status == 401


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"{}", b'{"userid": "x"}', b'{"password": "x"}', b'{"userid": 1, "password": []}']
)
def test_malformed_login(server, application, user, body):
    headers = {**connected(server, application, user).headers(), "Content-Type": "application/json"}
    answer = server.post("/apim/session/1.0/session/login/userid", headers=headers, data=body)
    assert answer.status_code == 400
    assert set(answer.json()["fault"]) == {"code", "message", "description"}


# Second factor


def test_a_wrong_code_leaves_the_token_four_times(server, application, user):
    client = connected(server, application, user)
    code = access_code(server, client, user)
    for _ in range(4):
        assert refused(lambda: client.session_2fa(another(code))).status == 401
    assert client.session_2fa(code)["sessionToken"]


def test_five_wrong_codes_spend_the_token(server, application, user):
    client = connected(server, application, user)
    code = access_code(server, client, user)
    for _ in range(5):
        assert refused(lambda: client.session_2fa(another(code))).status == 401
    assert refused(lambda: client.session_2fa(code)).status == 401


def test_token_and_code_are_good_once(server, application, user):
    client = connected(server, application, user)
    code = access_code(server, client, user)
    client.session_2fa(code)
    first = client.session_token
    assert refused(lambda: client.session_2fa(code)).status == 401
    client.session_token = first
    client.logout()


def test_each_login_replaces_the_last_code(server, application, user):
    client = connected(server, application, user)
    old = access_code(server, client, user)
    new = access_code(server, client, user)
    if old != new:
        assert refused(lambda: client.session_2fa(old)).status == 401
    assert client.session_2fa(new)["sessionToken"]


def test_the_token_is_bound_to_user_and_application(server, application, user):
    stranger, other = server.user(), server.app()
    client = connected(server, application, user)
    code = access_code(server, client, user)
    theirs = connected(server, application, stranger)
    theirs.one_time_token = client.one_time_token
    assert refused(lambda: theirs.session_2fa(code)).status in (400, 401)
    elsewhere = connected(server, other, user)
    elsewhere.one_time_token = client.one_time_token
    assert refused(lambda: elsewhere.session_2fa(code)).status == 401
    assert client.session_2fa(code)["sessionToken"], "the right way still works"


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 5000])
def test_worthless_tokens(server, application, user, token):
    client = connected(server, application, user)
    client.one_time_token = token
    assert refused(lambda: client.session_2fa("123456")).status in (400, 401)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"accessCode": "1"}', b'{"userid": 1, "accessCode": 1}'])
def test_malformed_second_factor_leaves_the_token(server, application, user, body):
    client = connected(server, application, user)
    code = access_code(server, client, user)
    headers = {**client.headers(oneTimeToken=client.one_time_token), "Content-Type": "application/json"}
    answer = server.post("/apim/session/1.0/session/2FA/accesscode", headers=headers, data=body)
    assert answer.status_code == 400
    assert client.session_2fa(code)["sessionToken"]


# The one-time token alone


def test_the_one_time_token_suffices_where_it_is_registered_so(server, user):
    application = server.app("--one-time-token-suffices")
    client = connected(server, application, user)
    client.login(user.password)
    token = client.one_time_token
    assert client.session_2fa()["userId"] == user.username
    client.logout()
    client.one_time_token = token
    assert refused(client.session_2fa).status == 401


def test_and_nowhere_else(server, application, user):
    client = connected(server, application, user)
    code = access_code(server, client, user)
    assert refused(client.session_2fa).status == 401
    assert client.session_2fa(code)["sessionToken"]


def test_it_does_not_stand_in_for_a_security_key(server):
    user, _ = wires.user_with_key(server)
    application = server.app("--one-time-token-suffices")
    client = connected(server, application, user)
    client.login(user.password)
    try:
        client.session_2fa()
    except Fault as fault:
        assert fault.status == 401
    else:
        assert wires.honoured(server, client.session_token) == wires.NOWHERE


# Logout


def test_logout_by_another_application_or_user(server, application, user):
    client = signed_in(server, application, user)
    elsewhere = connected(server, server.app(), user)
    elsewhere.session_token = client.session_token
    assert refused(elsewhere.logout).status == 401
    stranger = connected(server, application, server.user())
    stranger.session_token = client.session_token
    assert refused(stranger.logout).status in (400, 401)
    assert wires.honoured(server, client.session_token) == wires.EVERYWHERE
    client.logout()


@pytest.mark.parametrize("opener", [wires.native, wires.kalshi, wires.kraken, wires.kestra], ids=lambda f: f.__name__)
def test_logout_of_a_session_that_no_application_opened(server, application, user, opener):
    client = connected(server, application, user)
    client.session_token = opener(server, user)
    assert refused(client.logout).status == 401
    assert wires.honoured(server, client.session_token) == wires.EVERYWHERE


@pytest.mark.parametrize("token", ["", "x", "A" * 43])
def test_logout_with_worthless_tokens(server, application, user, token):
    client = connected(server, application, user)
    client.session_token = token
    assert refused(client.logout).status in (400, 401)


def test_unknown_paths_and_wrong_methods(server, application, user):
    headers = connected(server, application, user).headers(userid=user.username)
    for method, path in (("GET", "/nonsense"), ("POST", "/session/1.0/session/init"), ("GET", "/session/1.0/session/logout")):
        answer = server.call(method, "/apim" + path, headers=headers)
        assert answer.status_code in (400, 401, 404, 405)
        assert set(answer.json()) == {"fault"}
