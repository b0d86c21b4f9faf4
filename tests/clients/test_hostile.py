"""Every endpoint against requests that nobody honest sends: the dialect's own error, no fault, and nothing changes."""

import http.client
import json
import socket
from dataclasses import dataclass

import pytest

import wires

JSON = {"Content-Type": "application/json"}
ENDPOINTS = [
    ("POST", "/v1/log_in"),
    ("POST", "/v1/log_out"),
    ("POST", "/v1/passwords/reset"),
    ("PUT", "/v1/passwords/reset/x/confirm"),
    ("POST", "/trade-api/v2/login"),
    ("POST", "/trade-api/v2/logout"),
    ("POST", "/api/v1/auth/login"),
    ("GET", "/api/v1/auth/logout"),
    ("GET", "/api/v1/auth/test"),
    ("POST", "/api/v1/auth/startRegister"),
    ("POST", "/api/v1/auth/finishRegister"),
    ("POST", "/api/v1/auth/startAuth"),
    ("POST", "/api/v1/auth/finishAuth"),
    ("GET", "/api/v1/auths"),
    ("GET", "/api/v1/forgotten-password"),
    ("POST", "/api/v1/reset-password"),
    ("GET", "/api/v1/request-code/x"),
    ("POST", "/api/v1/invitation/accept/x"),
    ("POST", "/api/v1/invitation/create/x"),
    ("POST", "/login"),
    ("GET", "/apim/session/1.0/session/init"),
    ("POST", "/apim/session/1.0/session/login/userid"),
    ("POST", "/apim/session/1.0/session/2FA/accesscode"),
    ("POST", "/apim/session/1.0/session/2FA/oneTimeToken"),
    ("DELETE", "/apim/session/1.0/session/logout"),
    ("POST", "/auth/v1/sign-in/password"),
    ("GET", "/auth/v1/session"),
    ("DELETE", "/auth/v1/session"),
]
IDS = [f"{method} {path}" for method, path in ENDPOINTS]

BODIES = {
    "empty": b"",
    "not JSON": b"{'a': 1}",
    "cut off": b'{"email": "a',
    "no object": b"[1, 2]",
    "a word": b'"x"',
    "nothing": b"null",
    "no fields": b"{}",
    "wrong types": json.dumps(
        {n: {"a": [1]} for n in ("email", "password", "username", "userid", "token", "id", "name", "identifier")}
    ).encode(),
    "nulls": json.dumps(
        {n: None for n in ("email", "password", "username", "userid", "token", "id", "name", "identifier")}
    ).encode(),
    "deep": b'{"a":' * 20000 + b"1" + b"}" * 20000,
    "deep array": b"[" * 100000,
    "twice the same": b'{"email": "a", "email": "b", "password": "x", "password": "y", "username": "a", "username": "b"}',
    "NUL": b'{"email": "a\\u0000b", "username": "a\\u0000b", "userid": "\\u0000", "identifier": "\\u0000", "password": "\\u0000\\u0000\\u0000"}',
    "half a character": b'{"email": "\\ud800", "username": "\\ud800", "userid": "\\ud800", "identifier": "\\ud800", "password": "x"}',
    "not text": bytes(range(128, 256)) * 4,
    "long": json.dumps({n: "x" * 100_000 for n in ("email", "password", "username", "userid", "token", "identifier")}).encode(),
    "too long": json.dumps(
        {n: "x" * 1_100_000 for n in ("email", "password", "username", "userid", "token", "identifier")}
    ).encode(),
}


def in_own_words(path, answer):
    """Whether an error is written as the dialect at that path writes them."""
    body = answer.json()
    if path.startswith(("/v1/", "/trade-api/")):
        return set(body) == {"code", "message", "details", "service"}
    if path.startswith("/api/v1/auth/"):
        return set(body) == {"status_code", "message"}
    if path.startswith("/apim/"):
        return set(body) == {"fault"}
    if path.startswith("/auth/v1/"):
        return answer.headers["Content-Type"].startswith("application/problem+json") and "type" in body
    return set(body) == {"message", "_embedded"}


def sound(path, answer, what):
    """A refusal in the dialect's words, or a success that the contract grants to anybody."""
    assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code >= 400 or path in (
        "/api/v1/auths",
        "/api/v1/forgotten-password",
        "/api/v1/request-code/x",
        "/api/v1/auth/logout",
        "/apim/session/1.0/session/init",
    ), f"{what}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400:
        assert in_own_words(path, answer), f"{what}: {answer.status_code} {answer.text[:300]}"


@pytest.fixture(scope="module")
def application(server):
    """So that requests to kotak get past its first door."""
    made = server.app()
    return {
        "Authorization": "Bearer " + made["access_token"],
        "consumerKey": made["consumer_key"],
        "appId": made["app_id"],
        "ip": "x",
    }


def headers_for(path, application):
    return {**application, "userid": "x", "oneTimeToken": "x", "sessionToken": "x"} if path.startswith("/apim/") else {}


@pytest.mark.parametrize(("method", "path"), ENDPOINTS, ids=IDS)
def test_bodies(server, application, method, path):
    with server.http(**headers_for(path, application)) as caller:
        for what, body in BODIES.items():
            try:
                sound(path, caller.request(method, path, data=body, headers=JSON), what)
            except ConnectionError:
                assert what == "too long"
    assert server.is_ready()


