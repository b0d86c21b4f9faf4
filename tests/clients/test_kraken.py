"""The published kraken client (kraken_sdk 0.2.0) with a software security key."""

import asyncio
import functools
import json

import kraken_sdk
import pytest
from kraken_sdk.models.finish_register_request import FinishRegisterRequest
from kraken_sdk.models.login_request import LoginRequest

import wires
from security_key import USER_VERIFIED, SecurityKey, encode, flipped
from wires import KRAKEN

LOGIN_FAILED, NOT_FOUND, CONTENT_TYPE, JSON, TOO_LARGE = 1000, 1001, 1002, 1003, 1004
UNAUTHENTICATED, SECOND_FACTOR, NO_KEY, NAME_EXISTS, INVALID_NAME, WEBAUTHN = 1005, 1006, 1008, 1013, 1020, 2003


class FinishWithCredential(FinishRegisterRequest):
    """The published model sends the name alone; the call wants the credential's fields beside it."""

    def to_dict(self):
        return {**self.__dict__["_credential"], "name": self.name}


def finish_request(name, credential):
    request = FinishWithCredential(name=name)
    request.__dict__["_credential"] = credential
    return request


def in_loop(test):
    """Runs an async test in an event loop of its own."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


class Client:
    """The published client with its cookie jar."""

    def __init__(self, server):
        self.server = server

    async def __aenter__(self):
        self.raw = kraken_sdk.ApiClient(kraken_sdk.Configuration(host=self.server.url))
        self.api = kraken_sdk.AuthenticationApi(self.raw)
        return self

    async def __aexit__(self, *exc):
        await self.raw.close()

    def cookies(self):
        return {cookie.key: cookie.value for cookie in self.raw.rest_client.pool_manager.cookie_jar}

    def forget(self):
        self.raw.rest_client.pool_manager.cookie_jar.clear()

    async def login(self, user, password=None, name=None):
        return await self.api.login(LoginRequest(username=name or user.username, password=password or user.password))

    async def register(self, name="my key", key=None):
        key = key or SecurityKey()
        options = await self.api.start_register()
        await self.api.finish_register(finish_request(name, key.create(options, self.server.url)))
        return key

    async def prove(self, key, **how):
        options = await self.api.start_auth()
        answer = key.get(options, self.server.url, **how)
        await self.api.finish_auth(answer)
        return answer


async def refused(awaitable, number, status=400):
    """The refusal's body, after checking its shape and numbers."""
    with pytest.raises(kraken_sdk.ApiException) as caught:
        await awaitable
    body = json.loads(caught.value.body)
    assert set(body) == {"status_code", "message"}
    assert (caught.value.status, body["status_code"]) == (status, number), body
    assert body["message"]
    return body


# Password alone


@in_loop
async def test_login_test_logout(server, user):
    async with Client(server) as c:
        await refused(c.api.test(), UNAUTHENTICATED)
        answer = await c.api.login_with_http_info(LoginRequest(username=user.username, password=user.password))
        assert (answer.status_code, answer.raw_data) == (200, b"")
        assert len(c.cookies()) == 1
        answer = await c.api.test_with_http_info()
        assert (answer.status_code, answer.raw_data) == (200, b"")
        before = dict(c.cookies())
        await c.api.logout()
        await refused(c.api.test(), UNAUTHENTICATED)
        name, token = before.popitem()
        assert server.get(KRAKEN + "/test", headers={"Cookie": f"{name}={token}"}).json()["status_code"] == UNAUTHENTICATED


@in_loop
async def test_username_or_address(server, user):
    async with Client(server) as c:
        for name in (user.username, user.email, user.email.upper()):
            await c.login(user, name=name)
            await c.api.test()


@in_loop
async def test_login_refusals_are_one(server, user):
    async with Client(server) as c:
        wrong = await refused(c.login(user, password="not the password"), LOGIN_FAILED)
        unknown = await refused(c.login(user, name="nobody-here"), LOGIN_FAILED)
        server.cli("user", "disable", user.id)
        disabled = await refused(c.login(user), LOGIN_FAILED)
        assert wrong == unknown == disabled
        assert not c.cookies()


