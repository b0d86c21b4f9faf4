"""Too many attempts: 429 with Retry-After, in each dialect's own words."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

import mailbox_reader
import wires
from harness import new_password

MANY = 150
ACCOUNT = 10  # failures to sign in to one account, by default
BURST = ACCOUNT // 2  # of which each of its two names has half


def kalshi(server, user):
    return server.post("/v1/log_in", json={"email": user.email, "password": "not the password"})


def kalshi2(server, user):
    return server.post("/trade-api/v2/login", json={"email": user.email, "password": "not the password"})


def kraken(server, user):
    return server.post(wires.KRAKEN + "/login", json={"username": user.username, "password": "not the password"})


def kestra(server, user):
    return server.post("/login", json={"username": user.username, "password": "not the password"})


def native(server, user):
    return server.post("/auth/v1/sign-in/password", json={"identifier": user.email, "password": "not the password"})


def kotak(server, user):
    if not hasattr(server, "limited_app"):
        server.limited_app = server.app()
    headers = wires.KotakClient(server, server.limited_app, user.username, connect=False).headers()
    body = {"userid": user.username, "password": "not the password"}
    return server.post("/apim/session/1.0/session/login/userid", headers=headers, json=body)


def words(dialect, body):
    """Whether a body is an error in a dialect's words."""
    return {
        "kalshi": lambda: set(body) == {"code", "message", "details", "service"},
        "kalshi2": lambda: set(body) == {"code", "message", "details", "service"},
        "kraken": lambda: set(body) == {"status_code", "message"} and isinstance(body["status_code"], int),
        "kestra": lambda: set(body) == {"message", "_embedded"} and bool(body["_embedded"]["errors"]),
        "kotak": lambda: set(body) == {"fault"} and body["fault"]["code"] == 900800,
        "native": lambda: {"type", "title", "status"} <= set(body) and body["status"] == 429,
    }[dialect]()


BY_EMAIL = ("kalshi", "kalshi2", "native")
GUESSES = {f.__name__: f for f in (kalshi, kalshi2, kraken, kestra, native, kotak)}


@pytest.fixture
def limited(serve):
    """A server with its limits on; of its own, for limits count per network too."""
    return serve(limits=True)


def until_limited(call):
    """The first 429 and how many were refused otherwise before it."""
    for before in range(MANY):
        answer = call()
        if answer.status_code == 429:
            return answer, before
        assert answer.status_code in (400, 401), answer.text
    raise AssertionError(f"{MANY} wrong tries and no limit")


@pytest.mark.parametrize("dialect", GUESSES)
def test_wrong_passwords(limited, dialect):
    user, guess = limited.user(), GUESSES[dialect]
    answer, before = until_limited(lambda: guess(limited, user))
    assert before == BURST
    assert 1 <= int(answer.headers["Retry-After"]) <= 86400
    assert words(dialect, answer.json()), answer.text
    typed, other = (user.email, user.username) if dialect in BY_EMAIL else (user.username, user.email)
    assert right(limited, typed, user).status_code == 429, "nor with the right password, and in every dialect"
    assert right(limited, other, user).status_code == 200, "a limit is on what was typed: so it tells nothing about accounts"


def right(server, name, user):
    """The right password, under a name as it is typed."""
    return server.post("/login", json={"username": name, "password": user.password})


def test_a_success_costs_nothing_and_forgives_nothing(limited):
    user = limited.user()
    for _ in range(2 * BURST):
        assert wires.kalshi(limited, user)
    for _ in range(BURST - 1):
        assert kalshi(limited, user).status_code == 401
        assert wires.kalshi(limited, user), "a slip or two harm nobody"
    assert kalshi(limited, user).status_code == 401
    assert kalshi(limited, user).status_code == 429


def test_unknown_accounts_are_limited_alike(limited):
    known, unknown = limited.user(), limited.user()
    limited.cli("user", "delete", unknown.id)
    assert known_and_unknown_alike(until_limited(lambda: kalshi(limited, known)), until_limited(lambda: kalshi(limited, unknown)))


