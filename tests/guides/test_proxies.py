"""Forward authentication with real proxies, set up as docs/guides/behind-a-proxy.md has it, before an app that keeps what reaches it."""

import html
import http.client
import json
import re
import signal

import pytest
import requests

import guide
import mailbox_reader
import totp
from echo import Echo
from mailbox_reader import Mailbox
from proxies import PROXIES

PASSWORD = "correct horse battery 9!"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
IDENTITY = {
    "x-doorward-user-id",
    "x-doorward-username",
    "x-doorward-email",
    "x-doorward-email-verified",
    "x-doorward-role",
    "x-doorward-assurance-level",
}


# A path that needs a session, and one that does not.
CHECKED, PUBLIC = "/", "/enter"


class Front:
    """Doorward and the app behind one proxy."""

    def __init__(self, reader, proxy):
        self.reader, self.name, blocks = reader, proxy, guide.read("behind-a-proxy.md")
        for block in blocks:
            match block.test:
                case ["save", _]:
                    reader.do(block)
                case ["serve", url] if "doorward" in block.text:
                    self.doorward = reader.serve(block.text.split(), reader.here(url))
        self.app = Echo(reader.ports["9000"])
        reader.stack.callback(self.app.dispose)
        for block in blocks:
            if block.test == [proxy]:
                reader.do(block, proxy)
        self.url, self.port = reader.url("8000"), int(reader.ports["8000"])

    def user(self, name="ann", flags=""):
        """A new user's id."""
        made = self.reader.run(
            f"printf '%s\\n' '{PASSWORD}' | ./target/release/doorward user create --email '{name}@example.org' "
            f"--username '{name}' --password-stdin --json {flags}"
        )
        return json.loads(made)["id"]

    def sign_in(self, name="ann", **headers):
        """The answer to a sign-in through the proxy."""
        body = {"identifier": name, "password": PASSWORD}
        answer = requests.post(self.url + "/auth/v1/sign-in/password", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def own(self, method, path, token, **kwargs):
        """A call of Doorward's own API through the proxy."""
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, self.url + "/auth/v1" + path, headers=headers, timeout=30, **kwargs)

    def send(self, target, method="GET", headers=(), body=None, token=None):
        """A request with exactly this target and these headers; the answer, read to its end."""
        line = http.client.HTTPConnection("localhost", self.port, timeout=30)
        line.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items() if isinstance(headers, dict) else headers:
            line.putheader(name, value)
        if token:
            line.putheader("Cookie", f"doorward={token}")
        if body is not None:
            line.putheader("Content-Length", str(len(body)))
        line.endheaders(body)
        answer = line.getresponse()
        answer.text = answer.read().decode(errors="replace")
        line.close()
        return answer


@pytest.fixture(params=PROXIES)
def front(reader, request):
    return Front(reader, request.param)


def identity(headers):
    """What an app takes for identity headers that reads underscores as hyphens, as many do."""
    return [(name, value) for name, value in headers if name.replace("_", "-").startswith("x-doorward-")]


def cookies(headers):
    """The cookies among these headers, in one line."""
    pairs = [pair.strip() for pair in ";".join(values(headers, "cookie")).split(";")]
    return "; ".join(filter(None, pairs))


def values(headers, wanted):
    return [value for name, value in headers if name == wanted]


def test_the_app_is_told_who_it_is(front):
    ids = {name: front.user(name, flags) for name, flags in [("ann", "--admin"), ("jörg", "--unverified")]}
    for name, escaped, role, verified in [("ann", "ann", "admin", "true"), ("jörg", "j%C3%B6rg", "member", "false")]:
        token = front.sign_in(name)["token"]
        for headers in [{"Cookie": f"doorward={token}"}, {"Authorization": f"Bearer {token}"}]:
            assert front.send("/a%20b?c=d&e", headers=headers).status == 200
            method, target, seen = front.app.last()
            assert (method, target) == ("GET", "/a%20b?c=d&e")
            assert dict(identity(seen)) == {
                "x-doorward-user-id": ids[name],
                "x-doorward-username": escaped,
                "x-doorward-email": f"{escaped}@example.org",
                "x-doorward-email-verified": verified,
                "x-doorward-role": role,
                "x-doorward-assurance-level": "1",
            }
            assert len(identity(seen)) == len(IDENTITY)


