"""The example app beyond what the guides do with it, and its page to sign in at."""

import json
import signal
import subprocess

import pytest
import requests

import guide
import totp
from harness import ROOT

PASSWORD = "correct horse battery 9!"
DOORWARD, PROXY, APP = "8080", "8000", "9000"


def started(reader, page):
    """Doorward, its user ann and the app, as a guide starts them; the processes."""
    processes = []
    for block in guide.read(page):
        match block.test:
            case ["save", _]:
                reader.do(block)
            case ["serve", url]:
                processes.append(reader.serve(block.text.split(), reader.here(url)))
    reader.run(
        f"printf '%s\\n' '{PASSWORD}' | ./target/release/doorward user create --email ann@example.org --username ann --password-stdin"
    )
    return processes


@pytest.fixture
def doorward(reader):
    """The process of Doorward, beside which the app checks sessions itself."""
    return started(reader, "in-front-of-my-app.md")[0]


def call(reader, port, method, path, token=None, **kwargs):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.request(method, reader.url(port) + path, headers={**headers, **kwargs.pop("headers", {})}, timeout=30, **kwargs)


def sign_in(reader, name="ann", port=DOORWARD):
    answer = call(reader, port, "POST", "/auth/v1/sign-in/password", json={"identifier": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


def enrol(reader, port=DOORWARD):
    """Gives ann an authenticator app; its secret."""
    token = sign_in(reader, port=port)
    secret = call(reader, port, "POST", "/auth/v1/totp/start", token).json()["secret"]
    assert call(reader, port, "POST", "/auth/v1/totp", token, json={"code": totp.code(secret)}).status_code == 201
    return secret


def test_everybody_has_notes_of_their_own(reader, doorward):
    reader.run(
        f"printf '%s\\n' '{PASSWORD}' | ./target/release/doorward user create --email ben@example.org --username ben --password-stdin"
    )
    ann, ben = sign_in(reader), sign_in(reader, "ben")
    assert call(reader, APP, "POST", "/notes", ann, json={"text": "ann's"}).json() == {"notes": ["ann's"]}
    assert call(reader, APP, "GET", "/notes", ben).json() == {"user": "ben", "notes": []}
    assert call(reader, APP, "GET", "/notes", ann).json() == {"user": "ann", "notes": ["ann's"]}


def test_what_a_form_of_another_site_sends_is_not_taken(reader, doorward):
    token = sign_in(reader)
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""]:
        answer = call(reader, APP, "POST", "/notes", token, data='{"text": "x"}', headers={"Content-Type": kind})
        assert answer.status_code == 400
    for body in ["", "[]", "{}", '{"text": 1}', "x"]:
        answer = call(reader, APP, "POST", "/notes", token, data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
    assert call(reader, APP, "GET", "/notes", token).json()["notes"] == []


def test_half_a_session_and_a_broken_header_are_none(reader, doorward):
    whole = sign_in(reader)
    enrol(reader)
    half = sign_in(reader)
    assert call(reader, APP, "GET", "/notes", half).status_code == 401
    assert call(reader, APP, "GET", "/notes", headers={"Authorization": "x y z", "Cookie": f"doorward={whole}"}).status_code == 401
    assert call(reader, APP, "GET", "/notes", headers={"X-Doorward-User-Id": "1", "X-Doorward-Username": "ann"}).status_code == 401


def test_without_doorward_nobody_gets_in(reader, doorward):
    token = sign_in(reader)
    assert call(reader, APP, "GET", "/notes", token).status_code == 200
    doorward.send_signal(signal.SIGKILL)
    doorward.wait(20)
    assert call(reader, APP, "GET", "/notes", token).status_code == 503


# The page, at the proxy


@pytest.fixture
def site(reader):
    """All that is at the proxy, as browsers reach it."""
    started(reader, "behind-a-proxy.md")
    for block in guide.read("behind-a-proxy.md"):
        if block.test == ["nginx"]:
            reader.do(block, "nginx")
    return reader


def opened(site, query, *steps):
    """What became of the page, opened with this query, after each step."""
    page = ROOT / "examples/notes/sign-in.html"
    served = call(site, PROXY, "GET", "/sign-in" + query)
    assert served.content == page.read_bytes() and served.headers["X-Frame-Options"] == "DENY"
    command = ["node", ROOT / "tests/guides/page.js", page, site.url(PROXY) + "/sign-in" + query, json.dumps(steps)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_page_signs_in_and_leads_back_to_its_own_origin_only(site):
    ann = ("first", {"identifier": "ann", "password": PASSWORD})
    here = site.url(PROXY)
    for query, place in [
        (f"?return_to={here}/notes%3Fpage%3D2", f"{here}/notes?page=2"),
        ("?return_to=/notes", f"{here}/notes"),
        ("", f"{here}/"),
        ("?return_to=https://evil.example/", "/"),
        ("?return_to=//evil.example/", "/"),
        ("?return_to=/%5Cevil.example/", "/"),
        ("?return_to=javascript:alert(1)", "/"),
        (f"?return_to={here}.evil.example/", "/"),
    ]:
        [after] = opened(site, query, ann)
        assert after == {"at": place, "problem": "", "second": False}, query


def test_the_page_says_what_is_wrong_and_asks_for_the_second_factor(site):
    wrong = ("first", {"identifier": "ann", "password": "wrong"})
    ann = ("first", {"identifier": "ann", "password": PASSWORD})
    secret = enrol(site, PROXY)
    steps = opened(site, "", wrong, ann, ("second", {"code": "000000"}), ("second", {"code": totp.code(secret, 1)}))
    assert [step["second"] for step in steps] == [False, True, True, True]
    assert [bool(step["problem"]) for step in steps] == [True, False, True, False]
    assert [step["at"] for step in steps] == [f"{site.url(PROXY)}/sign-in"] * 3 + [f"{site.url(PROXY)}/"]
