"""Who calls. Credentials are put in when a request is sent, not when it is made up: many calls here end the session that they come with."""

from dataclasses import dataclass

from requests.auth import AuthBase


@dataclass
class Bearer(AuthBase):
    """A token, as most APIs carry it."""

    token: str

    def __call__(self, request):
        request.headers["Authorization"] = "Bearer " + self.token
        return request


@dataclass
class Cookie(AuthBase):
    """A token, as kraken carries it."""

    token: str

    def __call__(self, request):
        request.headers["Cookie"] = "doorward=" + self.token
        return request


@dataclass
class Application(AuthBase):
    """A registered program. A header that the request leaves out on purpose stays out."""

    secrets: dict

    def __call__(self, request):
        request.headers["Authorization"] = "Bearer " + self.secrets["access_token"]
        for header, secret in (("consumerKey", "consumer_key"), ("appId", "app_id")):
            if header in request.headers:
                request.headers[header] = self.secrets[secret]
        return request


class Person(AuthBase):
    """Somebody who signs in anew for each call; somebody else as soon as that one cannot."""

    def __init__(self, server, carry=Bearer, flags=()):
        self.server, self.carry, self.flags = server, carry, flags
        self.user = server.user(*flags)

    def __call__(self, request):
        return self.carry(self._token())(request)

    def _token(self):
        answer = sign_in(self.server, self.user)
        if answer.get("status") != "full":
            self.user = self.server.user(*self.flags)
            answer = sign_in(self.server, self.user)
        return answer["token"]


def sign_in(server, user):
    """What signing in with the password answers."""
    return server.post("/auth/v1/sign-in/password", json={"identifier": user.email, "password": user.password}).json()


def caller(document, server):
    """Who makes the calls of a document."""
    if document == "kotak":
        return Application(server.app())
    if document == "kraken":
        return Person(server, Cookie)
    return Person(server, flags=("--admin",) if document == "admin" else ())