def test_the_session_itself_is_not_given_to_the_app(front):
    front.user()
    token = front.sign_in()["token"]
    for cookie, rest in [
        (f"doorward={token}", ""),
        (f"a=1; doorward={token}", "a=1"),
        (f"doorward={token}; b=2", "b=2"),
        (f"a=1; doorward={token}; b=2; xdoorward=3", "a=1; b=2; xdoorward=3"),
        (f"a=1; sessions={token}; b=2; xsessions=3", "a=1; b=2; xsessions=3"),
        (f"a=1;sessions={token};b=2", "a=1; b=2"),
        (f"a=1;  doorward={token};  b=2", "a=1; b=2"),
        (f"doorward={token}; doorward={token}; b=2", "b=2"),
        (f"a=1; doorward={token}; __Host-doorward={token}; b=2; sessions={token}; c=3", "a=1; b=2; c=3"),
    ]:
        for target in (CHECKED, PUBLIC):
            assert front.send(target, headers={"Cookie": cookie}).status == 200, cookie
            seen = front.app.last()[2]
            assert token not in str(seen), cookie
            assert cookies(seen) == rest, cookie
    # nginx takes three away, and of more than that lets no cookie through.
    many = "; ".join(["a=1", *[f"doorward={token}"] * 4])
    for target in (CHECKED, PUBLIC):
        for headers in ([("Cookie", many)], [("Cookie", pair) for pair in many.split("; ")]):
            assert front.send(target, headers=headers).status == 200
            assert token not in str(front.app.last()[2])
            assert cookies(front.app.last()[2]) == {"nginx": "", "caddy": "a=1"}[front.name]
    for target in (CHECKED, PUBLIC):
        assert front.send(target, headers={"Authorization": f"Bearer {token}"}).status == 200
        assert token not in str(front.app.last()[2])


LIE = "0197b3a0-0000-7000-8000-000000000001"
SPELLINGS = [
    *(name for name in IDENTITY),
    *(name.upper() for name in IDENTITY),
    *(name.replace("-", "_") for name in IDENTITY),
    *(name.replace("-", "_", 1) for name in IDENTITY),
    *(name[::-1].replace("-", "_", 1)[::-1] for name in IDENTITY),
]
FORGED = [*([(name, LIE)] for name in SPELLINGS), [(name, LIE) for name in SPELLINGS], [(name, "") for name in SPELLINGS]]


def test_whoever_writes_identity_headers_is_nobody_else_by_it(front):
    ann = front.user()
    token = front.sign_in()["token"]
    for headers in FORGED:
        assert front.send("/", headers=headers, token=token).status == 200
        seen = front.app.last()[2]
        assert LIE not in str(seen), headers
        assert {name for name, _ in identity(seen)} == IDENTITY and len(identity(seen)) == len(IDENTITY)
        assert values(seen, "x-doorward-user-id") == [ann]
        reached = len(front.app.seen)
        assert front.send("/", headers=headers).status == 401
        assert len(front.app.seen) == reached
    # Connection names headers that are between client and proxy; ours are not the client's to name.
    hop = [("Connection", "close, X-Doorward-User-Id, X-Doorward-Role, Cookie"), ("X-Doorward-User-Id", LIE)]
    if front.send("/", headers=hop, token=token).status == 200:
        assert values(front.app.last()[2], "x-doorward-user-id") == [ann]


def test_nobody_has_an_identity_where_the_proxy_does_not_ask(front):
    front.user()
    token = front.sign_in()["token"]
    for headers in FORGED:
        for session in (None, token):
            assert front.send(PUBLIC, headers=headers, token=session).status == 200
            assert identity(front.app.last()[2]) == [], headers
    # Not even after a request that had one, on the same connection.
    line = http.client.HTTPConnection("localhost", front.port, timeout=30)
    for target, known in [(CHECKED, IDENTITY), (PUBLIC, set())]:
        line.request("GET", target, headers={"Cookie": f"doorward={token}"})
        assert line.getresponse().read()
        assert {name for name, _ in identity(front.app.last()[2])} == known
    line.close()