@in_loop
async def test_login_takes_a_new_token_and_never_the_callers(server, user):
    async with Client(server) as c:
        await c.login(user)
        name, first = dict(c.cookies()).popitem()
        await c.login(user)
        _, second = dict(c.cookies()).popitem()
        assert first != second
        assert wires.honoured(server, first) == wires.NOWHERE, "the token before the sign-in is rotated away"
    planted = "A" * len(first)
    answer = server.post(
        KRAKEN + "/login", json={"username": user.username, "password": user.password}, headers={"Cookie": f"{name}={planted}"}
    )
    assert answer.status_code == 200
    assert wires.only_cookie(answer)[1] != planted
    assert wires.honoured(server, planted) == wires.NOWHERE


@in_loop
async def test_logout_without_a_session_harms_nobody(server, user):
    async with Client(server) as c, Client(server) as other:
        await other.login(user)
        try:
            await c.api.logout()
        except kraken_sdk.ApiException as refusal:
            assert json.loads(refusal.body)["status_code"] == UNAUTHENTICATED
        await other.api.test()


@in_loop
async def test_keys_need_a_session(server):
    async with Client(server) as c:
        await refused(c.api.start_register(), UNAUTHENTICATED)
        await refused(c.api.start_auth(), UNAUTHENTICATED)
        for path in ("/startRegister", "/finishRegister", "/startAuth", "/finishAuth"):
            answer = server.post(KRAKEN + path, json={})
            assert answer.status_code == 400
            assert answer.json()["status_code"] in (UNAUTHENTICATED, JSON)


# Security keys: the honest ways


@in_loop
async def test_register_then_sign_in_with_the_key(server, user):
    async with Client(server) as c:
        await c.login(user)
        await refused(c.api.start_auth(), NO_KEY)
        options = (await c.api.start_register())["publicKey"]
        assert options["rp"]["id"] == "localhost"
        assert options["user"]["name"] in (user.username, user.email)
        assert options["authenticatorSelection"]["userVerification"] == "preferred"
        assert not options.get("excludeCredentials")
        key = await c.register()
        await c.api.logout()
    async with Client(server) as c:
        await c.login(user, name=user.email)
        half = dict(c.cookies())
        await refused(c.api.test(), SECOND_FACTOR)
        await refused(c.api.start_register(), SECOND_FACTOR)
        options = (await c.api.start_auth())["publicKey"]
        assert options["rpId"] == "localhost"
        assert options["userVerification"] == "preferred"
        assert [allowed["id"] for allowed in options["allowCredentials"]] == [key.id]
        answer = await c.api.finish_auth_with_http_info(key.get({"publicKey": options}, server.url))
        assert (answer.status_code, answer.raw_data) == (200, b"")
        await c.api.test()
        name, whole = dict(c.cookies()).popitem()
        assert whole != half[name], "stepping up rotates the token"
        stale = server.get(KRAKEN + "/test", headers={"Cookie": f"{name}={half[name]}"})
        assert stale.json()["status_code"] == UNAUTHENTICATED
        assert wires.honoured(server, whole) == wires.EVERYWHERE
        await c.api.logout()
        await refused(c.api.test(), UNAUTHENTICATED)


@in_loop
async def test_a_second_key_needs_the_second_factor(server):
    user, first = wires.user_with_key(server)
    async with Client(server) as c:
        await c.login(user)
        await refused(c.api.start_register(), SECOND_FACTOR)
        await refused(c.api.finish_register(finish_request("sly", _any_credential(server))), SECOND_FACTOR)
        await c.prove(first)
        options = (await c.api.start_register())["publicKey"]
        assert [excluded["id"] for excluded in options["excludeCredentials"]] == [first.id]
        second = await c.register("spare")
    for key in (first, second):
        async with Client(server) as c:
            await c.login(user)
            options = (await c.api.start_auth())["publicKey"]
            assert {allowed["id"] for allowed in options["allowCredentials"]} == {first.id, second.id}
            await c.prove(key)
            await c.api.test()


def _any_credential(server):
    other = server.user()
    with wires.signed_in(server, other) as caller:
        return SecurityKey().create(caller.post(KRAKEN + "/startRegister").json(), server.url)