def known_and_unknown_alike(known, unknown):
    return known[1] == unknown[1] and known[0].json() == unknown[0].json()


def guesses_under(server, names):
    """How many wrong passwords are judged, through every dialect that takes such a name, until all of them refuse to."""
    users = [SimpleNamespace(email=name, username=name) for name in names]
    judged = 0
    for _ in range(ACCOUNT):
        for name, guess in GUESSES.items():
            for user in users:
                if name in BY_EMAIL and "@" not in user.email:
                    continue
                answer = guess(server, user)
                assert answer.status_code in (400, 401, 429), answer.text
                judged += answer.status_code != 429
    return judged


def test_an_account_has_its_guesses_once_whatever_it_is_called_by(limited):
    user = limited.user()
    known = guesses_under(limited, [user.username, user.email, user.username.upper(), user.email.upper(), f" {user.username} "])
    unknown = guesses_under(limited, ["nobody", "nobody@example.org", "NOBODY", "NOBODY@EXAMPLE.ORG", " nobody "])
    assert known == unknown == ACCOUNT
    assert right(limited, user.username, user).status_code == right(limited, user.email, user).status_code == 429


def test_parallel_guesses_do_not_slip_through(limited, serve):
    """As many guesses are judged when they come at once as when they come one by one."""
    _, one_by_one = until_limited(lambda user=limited.user(): kalshi(limited, user))
    fresh = serve(limits=True)
    user = fresh.user()
    with ThreadPoolExecutor(32) as pool:
        got = list(pool.map(lambda _: kalshi(fresh, user).status_code, range(64)))
    assert set(got) <= {401, 429}
    assert got.count(401) <= one_by_one + 1, got


def test_second_factors(limited):
    user, key = wires.user_with_key(limited)

    def guess():
        answer = limited.post(wires.KRAKEN + "/login", json={"username": user.username, "password": user.password})
        if answer.status_code == 429:
            return answer
        with limited.http() as caller:
            caller.headers["Cookie"] = "; ".join(f"{c.name}={c.value}" for c in answer.cookies)
            options = caller.post(wires.KRAKEN + "/startAuth")
            if options.status_code == 429:
                return options
            forged = key.get(options.json(), "http://evil.example")
            return caller.post(wires.KRAKEN + "/finishAuth", json=forged)

    answer, _ = until_limited(guess)
    assert "Retry-After" in answer.headers


def test_access_codes(limited):
    user, application = limited.user(), limited.app()

    def guess():
        client = wires.KotakClient(limited, application, user.username, connect=False)
        body = {"userid": user.username, "password": user.password}
        answer = limited.post("/apim/session/1.0/session/login/userid", headers=client.headers(), json=body)
        if answer.status_code == 429:
            return answer
        headers = client.headers(oneTimeToken=answer.json()["Success"]["oneTimeToken"])
        path = "/apim/session/1.0/session/2FA/accesscode"
        return limited.post(path, headers=headers, json={"userid": user.username, "accessCode": "ZZZZZZ"})

    answer, _ = until_limited(guess)
    assert answer.json()["fault"]["code"] == 900800
    assert "Retry-After" in answer.headers


def test_mails_to_one_address(limited):
    user = limited.user()
    asked = 40
    known = [limited.get(f"/api/v1/request-code/{user.email}").status_code for _ in range(asked)]
    fresh = limited.get(f"/api/v1/request-code/{user.email}")
    assert set(known) <= {200, 429}
    if fresh.status_code == 429:
        assert int(fresh.headers["Retry-After"]) >= 1 and words("kestra", fresh.json())
    limited.restart()
    limited.mail.wait(user.email, mailbox_reader.code)
    assert len(limited.mail.found(user.email, mailbox_reader.code)) < asked / 2


def test_limits_survive_a_restart(limited):
    user = limited.user()
    until_limited(lambda: kestra(limited, user))
    limited.restart()
    assert kestra(limited, user).status_code == 429


def test_off_means_off(server, user):
    assert {kalshi(server, user).status_code for _ in range(MANY)} == {401}
    assert wires.kalshi(server, user)
    fresh = new_password()
    assert fresh != user.password
