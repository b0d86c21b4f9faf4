"""The example app beyond what the guides do with it, and its page to sign in at."""

import contextlib
import json
import signal
import socket
import subprocess

import pytest
import requests

import guide
import totp
from harness import ROOT
from proxies import PROXIES

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


# One request a connection


def exchange(reader, port, sent):
    """All that comes back on one connection, however it ends."""
    got = b""
    with socket.create_connection(("localhost", int(reader.ports[port])), timeout=30) as line:
        line.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while part := line.recv(65536):
                got += part
    return got


def smuggled(user_id):
    """A request in a body, with headers that no proxy has seen."""
    note = b'{"text": "smuggled"}'
    head = (
        f"POST /notes HTTP/1.1\r\nHost: localhost\r\nX-Doorward-User-Id: {user_id}\r\nX-Doorward-Username: ann\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(note)}\r\n\r\n"
    )
    return head.encode() + note


def carriers(inner):
    """Requests that have `inner` where a careless reader begins the next request, and their statuses at the app."""
    junk = b"x" * 10_000
    for method, path, status in [("GET", "/", 200), ("GET", "/enter", 200), ("POST", "/enter", 404), ("POST", "/notes", 401)]:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n".encode()
        yield head + b"Content-Length: %d\r\n\r\n" % len(inner) + inner, status
        yield head + b"Content-Length: %d\r\n\r\n" % len(junk + inner) + junk + inner, 413
        yield head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(inner) + inner + b"\r\n0\r\n\r\n", 501
        for length in [b"x", b"-1", b"+1", b"1_0", b"1, 1", b"", b"0\r\nContent-Length: 1"]:
            yield head + b"Content-Length: " + length + b"\r\n\r\n" + inner, 400
        yield head + b"\r\n" + inner, status


def test_a_connection_has_one_request(reader):
    started(reader, "behind-a-proxy.md")
    for sent, status in carriers(smuggled("1")):
        got = exchange(reader, APP, sent)
        assert got.startswith(b"HTTP/1.0 %d " % status), (sent, got)
        assert got.count(b"HTTP/1.") == 1 and b"\r\nConnection: close\r\n" in got, (sent, got)
    ann = {"X-Doorward-User-Id": "1", "X-Doorward-Username": "ann"}
    assert call(reader, APP, "GET", "/notes", headers=ann).json() == {"user": "ann", "notes": []}


# At the proxy


def behind(reader, proxy):
    """All that is at the proxy, as browsers reach it."""
    started(reader, "behind-a-proxy.md")
    for block in guide.read("behind-a-proxy.md"):
        if block.test == [proxy]:
            reader.do(block, proxy)
    return reader


@pytest.mark.parametrize("proxy", PROXIES)
def test_no_request_gets_around_the_proxy_in_a_body(reader, proxy):
    site = behind(reader, proxy)
    token = sign_in(site, port=PROXY)
    ann = call(site, PROXY, "GET", "/auth/v1/session", token).json()["user"]["id"]
    kept, closed = b"Connection: keep-alive\r\n", b"Connection: close\r\n"
    for sent, _ in carriers(smuggled(ann)):
        for own in (closed, closed + f"Cookie: doorward={token}\r\n".encode()):
            carrier = sent.replace(kept, own)
            exchange(site, PROXY, carrier)
            # Whatever waits on the proxy's connection to the app comes out with the next request.
            assert call(site, PROXY, "GET", "/notes", token).json() == {"user": "ann", "notes": []}, carrier


@pytest.fixture
def site(reader):
    return behind(reader, "nginx")


# The page


def opened(site, query, *steps):
    """What became of the page, opened with this query, after each step."""
    page = ROOT / "examples/notes/sign-in.html"
    served = call(site, PROXY, "GET", "/enter" + query)
    assert served.content == page.read_bytes() and served.headers["X-Frame-Options"] == "DENY"
    command = ["node", ROOT / "tests/guides/page.js", page, site.url(PROXY) + "/enter" + query, json.dumps(steps)]
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
    assert [step["at"] for step in steps] == [f"{site.url(PROXY)}/enter"] * 3 + [f"{site.url(PROXY)}/"]