@in_loop
async def test_a_session_older_than_the_key_cannot_add_another(server, user):
    async with Client(server) as old, Client(server) as new:
        await old.login(user)
        await new.login(user)
        await new.register()
        await refused(old.api.start_register(), SECOND_FACTOR)


@in_loop
async def test_a_verifying_key_works_too(server):
    user, key = wires.user_with_key(server)
    async with Client(server) as c:
        await c.login(user)
        await c.prove(key, flags=0x01 | USER_VERIFIED)
        await c.api.test()


@in_loop
async def test_a_key_that_does_not_count_works_again_and_again(server, user):
    async with Client(server) as c:
        await c.login(user)
        key = await c.register()
        for _ in range(3):
            await c.login(user)
            await c.prove(key, count=0)
            await c.api.test()


@in_loop
async def test_a_null_user_handle_works(server):
    user, key = wires.user_with_key(server)
    async with Client(server) as c:
        await c.login(user)
        answer = key.get(await c.api.start_auth(), server.url)
        answer["response"]["userHandle"] = None
        await c.api.finish_auth(answer)
        await c.api.test()


@in_loop
async def test_names_of_keys(server, user):
    async with Client(server) as c:
        await c.login(user)
        for bad in ("", "   ", "x" * 5000):
            options = await c.api.start_register()
            await refused(c.api.finish_register(finish_request(bad, SecurityKey().create(options, server.url))), INVALID_NAME)
        key = await c.register("office")
        await c.login(user)
        await c.prove(key)
        options = await c.api.start_register()
        await refused(c.api.finish_register(finish_request("office", SecurityKey().create(options, server.url))), NAME_EXISTS)
        await c.register("home")


# Security keys: what must not work


@in_loop
async def test_an_answer_is_good_once(server):
    user, key = wires.user_with_key(server)
    async with Client(server) as c:
        await c.login(user)
        answer = await c.prove(key)
        await refused(c.api.finish_auth(answer), WEBAUTHN)
        await c.api.test()
        await c.login(user)
        await refused(c.api.finish_auth(answer), WEBAUTHN)
        await c.api.start_auth()
        await refused(c.api.finish_auth(answer), WEBAUTHN)
        await refused(c.api.test(), SECOND_FACTOR)


@in_loop
async def test_a_failed_answer_spends_the_challenge(server):
    user, key = wires.user_with_key(server)
    async with Client(server) as c:
        await c.login(user)
        good = key.get(await c.api.start_auth(), server.url)
        bad = json.loads(json.dumps(good))
        bad["response"]["signature"] = flipped(bad["response"]["signature"])
        await refused(c.api.finish_auth(bad), WEBAUTHN)
        await refused(c.api.finish_auth(good), WEBAUTHN)
        await c.prove(key)


