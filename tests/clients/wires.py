"""How each dialect opens a session, shows that one is honoured, and ends it: the table that the cross tests walk."""

import mailbox_reader
from kotak_client import Fault, KotakClient
from security_key import SecurityKey

KRAKEN = "/api/v1/auth"


def only_cookie(response):
    """Name and value of the one cookie that an answer sets."""
    assert len(response.cookies) == 1, f"{response.status_code}: cookies {response.cookies.keys()}: {response.text}"
    return next(iter(response.cookies.items()))


# Opening a session: (server, user) -> token.


def native(server, user):
    """Password sign-in of our own API."""
    answer = server.post("/auth/v1/sign-in/password", json={"identifier": user.email, "password": user.password})
    assert answer.status_code == 200, answer.text
    server.cookie_names["native"] = only_cookie(answer)[0]
    return answer.json()["token"]


def kalshi(server, user):
    """log_in of the first kalshi API."""
    answer = server.post("/v1/log_in", json={"email": user.email, "password": user.password})
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


def kalshi2(server, user):
    """login of its successor."""
    answer = server.post("/trade-api/v2/login", json={"email": user.email, "password": user.password})
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


def kraken(server, user):
    """login of kraken; the session is a cookie and nothing else."""
    answer = server.post(KRAKEN + "/login", json={"username": user.username, "password": user.password})
    assert answer.status_code == 200, answer.text
    server.cookie_names["kraken"], token = only_cookie(answer)
    return token


def kestra(server, user):
    """login of kestra by form."""
    answer = server.post("/login", data={"username": user.username, "password": user.password})
    assert answer.status_code == 200, answer.text
    server.cookie_names["kestra"], token = only_cookie(answer)
    return token


def kotak(server, user, application=None):
    """The whole way of kotak: first factor, mailed access code."""
    client = KotakClient(server, application or server.app(), user.username)
    access_code = server.mail.after(lambda: client.login(user.password), user.email, mailbox_reader.code)
    return client.session_2fa(access_code)["sessionToken"]


OPENERS = {f.__name__: f for f in (native, kalshi, kalshi2, kraken, kestra, kotak)}


# Asking whether a session is honoured, without harm to it: (server, token) -> bool.


def bearer(token):
    """The header of a bearer token."""
    return {"Authorization": "Bearer " + token}


def cookie_name(server, dialect):
    """The cookie's name in a dialect that does not prescribe it, learnt from a sign-in."""
    if dialect not in server.cookie_names:
        OPENERS[dialect](server, server.user())
    return server.cookie_names[dialect]


def cookie(server, dialect, token):
    """The Cookie header that carries a token in a dialect."""
    name = "sessions" if dialect == "kalshi" else cookie_name(server, dialect)
    return {"Cookie": f"{name}={token}"}


def by_native_bearer(server, token):
    """Who am I, by header."""
    return _yes(server.get("/auth/v1/session", headers=bearer(token)), 401)


def by_native_cookie(server, token):
    """Who am I, by cookie."""
    return _yes(server.get("/auth/v1/session", headers=cookie(server, "native", token)), 401)


def by_kraken(server, token):
    """kraken's own test call."""
    answer = server.get(KRAKEN + "/test", headers=cookie(server, "kraken", token))
    return _yes(answer, 400)


def by_kestra(server, token):
    """kestra has no such call: somebody else's invitation is 403 to a session and 401 to none.

    A half session is a 403 too, but to any invitation: even to one that does not exist.
    """
    if not hasattr(server, "foreign_invitation"):
        server.foreign_invitation = server.cli("invitation", "create", "somebody-else@example.org")["id"]


    def accept(invitation):
        path = f"/api/v1/invitation/accept/{invitation}"
        return server.post(path, headers=cookie(server, "kestra", token)).status_code

    return {(401, 401): False, (403, 403): False, (403, 404): True}[
        accept(server.foreign_invitation), accept("00000000-0000-0000-0000-000000000000")
    ]


def _yes(answer, no):
    assert answer.status_code in (200, no), f"{answer.status_code} {answer.text}"
    return answer.status_code == 200


ASKERS = {f.__name__: f for f in (by_native_bearer, by_native_cookie, by_kraken, by_kestra)}


def honoured(server, token):
    """The askers that honour a token; all or none unless something is wrong."""
    return {name for name, ask in ASKERS.items() if ask(server, token)}


EVERYWHERE, NOWHERE = set(ASKERS), set()


# Ending a session: (server, user, token) -> status.


def end_native(server, user, token):
    """Sign-out of our own API."""
    return server.call("DELETE", "/auth/v1/session", headers=bearer(token)).status_code


def end_kalshi_cookie(server, user, token):
    """log_out with the prescribed cookie."""
    return server.post("/v1/log_out", headers=cookie(server, "kalshi", token)).status_code


def end_kalshi_bare(server, user, token):
    """log_out with the bare token in the header, as the generated client sends it."""
    return server.post("/v1/log_out", headers={"Authorization": token}).status_code


def end_kalshi_bearer(server, user, token):
    """log_out with a bearer token."""
    return server.post("/v1/log_out", headers=bearer(token)).status_code


def end_kalshi_pair(server, user, token):
    """log_out with user id and token."""
    return server.post("/v1/log_out", headers={"Authorization": f"{user.id} {token}"}).status_code


def end_kalshi_bearer_pair(server, user, token):
    """log_out with user id and token after Bearer."""
    return server.post("/v1/log_out", headers={"Authorization": f"Bearer {user.id} {token}"}).status_code


def end_kalshi2(server, user, token):
    """logout of the successor, with the body that its client sends."""
    return server.post("/trade-api/v2/logout", headers=bearer(token), json={}).status_code


def end_kraken(server, user, token):
    """logout of kraken."""
    return server.get(KRAKEN + "/logout", headers=cookie(server, "kraken", token)).status_code


ENDERS = {
    f.__name__: f
    for f in (
        end_native,
        end_kalshi_cookie,
        end_kalshi_bare,
        end_kalshi_bearer,
        end_kalshi_pair,
        end_kalshi_bearer_pair,
        end_kalshi2,
        end_kraken,
    )
}


# Security keys by plain HTTP, where the test is not about the published client.


def signed_in(server, user):
    """A kraken caller with a session in its jar."""
    caller = server.http()
    answer = caller.post(KRAKEN + "/login", json={"username": user.username, "password": user.password})
    assert answer.status_code == 200, answer.text
    return caller


def enrol(server, caller, name="key"):
    """Registers a new security key for the caller's user."""
    key = SecurityKey()
    options = caller.post(KRAKEN + "/startRegister")
    assert options.status_code == 200, options.text
    done = caller.post(KRAKEN + "/finishRegister", json={**key.create(options.json(), server.url), "name": name})
    assert done.status_code == 200, done.text
    return key


def user_with_key(server):
    """A new user who owns a security key, and the key."""
    user = server.user()
    with signed_in(server, user) as caller:
        key = enrol(server, caller)
        caller.get(KRAKEN + "/logout")
    return user, key


def prove(server, caller, key):
    """The second factor of a caller who owes it."""
    options = caller.post(KRAKEN + "/startAuth")
    assert options.status_code == 200, options.text
    done = caller.post(KRAKEN + "/finishAuth", json=key.get(options.json(), server.url))
    assert done.status_code == 200, done.text


def refused_by_kotak(call):
    """The fault with which kotak refuses a call."""
    try:
        call()
    except Fault as fault:
        return fault
    raise AssertionError("not refused")
