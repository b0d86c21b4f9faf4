"""A crowd that signs in and out, changes passwords and asks for mails, and writes down what was acknowledged."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import requests

import wires
from harness import new_password, until
from kotak_client import KotakClient

# How long the server under test takes for a request at most, by its default, and how much a busy machine may add.
DEADLINE, SLACK = 10, 2


@dataclass(frozen=True)
class Answer:
    """One request as its sender saw it."""

    what: str
    node: int
    began: float
    ended: float
    status: int
    retry_after: str | None

    @property
    def seconds(self):
        """How long it took."""
        return self.ended - self.began


def tells_to_come_back(what, path, answer):
    """Whether an answer is the API's word for a server that cannot just now."""
    if path.startswith(wires.KRAKEN):  # has one status for all that is not the client's fault, and a number for the store
        return answer.status_code in (500, 503) and "Retry-After" in answer.headers
    return answer.status_code in ((503, 504) if what == "kotak" else (503,))


class Unavailable(Exception):
    """The answer was that the server cannot just now: nothing is known of what was asked."""


class Person:
    """One of the crowd: a thread that takes turns until it is told to stop."""

    def __init__(self, crowd, user):
        self.crowd, self.user, self.dice = crowd, user, random.Random(user.username)
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.thread = threading.Thread(target=self.live, daemon=True)

    def live(self):
        """Turn after turn; after an answer of 503 a moment of patience, much shorter than what is asked for."""
        while not self.crowd.stopping.is_set():
            try:
                self.turn()
            except Unavailable:
                self.crowd.stopping.wait(0.05)
            except Exception as error:  # noqa: BLE001
                self.crowd.errors.append(f"{time.monotonic():.3f} {type(self).__name__}: {error!r}"[:600])
                self.crowd.stopping.wait(0.05)

    def call(self, what, method, path, wanted, **kwargs):
        """One request to a node by lot; the answer if it is the one wanted."""
        number = self.dice.randrange(len(self.crowd.nodes))
        began = time.monotonic()
        url = f"http://127.0.0.1:{self.crowd.nodes[number].port}{path}"
        answer = self.http.request(method, url, timeout=DEADLINE + 3 * SLACK, allow_redirects=False, **kwargs)
        seen = Answer(what, number, began, time.monotonic(), answer.status_code, answer.headers.get("Retry-After"))
        self.crowd.answers.append(seen)
        if answer.status_code == wanted:
            return answer
        if tells_to_come_back(what, path, answer):
            raise Unavailable
        raise AssertionError(f"{what} on node {number}: {answer.status_code} {answer.text[:200]}")

    def sign_in(self, password):
        """A token from our own API."""
        body = {"identifier": self.user.email, "password": password}
        return self.call("sign-in", "POST", "/auth/v1/sign-in/password", 200, json=body).json()["token"]

    def turn(self):
        """One thing that a person does."""
        raise NotImplementedError


class Visitor(Person):
    """Signs in through one API or another, has the session checked, signs out of some."""

    def __init__(self, crowd, user):
        super().__init__(crowd, user)
        self.alive, self.ended, self.unsure = set(), set(), set()

    def turn(self):
        token = self.dice.choice((self.native, self.kalshi, self.kraken, self.kestra))()
        self.alive.add(token)
        for _ in range(3):
            self.call("check", "GET", "/auth/v1/session", 200, headers=wires.bearer(token))
        if self.dice.random() < 0.6:
            self.alive.discard(token)
            self.unsure.add(token)
            self.call("sign-out", "DELETE", "/auth/v1/session", 204, headers=wires.bearer(token))
            self.unsure.discard(token)
            self.ended.add(token)

    def native(self):
        return self.sign_in(self.user.password)

    def kalshi(self):
        body = {"email": self.user.email, "password": self.user.password}
        return self.call("sign-in", "POST", "/v1/log_in", 200, json=body).json()["token"]

    def kraken(self):
        body = {"username": self.user.username, "password": self.user.password}
        return wires.only_cookie(self.call("sign-in", "POST", wires.KRAKEN + "/login", 200, json=body))[1]

    def kestra(self):
        body = {"username": self.user.username, "password": self.user.password}
        return wires.only_cookie(self.call("sign-in", "POST", "/login", 200, data=body))[1]