LIES = {
    "signature": lambda a: a["response"].update(signature=flipped(a["response"]["signature"])),
    "signature of nothing": lambda a: a["response"].update(signature=""),
    "authenticator data": lambda a: a["response"].update(authenticatorData=flipped(a["response"]["authenticatorData"])),
    "client data": lambda a: a["response"].update(clientDataJSON=flipped(a["response"]["clientDataJSON"])),
    "credential id": lambda a: a.update(id=flipped(a["id"]), rawId=flipped(a["rawId"])),
    "raw id alone": lambda a: a.update(rawId=flipped(a["rawId"])),
    "kind": lambda a: a.update(type="public"),
    "user handle": lambda a: a["response"].update(userHandle=encode(b"somebody else's 16")),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
@in_loop
async def test_one_wrong_field(server, lie):
    user, key = wires.user_with_key(server)
    async with Client(server) as c:
        await c.login(user)
        answer = key.get(await c.api.start_auth(), server.url, count=1000)
        lie(answer)
        with pytest.raises(kraken_sdk.ApiException) as caught:
            await c.api.finish_auth(answer)
        assert caught.value.status == 400
        assert json.loads(caught.value.body)["status_code"] in (WEBAUTHN, JSON)
        await refused(c.api.test(), SECOND_FACTOR)
        await c.prove(key, count=5)  # the refused answer's counter was not taken over
        await c.api.test()


HOWS = {
    "another origin": {"origin": "http://localhost:1"},
    "another site": {"rp_id": "evil.example"},
    "a registration's client data": {"kind": "webauthn.create"},
    "a challenge of its own": {"challenge": encode(b"c" * 32)},
    "nobody touched it": {"flags": 0},
}


@pytest.mark.parametrize("how", HOWS.values(), ids=HOWS.keys())
@in_loop
async def test_signed_but_wrong(server, how):
    user, key = wires.user_with_key(server)
    async with Client(server) as c:
        await c.login(user)
        options, how = await c.api.start_auth(), dict(how)
        answer = key.get(options, how.pop("origin", server.url), **how)
        await refused(c.api.finish_auth(answer), WEBAUTHN)
        await refused(c.api.test(), SECOND_FACTOR)


@in_loop
async def test_somebody_elses_key(server):
    (user, _), (_, others) = wires.user_with_key(server), wires.user_with_key(server)
    async with Client(server) as c:
        await c.login(user)
        await refused(c.api.finish_auth(others.get(await c.api.start_auth(), server.url)), WEBAUTHN)
        await refused(c.api.test(), SECOND_FACTOR)


@in_loop
async def test_a_clone_gives_itself_away(server):
    user, key = wires.user_with_key(server)
    clone = key.clone()
    async with Client(server) as c:
        for _ in range(3):
            await c.login(user)
            await c.prove(key)
        for count in (1, 2, 3):  # behind, behind, level
            await c.login(user)
            with pytest.raises(kraken_sdk.ApiException) as caught:
                await c.prove(clone, count=count)
            assert json.loads(caught.value.body)["status_code"] == WEBAUTHN
            await refused(c.api.test(), SECOND_FACTOR)
        with pytest.raises(kraken_sdk.ApiException):
            await c.prove(clone, count=0)
    told = json.dumps([row for row in _audit(server) if user.id in json.dumps(row)]).lower()
    assert "counter" in told or "clone" in told


def _audit(server):
    listed = server.cli("audit", "list")
    return listed if isinstance(listed, list) else next(v for v in listed.values() if isinstance(v, list))


@in_loop
async def test_two_open_challenges_one_counter(server):
    user, key = wires.user_with_key(server)
    async with Client(server) as one, Client(server) as two:
        await one.login(user)
        await two.login(user)
        first, second = await one.api.start_auth(), await two.api.start_auth()
        await one.api.finish_auth(key.get(first, server.url, count=9))
        await refused(two.api.finish_auth(key.get(second, server.url, count=9)), WEBAUTHN)
        await refused(two.api.test(), SECOND_FACTOR)


@in_loop
async def test_a_challenge_belongs_to_its_session(server):
    user, key = wires.user_with_key(server)
    async with Client(server) as one, Client(server) as two:
        await one.login(user)
        await two.login(user)
        answer = key.get(await one.api.start_auth(), server.url)
        await refused(two.api.finish_auth(answer), WEBAUTHN)
        await two.api.start_auth()
        await refused(two.api.finish_auth(answer), WEBAUTHN)
        await refused(two.api.test(), SECOND_FACTOR)


@in_loop
async def test_a_registration_challenge_is_none_for_signing_in(server):
    user, key = wires.user_with_key(server)
    async with Client(server) as whole, Client(server) as half:
        await whole.login(user)
        await whole.prove(key)
        public = (await whole.api.start_register())["publicKey"]
        await half.login(user)
        options = {"publicKey": {"challenge": public["challenge"], "rpId": public["rp"]["id"]}}
        await refused(half.api.finish_auth(key.get(options, server.url)), WEBAUTHN)
        await refused(half.api.test(), SECOND_FACTOR)


@in_loop
async def test_one_key_belongs_to_one_user_once(server, user):
    other = server.user()
    key = SecurityKey()
    async with Client(server) as c:
        await c.login(user)
        options = await c.api.start_register()
        made = key.create(options, server.url)
        await c.api.finish_register(finish_request("first", made))
        with pytest.raises(kraken_sdk.ApiException):
            await c.api.finish_register(finish_request("again", made))
    async with Client(server) as c:
        await c.login(other)
        await c.api.start_register()
        await refused(c.api.finish_register(finish_request("stolen", made)), WEBAUTHN)
        await c.api.test()


@pytest.mark.parametrize("origin", ["http://localhost:1", "https://evil.example"])
@in_loop
async def test_registration_from_another_origin(server, user, origin):
    async with Client(server) as c:
        await c.login(user)
        made = SecurityKey().create(await c.api.start_register(), origin)
        await refused(c.api.finish_register(finish_request("far", made)), WEBAUTHN)
        await refused(c.api.start_auth(), NO_KEY)


# A restart in the middle


@in_loop
async def test_challenges_survive_kill_9(serve):
    server = serve()
    user = server.user()
    async with Client(server) as c:
        await c.login(user)
        key = SecurityKey()
        options = await c.api.start_register()
        server.restart()
        await c.api.finish_register(finish_request("key", key.create(options, server.url)))
        await c.login(user)
        options = await c.api.start_auth()
        server.restart()
        answer = key.get(options, server.url)
        await c.api.finish_auth(answer)
        server.restart()
        await c.api.test()
        await refused(c.api.finish_auth(answer), WEBAUTHN)
        cookies = c.cookies()
        await c.api.logout()
        server.restart()
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
        assert server.get(KRAKEN + "/test", headers=headers).json()["status_code"] == UNAUTHENTICATED


# Malformed requests


def number(answer, status=400):
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert set(answer.json()) == {"status_code", "message"}
    return answer.json()["status_code"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "json"])