@pytest.mark.parametrize(("method", "path"), ENDPOINTS, ids=IDS)
def test_content_types_and_methods(server, application, method, path):
    with server.http(**headers_for(path, application)) as caller:
        for content_type in (
            "text/plain",
            "application/xml",
            "multipart/form-data",
            "application/json; charset=utf-16",
            "x" * 1000,
            "application/json, text/plain",
        ):
            sound(path, caller.request(method, path, data=b'{"x": 1}', headers={"Content-Type": content_type}), content_type)
        for other in {"GET", "POST", "PUT", "DELETE", "PATCH"} - {method}:
            if (other, path) not in ENDPOINTS and path != "/login":
                answer = caller.request(other, path, data=b"{}", headers=JSON)
                assert 400 <= answer.status_code < 500, f"{other} {path}: {answer.status_code}"


LATE = [
    "%00",
    "%ff%fe",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "a" * 8000,
    "%F0%9F%98%80" * 50,
    "' OR ''='",
    "%0d%0aX-Injected:%201",
    "{}",
    "*",
]


@pytest.mark.parametrize(
    "before", ["/api/v1/request-code/", "/api/v1/invitation/create/", "/api/v1/invitation/accept/", "/v1/passwords/reset/"]
)
def test_path_parameters(server, before):
    method = {"/api/v1/request-code/": "GET", "/v1/passwords/reset/": "PUT"}.get(before, "POST")
    after = "/confirm" if before.startswith("/v1") else ""
    body = {"firstName": "a", "lastName": "b", "password": "long enough 7 quartz", "user_id": "x"}
    for value in LATE:
        answer = server.call(method, before + value + after, json=body)
        assert answer.status_code < 500, value
        assert "X-Injected" not in answer.headers


@dataclass
class RawAnswer:
    """What came for bytes as they stood; of the same names as an answer of requests."""

    status_code: int
    headers: http.client.HTTPMessage
    text: str

    def json(self):
        return json.loads(self.text)


def raw(server, text):
    """Sends bytes as they stand and reads one answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(text)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return RawAnswer(answer.status, answer.headers, answer.read().decode())


HOST = b"Host: localhost\r\n"
HEADS = {
    "too large": HOST + b"X: " + b"x" * 70_000 + b"\r\n",
    "very large": HOST + b"X: " + b"x" * 3_000_000 + b"\r\n",
    "too many headers": HOST + b"X: y\r\n" * 101,
    "two lengths": HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n",
    "another coding": HOST + b"Transfer-Encoding: gzip\r\n",
    "a NUL": HOST + b"X: a\0b\r\n",
    "no name": HOST + b": x\r\n",
    "no host": b"",
    "two hosts": HOST + HOST,
    "no such host": b"Host: a b\r\n",
}


@pytest.mark.parametrize(("method", "path"), ENDPOINTS, ids=IDS)
def test_heads(server, method, path):
    for what, rest in HEADS.items():
        answer = raw(server, f"{method} {path} HTTP/1.1\r\n".encode() + rest + b"\r\n")
        own = path.startswith("/auth/v1/") and ("large" in what or "many" in what)
        assert answer.status_code == (431 if own else 400), f"{what}: {answer}"
        assert in_own_words(path, answer), f"{what}: {answer}"
        # One request id for the client and for the operator.
        assert len(answer.headers.get_all("X-Request-Id")) == 1, f"{what}: {answer}"
        assert answer.headers["X-Request-Id"] in server.log(), f"{what}: {answer}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff", f"{what}: {answer}"


def test_a_broken_head_spoils_no_answer_before_it(server):
    """Two requests sent as one: the first is answered as if it were alone, the second refused, and that is the end."""
    first = b"GET /api/v1/auths HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(first + first + b"GET /api/v1/auths HTTP/1.1\r\nX: a\0b\r\n\r\n" + first)
        stream = b""
        while part := line.recv(65536):
            stream += part
    assert [part[:3] for part in stream.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"400"]


@pytest.mark.parametrize(
    "text",
    [
        b"GET /auth/v1/session HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
        b"POST /v1/log_in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /v1/log_in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /auth/v1/session HTTP/1.1\r\n\r\n",
        b"GET http://evil.example/auth/v1/session HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /auth/v1/session HTTP/1.1\r\nHost: x\r\nCookie: " + b"a=b; " * 3000 + b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_raw_requests(server, text):
    answer = raw(server, text)
    assert 400 <= answer.status_code < 500 and answer.headers["X-Request-Id"], answer
    assert answer.json(), answer
    assert server.is_ready()


def test_two_tokens_are_none(server, user):
    """A request that carries two different sessions in one place is not half right."""
    token = wires.native(server, user)
    request = f"GET /auth/v1/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n"
    assert raw(server, request.encode()).status_code in (400, 401)


def test_nothing_changed_and_memory_stays_flat(server, application):
    """A thousand large refused bodies later the process is no fatter than such a process may be."""
    user = server.user()
    body = b'{"email": "' + b"x" * 900_000 + b'", "password": "x"}'

    def resident():
        with open(f"/proc/{server.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * 4096

    with server.http() as caller:
        for _ in range(50):
            caller.post("/v1/log_in", data=body, headers=JSON)
        before = resident()
        for _ in range(300):
            caller.post("/v1/log_in", data=body, headers=JSON)
    assert resident() - before < 32 << 20
    assert wires.honoured(server, wires.native(server, user)) == wires.EVERYWHERE