class Changer(Person):
    """Changes the password again and again, until an answer leaves it unsure which one holds."""

    def __init__(self, crowd, user):
        super().__init__(crowd, user)
        self.good, self.old, self.perhaps = user.password, [], None

    def turn(self):
        token = self.sign_in(self.good)
        if self.perhaps:
            return
        self.perhaps = new_password()
        body = {"current_password": self.good, "new_password": self.perhaps}
        self.call("password", "POST", "/auth/v1/password", 200, json=body, headers=wires.bearer(token))
        self.old.append(self.good)
        self.good, self.perhaps = self.perhaps, None

    def live(self):
        """Ends with the first answer that leaves it unsure: what follows is known to nobody."""
        while not self.crowd.stopping.is_set() and not self.perhaps:
            try:
                self.turn()
            except Unavailable:
                self.crowd.stopping.wait(0.05)
            except Exception as error:  # noqa: BLE001
                self.crowd.errors.append(f"{time.monotonic():.3f} Changer: {error!r}"[:600])
                return


class Forgetful(Person):
    """Asks for mails."""

    def __init__(self, crowd, user):
        super().__init__(crowd, user)
        self.promised = 0

    def turn(self):
        ask = self.dice.choice((self.native, self.kalshi))
        ask()
        self.promised += 1
        self.crowd.stopping.wait(0.02)

    def native(self):
        self.call("mail", "POST", "/auth/v1/recovery", 202, json={"identifier": self.user.email})

    def kalshi(self):
        self.call("mail", "POST", "/v1/passwords/reset", 202, json={"email": self.user.email})


class Trader(Person):
    """Takes the first step of kotak, whose refusals have words of their own."""

    def turn(self):
        headers = KotakClient(self.crowd.nodes[0], self.crowd.app, self.user.username, connect=False).headers()
        body = {"userid": self.user.username, "password": self.user.password}
        self.call("kotak", "POST", "/apim/session/1.0/session/login/userid", 200, headers=headers, json=body)
        self.crowd.stopping.wait(0.05)


