"""The first kalshi API by its contract: its client is not on PyPI, so the wire is spoken by hand."""

import pytest

import mailbox_reader
import wires
from harness import new_password

ERROR_FIELDS = {"code", "message", "details", "service"}


def log_in(server, email, password):
    return server.post("/v1/log_in", json={"email": email, "password": password})


def refusal(answer, status, code=None):
    """Checks an error of this API, in body and headers, and gives back its body."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    body = answer.json()
    assert set(body) == ERROR_FIELDS
    assert all(isinstance(value, str) for value in body.values())
    for name in ERROR_FIELDS:
        assert name in answer.headers, f"no header {name}"
        assert answer.headers[name] == " ".join(body[name].split()), name
    assert body["code"] and body["service"] and body["message"]
    assert code is None or body["code"] == code
    assert "Set-Cookie" not in answer.headers
    return body


def request_reset(server, email):
    answer = server.post("/v1/passwords/reset", json={"email": email})
    assert (answer.status_code, answer.content) == (202, b"")
    return answer


def reset_query(server, user):
    """Asks for a reset and gives back the parameters of the mailed link."""
    link = server.mail.after(lambda: request_reset(server, user.email), user.email, mailbox_reader.link_with("code", "user_id"))
    assert link.startswith(server.url + "/reset?")
    return mailbox_reader.query_of(link)


def confirm(server, code, user_id, password):
    return server.call("PUT", f"/v1/passwords/reset/{code}/confirm", json={"password": password, "user_id": user_id})


# Log in


def test_login_answers_three_strings_and_the_cookie(server, user):
    answer = log_in(server, user.email, user.password)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"user_id", "token", "access_level"}
    assert (body["user_id"], body["access_level"]) == (user.id, "member")
    header = answer.headers["Set-Cookie"]
    first, *attributes = [part.strip() for part in header.split(";")]
    assert first == "sessions=" + body["token"]
    attributes = {a.split("=")[0].lower(): a.partition("=")[2] for a in attributes}
    assert "httponly" in attributes
    assert attributes["samesite"].lower() == "lax"
    assert attributes["path"] == "/"
    assert "domain" not in attributes
    assert "secure" not in attributes, "over plain http the cookie would never come back"


def test_cookie_is_secure_when_the_public_url_is(serve):
    server = serve(env={"DOORWARD_PUBLIC_URL": "https://login.example.com"})
    user = server.user()
    assert "secure" in log_in(server, user.email, user.password).headers["Set-Cookie"].lower()


def test_answers_are_not_to_be_cached(server, user):
    assert "no-store" in log_in(server, user.email, user.password).headers["Cache-Control"]


def test_access_level_of_an_unverified_address(server):
    user = server.user("--unverified")
    assert log_in(server, user.email, user.password).json()["access_level"] == "applicant"


def test_address_in_other_letter_case(server, user):
    assert log_in(server, user.email.upper(), user.password).status_code == 200


def test_same_password_in_another_unicode_form(server):
    composed, decomposed = "caf\u00e9 cr\u00e8me br\u00fbl\u00e9e 77", "cafe\u0301 cre\u0300me bru\u0302le\u0301e 77"
    user = server.user(password=composed)
    assert log_in(server, user.email, decomposed).status_code == 200


def test_wrong_password_and_unknown_address_are_the_same(server, user):
    known = log_in(server, user.email, "not the password")
    unknown = log_in(server, "nobody@example.com", "not the password")
    refusal(known, 401, "invalid_credentials")
    assert known.content == unknown.content
    differing = {"date", "x-request-id"}

    def shown(answer):
        return {k.lower(): v for k, v in answer.headers.items() if k.lower() not in differing}

    assert shown(known) == shown(unknown)


@pytest.mark.parametrize("password", ["", "a", "12345", "p" * 257, "p" * 5000, "nul\0nul\0nul", "\ud83d\ude00" * 4])
def test_odd_passwords_are_the_same_refusal_for_all(server, user, password):
    known, unknown = log_in(server, user.email, password), log_in(server, "nobody@example.com", password)
    assert known.status_code in (400, 401)
    refusal(known, known.status_code)
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"email": "a@example.com"}',
        b'{"password": "x"}',
        b'{"email": 1, "password": "x"}',
        b'{"email": null, "password": null}',
        b'{"email": ["a"], "password": {"b": 1}}',
        b"\xff\xfe\x00",
        b"[" * 5000,
    ],
)
def test_malformed_login(server, body):
    answer = server.post("/v1/log_in", data=body, headers={"Content-Type": "application/json"})
    refusal(answer, 400)


def test_unknown_fields_change_nothing(server, user):
    body = {"email": user.email, "password": user.password, "access_level": "admin", "user_id": "1"}
    answer = server.post("/v1/log_in", json=body)
    assert answer.status_code == 200
    assert (answer.json()["access_level"], answer.json()["user_id"]) == ("member", user.id)


def test_disabled_user_is_told_so_only_with_the_right_password(server, user):
    server.cli("user", "disable", user.email)
    refusal(log_in(server, user.email, user.password), 403)
    refusal(log_in(server, user.email, "not the password"), 401, "invalid_credentials")


def test_second_factor_owed(server):
    user, _ = wires.user_with_key(server)
    refusal(log_in(server, user.email, user.password), 403)
    refusal(log_in(server, user.email, "not the password"), 401, "invalid_credentials")


def test_wrong_method(server):
    answer = server.get("/v1/log_in")
    assert answer.status_code in (404, 405)
    assert set(answer.json()) == ERROR_FIELDS


# Log out: the three ways in which the session comes back


@pytest.mark.parametrize("end", [e for e in wires.ENDERS.values() if "kalshi_" in e.__name__], ids=lambda e: e.__name__)
def test_every_way_of_carrying_the_session(server, user, end):
    token = wires.kalshi(server, user)
    assert end(server, user, token) == 204
    assert end(server, user, token) == 401
    assert wires.honoured(server, token) == wires.NOWHERE


def test_logout_answer_is_empty_and_takes_the_cookie_away(server, user):
    caller = server.http()
    caller.post("/v1/log_in", json={"email": user.email, "password": user.password})
    assert caller.cookies.get("sessions")
    answer = caller.post("/v1/log_out")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not caller.cookies.get("sessions")
    refusal(caller.post("/v1/log_out"), 401)


def test_logout_bears_the_empty_json_body_that_clients_send(server, user):
    token = wires.kalshi(server, user)
    headers = {**wires.bearer(token), "Content-Type": "application/json"}
    assert server.post("/v1/log_out", headers=headers, data=b"").status_code == 204


@pytest.mark.parametrize("prefix", ["", "Bearer "])
def test_a_pair_with_somebody_elses_user_id(server, user, prefix):
    token, other = wires.kalshi(server, user), server.user()
    for wrong in (other.id, "nobody", "0", user.username):
        refusal(server.post("/v1/log_out", headers={"Authorization": f"{prefix}{wrong} {token}"}), 401)
    assert wires.honoured(server, token) == wires.EVERYWHERE


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b c",
        "Basic dTpw",
        "x" * 20000,
        "Bearer " + "A" * 43,
        "\u00e9",
        "bearer null",
        "Bearer undefined",
    ],
)
def test_worthless_headers(server, value):
    answer = server.post("/v1/log_out", headers={"Authorization": value.encode()})
    assert answer.status_code in (400, 401, 431)
    if answer.status_code != 431:
        refusal(answer, answer.status_code)


def test_logout_with_nothing(server):
    refusal(server.post("/v1/log_out"), 401)


def test_logout_with_a_half_session(server):
    user, _ = wires.user_with_key(server)
    token = wires.kraken(server, user)
    assert wires.end_kalshi_cookie(server, user, token) == 204
    assert wires.end_kalshi_cookie(server, user, token) == 401


def test_a_foreign_page_cannot_use_the_cookie(server, user):
    token = wires.kalshi(server, user)
    for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = server.post("/v1/log_out", headers={**wires.cookie(server, "kalshi", token), **foreign})
        assert answer.status_code in (400, 401, 403), foreign
    assert wires.honoured(server, token) == wires.EVERYWHERE


# Reset


def test_reset_says_the_same_to_known_and_unknown(server, user):
    known, unknown = request_reset(server, user.email), request_reset(server, "nobody-at-all@example.com")
    assert set(known.headers) == set(unknown.headers)
    server.mail.wait(user.email, mailbox_reader.link_with("code"))
    assert not server.mail.messages("nobody-at-all@example.com")


def test_reset_by_the_mailed_link(server, user):
    tokens = [wires.kalshi(server, user), wires.kraken(server, user)]
    query = reset_query(server, user)
    assert query["user_id"] == user.id
    fresh = new_password()
    answer = confirm(server, query["code"], query["user_id"], fresh)
    assert (answer.status_code, answer.content) == (204, b"")
    refusal(log_in(server, user.email, user.password), 401)
    assert log_in(server, user.email, fresh).status_code == 200
    assert all(wires.honoured(server, token) == wires.NOWHERE for token in tokens)
    refusal(confirm(server, query["code"], query["user_id"], new_password()), 400)
    assert log_in(server, user.email, fresh).status_code == 200


def test_opening_the_link_spends_nothing(server, user):
    find = mailbox_reader.link_with("code", "user_id")
    link = server.mail.after(lambda: request_reset(server, user.email), user.email, find)
    for _ in range(3):
        page = server.get(link)
        assert page.status_code == 200
        assert "text/html" in page.headers["Content-Type"]
        assert page.headers.get("Referrer-Policy") in ("no-referrer", "strict-origin")
        assert server.call("HEAD", link).status_code == 200
    query = mailbox_reader.query_of(link)
    assert confirm(server, query["code"], query["user_id"], new_password()).status_code == 204


def test_a_code_with_anothers_user_id_is_refused_and_lives(server, user):
    query, other = reset_query(server, user), server.user()
    for wrong in (other.id, "", "x", "0" * 36):
        refusal(confirm(server, query["code"], wrong, new_password()), 400)
    assert log_in(server, other.email, other.password).status_code == 200
    assert confirm(server, query["code"], user.id, new_password()).status_code == 204


@pytest.mark.parametrize("weak", ["", "abc", "12345", "1234567", "password", "aaaaaaaaaaaa", "p" * 257])
def test_a_refused_password_leaves_the_code(server, user, weak):
    query = reset_query(server, user)
    body = refusal(confirm(server, query["code"], user.id, weak), 400)
    assert body["details"] or body["message"]
    assert log_in(server, user.email, user.password).status_code == 200
    assert confirm(server, query["code"], user.id, new_password()).status_code == 204


def test_the_users_own_data_is_no_password(server, user):
    query = reset_query(server, user)
    for weak in (user.username, user.email):
        refusal(confirm(server, query["code"], user.id, weak), 400)


def test_a_new_request_replaces_the_older_code(server, user):
    old, new = reset_query(server, user), reset_query(server, user)
    refusal(confirm(server, old["code"], user.id, new_password()), 400)
    assert confirm(server, new["code"], user.id, new_password()).status_code == 204


@pytest.mark.parametrize("code", ["x", "%00", "%2e%2e%2f", "a" * 3000, "%F0%9F%98%80", "' OR 1=1 --", "A" * 43])
def test_worthless_codes(server, user, code):
    refusal(confirm(server, code, user.id, new_password()), 400)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"password": "x"}', b'{"user_id": "x"}', b'{"password": 1, "user_id": 2}']
)
def test_malformed_confirmation_leaves_the_code(server, user, body):
    query = reset_query(server, user)
    path = f"/v1/passwords/reset/{query['code']}/confirm"
    refusal(server.call("PUT", path, data=body, headers={"Content-Type": "application/json"}), 400)
    assert confirm(server, query["code"], user.id, new_password()).status_code == 204


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"email": 1}', b'{"email": null}'])
def test_malformed_reset(server, body):
    refusal(server.post("/v1/passwords/reset", data=body, headers={"Content-Type": "application/json"}), 400)


def test_reset_neither_revives_nor_bypasses(server):
    disabled = server.user()
    query = reset_query(server, disabled)
    server.cli("user", "disable", disabled.id)
    confirm(server, query["code"], disabled.id, disabled.password + " more")
    assert log_in(server, disabled.email, disabled.password + " more").status_code in (401, 403)
    keyed, _ = wires.user_with_key(server)
    query, fresh = reset_query(server, keyed), new_password()
    assert confirm(server, query["code"], keyed.id, fresh).status_code == 204
    refusal(log_in(server, keyed.email, fresh), 403)


def test_links_are_built_from_the_public_url_alone(server, user):
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example;proto=https",
    }
    find = mailbox_reader.link_with("code", "user_id")
    request_reset(server, user.email)
    server.mail.wait(user.email, find)
    server.post("/v1/passwords/reset", json={"email": user.email}, headers=headers)
    for message in server.mail.messages(user.email):
        assert "evil.example" not in message.as_string()
    assert all(link.startswith(server.url) for link in server.mail.found(user.email, find))