def test_no_session_no_entry(front):
    front.user()
    token = front.sign_in()["token"]
    for headers in [
        {},
        {"Cookie": "doorward=stale"},
        {"Authorization": "Bearer stale"},
        {"Authorization": "Basic YW5uOng=", "Cookie": f"doorward={token}"},
    ]:
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]:
            answer = front.send("/", method=method, headers=headers, body=b"x" if method in ("POST", "PUT") else None)
            assert answer.status == 401, (method, headers)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert front.app.seen == []


def test_a_session_that_has_ended_is_none_with_the_next_request(front):
    front.user()
    token = front.sign_in()["token"]
    assert front.send("/", token=token).status == 200
    assert front.own("DELETE", "/session", token).status_code == 204
    assert front.send("/", token=token).status == 401
    assert len(front.app.seen) == 1


def test_half_a_session_is_worth_nothing(front):
    front.user()
    token = front.sign_in()["token"]
    secret = front.own("POST", "/totp/start", token).json()["secret"]
    assert front.own("POST", "/totp", token, json={"code": totp.code(secret)}).status_code == 201
    half = front.sign_in()
    assert half["second_factor_required"]
    assert front.send("/", token=half["token"]).status == 401
    assert front.send("/", token=half["token"], headers=BROWSER).status == 302
    assert front.app.seen == []
    # The code that enrolled is spent; the next one is taken early.
    full = front.own("POST", "/second-factor/totp", half["token"], json={"code": totp.code(secret, 1)}).json()
    assert front.send("/", token=full["token"]).status == 200
    assert values(front.app.last()[2], "x-doorward-assurance-level") == ["2"]


def test_every_method_passes_with_its_body(front):
    front.user()
    token = front.sign_in()["token"]
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]:
        body = None if method in ("GET", "HEAD", "OPTIONS") else b"x" * 100_000
        assert front.send("/a", method=method, body=body, token=token).status == 200
        seen = front.app.last()
        assert seen[:2] == (method, "/a")
        assert values(seen[2], "content-length") == ([str(len(body))] if body else [])


def test_browsers_are_sent_to_sign_in(front):
    page = front.send("/a?b=c&d=%20", headers=BROWSER)
    back = front.url.replace(":", "%3A").replace("/", "%2F") + "%2Fa%3Fb%3Dc%26d%3D%2520"
    assert (page.status, page.headers["Location"]) == (302, f"{front.url}/sign-in?return_to={back}")
    assert front.send("/a", method="POST", headers=BROWSER, body=b"a=b").status == 401
    assert front.send("/a", headers={"Accept": "application/json"}).status == 401
    assert front.app.seen == []
    # By another name than the operator's, the way leads to the page and not back.
    page = front.send("/a", headers={**BROWSER, "X-Forwarded-Host": "evil.example"})
    assert page.headers["Location"].endswith("%2Fa") and "evil" not in page.headers["Location"]


# What a person is led to; each with what its path goes on with.
PAGES = [
    "/sign-in", "/sign-in/key", "/second-factor", "/sign-out", "/forgotten", "/check-your-mail", "/reset?code=x", "/invitation?id=x",
    "/setup?token=x", "/account", "/account/keys", "/admin", "/admin/users?q=ann", "/assets/doorward.css", "/assets/doorward.js",
]  # fmt: skip
# And what is the app's.
NOT_PAGES = ["/sign-inn", "/accounts", "/administration", "/resets", "/assets/app.css", "/x/sign-in", "/notes/account"]


def test_what_mails_link_to_is_reached_through_the_proxy(front):
    front.user()
    front.reader.run("./target/release/doorward invitation create carol@example.org")
    assert requests.post(front.url + "/auth/v1/recovery", json={"identifier": "ann"}, timeout=30).status_code == 202
    mailbox = Mailbox(front.reader.folder / "data/mail")
    for address, find in [("ann@example.org", mailbox_reader.reset_link), ("carol@example.org", mailbox_reader.link_with("id"))]:
        link = mailbox.wait(address, find)[-1]
        assert link.startswith(front.url + "/")
        page = requests.get(link, headers=BROWSER, timeout=30)
        assert page.status_code == 200 and 'type="password"' in page.text
        style = re.search(r'href="(/assets/[^"]+\.css[^"]*)"', html.unescape(page.text))[1]
        assert requests.get(front.url + style, timeout=30).headers["Content-Type"] == "text/css; charset=utf-8"
    assert front.app.seen == []