class Crowd:
    """All of them, on some nodes. Also asks each node many times a second whether it is ready."""

    def __init__(self, nodes, visitors=4, changers=3, forgetful=2, traders=1):
        self.nodes, self.answers, self.errors = nodes, [], []
        self.readiness = []
        self.stopping = threading.Event()
        self.app = nodes[0].app()
        kinds = [Visitor] * visitors + [Changer] * changers + [Forgetful] * forgetful + [Trader] * traders
        with ThreadPoolExecutor(4) as pool:
            users = list(pool.map(lambda n: nodes[n % len(nodes)].user(), range(len(kinds))))
        self.people = [kind(self, user) for kind, user in zip(kinds, users)]
        self.watchers = [threading.Thread(target=self.watch, args=(n,), daemon=True) for n in range(len(nodes))]

    def of(self, kind):
        """The people of a kind."""
        return [person for person in self.people if isinstance(person, kind)]

    def watch(self, number):
        """Asks a node whether it is ready, again and again."""
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                status = requests.get(f"http://127.0.0.1:{self.nodes[number].port}/health/ready", timeout=DEADLINE).status_code
            except requests.RequestException as error:
                self.errors.append(f"readiness of node {number}: {error!r}"[:300])
                status = 0
            self.readiness.append(Answer("ready", number, began, time.monotonic(), status, None))
            self.stopping.wait(0.05)

    def start(self):
        """Begins, and waits until everything has been acknowledged at least a few times."""
        for thread in [person.thread for person in self.people] + self.watchers:
            thread.start()
        for what in ("sign-in", "check", "sign-out", "password", "mail", "kotak"):
            self.until_done(what, 0, 5)
        return self

    def done(self, what, since):
        """The successes of one kind that began after a moment."""
        return [a for a in list(self.answers) if a.what == what and a.began >= since and a.status < 300]

    def until_done(self, what, since, count=1, seconds=60):
        """Those, as soon as there are `count`."""
        return until(
            lambda: len(got := self.done(what, since)) >= count and got, f"{count} of {what}; {self.errors[-3:]}", seconds
        )

    def stop(self):
        """Ends, and checks what must hold of every request, whatever happened."""
        self.stopping.set()
        for thread in [person.thread for person in self.people] + self.watchers:
            thread.join(DEADLINE + 5 * SLACK)
            assert not thread.is_alive(), "a request hangs"
        assert not self.errors, f"{len(self.errors)} wrong answers, the first: {self.errors[:8]}"
        late = [a for a in self.answers + self.readiness if a.seconds > DEADLINE + SLACK]
        assert not late, f"{len(late)} answers after the deadline, such as {late[:3]}"
        mute = [a for a in self.answers if a.status >= 500 and not (a.retry_after or "").isdigit()]
        assert not mute, f"{len(mute)} refusals without Retry-After, such as {mute[:3]}"

    def tally(self):
        """How many answers of which kind."""
        return dict(Counter(f"{a.what} {a.status}" for a in self.answers))

    def refused(self, since, until_then):
        """The requests that were told to come back later, of those that began in a span of time."""
        return [a for a in self.answers if since <= a.began <= until_then and a.status >= 500]

    def said_ready(self, since, until_then):
        """The answers of readiness that came from requests which began in a span of time."""
        return [a.status for a in self.readiness if since <= a.began <= until_then]

    def recovery(self, since):
        """For each node, the seconds from a moment to the first sign-in that succeeded after it, and to the last refusal."""
        firsts, lasts = [], []
        for number in range(len(self.nodes)):
            good = [a.ended for a in self.done("sign-in", since) if a.node == number]
            bad = [a.ended for a in self.answers if a.node == number and a.began >= since and a.status >= 500]
            firsts.append(min(good, default=float("inf")) - since)
            lasts.append(max(bad, default=since) - since)
        return firsts, lasts

    # Afterwards

    def check_kept(self, post):
        """Everything that was acknowledged is there, on every node. Says how much that was."""
        lost, revived, wrong = [], [], []
        for node in self.nodes:
            for person in self.of(Visitor):
                lost += [token for token in person.alive if not wires.by_native_bearer(node, token)]
                revived += [token for token in person.ended if wires.by_native_bearer(node, token)]
            wrong += [person.user.username for person in self.of(Changer) if not self.password_holds(node, person)]
        alive, ended = (sum(len(getattr(p, name)) for p in self.of(Visitor)) for name in ("alive", "ended"))
        changes = sum(len(person.old) for person in self.of(Changer))
        assert alive and ended and changes
        assert not lost and not revived, f"{len(lost)} of {alive} sessions lost, {len(revived)} of {ended} revived"
        assert not wrong, f"acknowledged passwords do not hold: {wrong}"
        for person in self.of(Forgetful):
            assert person.promised
            post.wait(person.user.email, lambda message: message, person.promised, seconds=60)
        return {"sessions": alive, "sign_outs": ended, "passwords": changes, "mails": sum(p.promised for p in self.of(Forgetful))}

    @staticmethod
    def password_holds(node, person):
        """Whether the last password that was acknowledged opens, and the one before does not."""

        def opens(password):
            body = {"identifier": person.user.email, "password": password}
            return node.post("/auth/v1/sign-in/password", json=body).status_code == 200

        return any(opens(p) for p in (person.good, person.perhaps) if p) and not any(map(opens, person.old[-1:]))