def test_wrong_content_type(server, user, content_type):
    body = json.dumps({"username": user.username, "password": user.password})
    headers = {"Content-Type": content_type} if content_type else {}
    assert number(server.post(KRAKEN + "/login", data=body.encode(), headers=headers)) == CONTENT_TYPE


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_right_content_type(server, user, content_type):
    body = json.dumps({"username": user.username, "password": user.password})
    assert server.post(KRAKEN + "/login", data=body, headers={"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"{}", b'{"username": "x"}', b'{"username": 1, "password": 2}', b"\xff", b"[" * 9000]
)
def test_invalid_json(server, body):
    assert number(server.post(KRAKEN + "/login", data=body, headers={"Content-Type": "application/json"})) == JSON


@pytest.mark.parametrize("path", ["/login", "/finishRegister", "/finishAuth"])
def test_too_large(server, user, path):
    body = json.dumps({"username": user.username, "password": "p" * (3 << 20), "name": "x"})
    with wires.signed_in(server, user) as caller:
        answer = caller.post(KRAKEN + path, data=body, headers={"Content-Type": "application/json"})
        assert number(answer) == TOO_LARGE


@pytest.mark.parametrize("path", ["/finishRegister", "/finishAuth"])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"name": "x"}', b'{"id": 1, "rawId": 2, "type": 3, "response": 4, "name": 5}']
)
def test_malformed_credentials(server, user, path, body):
    with wires.signed_in(server, user) as caller:
        answer = caller.post(KRAKEN + path, data=body, headers={"Content-Type": "application/json"})
        assert number(answer) in (JSON, INVALID_NAME, WEBAUTHN, NO_KEY)
        assert caller.get(KRAKEN + "/test").status_code == 200


def test_unknown_path_and_wrong_method(server):
    assert number(server.get(KRAKEN + "/nonsense"), 404) == NOT_FOUND
    answer = server.get(KRAKEN + "/login")
    assert answer.status_code in (400, 404, 405)
    assert set(answer.json()) == {"status_code", "message"}


def test_a_foreign_page_cannot_sign_anybody_out(server, user):
    with wires.signed_in(server, user) as caller:
        for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert caller.get(KRAKEN + "/logout", headers=foreign).status_code in (400, 403)
        assert caller.get(KRAKEN + "/test").status_code == 200
        assert caller.get(KRAKEN + "/logout", headers={"Origin": server.url, "Sec-Fetch-Site": "same-origin"}).status_code == 200