def test_people_sign_in_at_doorwards_page_and_come_back(front):
    front.user()
    browser = requests.Session()
    browser.headers.update(BROWSER)
    page = browser.get(front.url + "/a?b=c", timeout=30)
    assert (page.status_code, front.app.seen) == (200, [])
    hidden = dict(re.findall(r'<input type="hidden" name="(csrf|return_to)" value="([^"]*)"', page.text))
    form = {**{name: html.unescape(value) for name, value in hidden.items()}, "identifier": "ann", "password": PASSWORD}
    answer = browser.post(front.url + "/sign-in", data=form, headers={"Origin": front.url}, timeout=30, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{front.url}/a?b=c"), answer.text
    assert browser.get(answer.headers["Location"], timeout=30).status_code == 200
    assert [target for _, target, _ in front.app.seen] == ["/a?b=c"]


def test_doorward_has_its_pages_and_the_app_the_rest(front):
    front.user()
    token = front.sign_in()["token"]
    for target in PAGES:
        assert front.send(target, headers=BROWSER, token=token).headers["x-request-id"], target
        assert front.app.seen == [], target
    for target in NOT_PAGES:
        assert front.send(target, token=token).status == 200
        assert front.app.last()[1] == target


def test_what_the_client_says_of_its_request_changes_nothing(front):
    front.user()
    token = front.sign_in()["token"]
    lies = {
        "X-Original-URL": "https://evil.example/x",
        "X-Forwarded-Uri": "/%2e%2e/x",
        "X-Forwarded-Method": "POST",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-For": "203.0.113.9",
    }
    for headers in [*({name: value} for name, value in lies.items()), lies]:
        assert front.send("/a", headers=headers, token=token).status == 200, headers
        assert front.send("/a", headers=headers).status == 401, headers
        page = front.send("/a", headers={**headers, **BROWSER})
        assert page.status == 302, headers
        assert page.headers["Location"] == front.send("/a", headers=BROWSER).headers["Location"], headers
    assert front.sign_in(**lies)["session"]["address"] == "127.0.0.1"


AMBIGUOUS = [
    "/a/../b", "/../a", "/a/./b", "/a/..", "/%2e%2e/a", "/a/%2E%2e/b", "/a/.%2e/b", "/a%2fb", "/a%5cb", "/a%252fb", "/a%25%32%66b",
    "/a%00", "/a%0d%0ax:y", "/a%zz", "/a%", "/a%c0%ae", "/a\\..\\b", "/a/..;/b", "/a?b=%00", "/a?%zz", "//evil.example/a",
]  # fmt: skip


def test_what_can_be_read_in_two_ways_is_refused_even_with_a_session(front):
    front.user()
    token = front.sign_in()["token"]
    for target in AMBIGUOUS:
        assert front.send(target, token=token).status in (400, 403), target
    assert front.app.seen == []
    assert front.send("/a%20b/..c/d..?e=/../f%2fg", token=token).status == 200


def test_no_way_around_by_the_paths_that_are_open(front):
    for target in [
        "/auth/v1/../../notes", "/auth/v1/%2e%2e/%2e%2e/notes", "/auth/v1/..%2f..%2fnotes", "/enter/../notes", "/enter/%2e%2e/notes",
        "/enter%2f..%2fnotes", "/enter/", "/enter;/../notes", "/account/../notes", "/account/%2e%2e/notes", "/account%2f..%2fnotes",
        "/account;/../notes", "/assets/doorward.css/../../notes", "/assets/doorward.%2f..%2f..%2fnotes", "//notes", "/doorward", "/notes",
    ]:  # fmt: skip
        answer = front.send(target)
        assert answer.status in (400, 401, 403, 404), (target, answer.status)
        assert front.app.seen == [], target
    assert front.send("/enter?return_to=/").status == 200
    assert [seen[1] for seen in front.app.seen] == ["/enter?return_to=/"]


def test_without_doorward_nobody_gets_in(front):
    front.user()
    token = front.sign_in()["token"]
    assert front.send("/", token=token).status == 200
    front.doorward.send_signal(signal.SIGKILL)
    front.doorward.wait(20)
    for headers in ({}, BROWSER):
        assert front.send("/", token=token, headers=headers).status == {"nginx": 500, "caddy": 502}[front.name]
    assert len(front.app.seen) == 1
