"""A rolling restart behind HAProxy: each node in turn is told to stop and started again, and nobody notices."""

import threading
from collections import Counter

import requests

import wires
from figures import record
from haproxy import HaProxy
from harness import until

# Longer than HAProxy takes to see that a node does not want requests any more: two checks, 250 ms apart.
DRAIN = {"DOORWARD_SHUTDOWN_DRAIN": "2s"}


class Guest(threading.Thread):
    """Signs in, has the session checked and signs out, through the balancer; on one connection, or on a new one each time."""

    def __init__(self, url, user, stopping, fresh):
        super().__init__(daemon=True)
        self.url, self.user, self.stopping, self.fresh = url, user, stopping, fresh
        self.done, self.failures, self.line = Counter(), [], None

    def run(self):
        with requests.Session() as self.line:
            self.line.trust_env = False
            while not self.stopping.is_set():
                try:
                    self.turn()
                except Exception as error:  # noqa: BLE001
                    self.failures.append(repr(error)[:300])

    def turn(self):
        body = {"email": self.user.email, "password": self.user.password}
        token = self.call("POST", "/v1/log_in", 200, json=body).json()["token"]
        for _ in range(6):
            self.call("GET", "/auth/v1/session", 200, headers=wires.bearer(token))
        self.call("POST", "/v1/log_out", 204, headers=wires.bearer(token))

    def call(self, method, path, wanted, headers=None, **kwargs):
        headers = {**(headers or {}), **({"Connection": "close"} if self.fresh else {})}
        self.line.cookies.clear()
        answer = self.line.request(method, self.url + path, headers=headers, timeout=20, **kwargs)
        assert answer.status_code == wanted, f"{method} {path}: {answer.status_code} {answer.text[:200]}"
        self.done[path] += 1
        return answer


def test_each_node_is_restarted_in_turn_and_no_request_fails(server_of_databases, database, serve, closing):
    balancer = HaProxy()
    closing.callback(balancer.dispose)
    nodes = serve(server_of_databases.url(database), public_url=balancer.url, env=DRAIN)
    balancer.start(nodes)
    stopping = threading.Event()
    guests = [Guest(balancer.url, nodes[0].user(), stopping, fresh=n % 2 == 1) for n in range(8)]
    for guest in guests:
        guest.start()
    total = lambda: sum(sum(guest.done.values()) for guest in guests)  # noqa: E731
    until(lambda: all(guest.done["/v1/log_out"] for guest in guests), "everybody has been served")
    try:
        for _ in range(2):
            for number, node in enumerate(nodes):
                assert node.stop() == 0
                before = total()
                until(lambda b=before: total() > b + 50, "the other node serves alone")
                node.start()
                until(lambda n=number: balancer.state(n) == "UP", f"node {number} is back")
                before = total()
                until(lambda b=before: total() > b + 50, "both serve")
    finally:
        stopping.set()
        for guest in guests:
            guest.join(30)
    failures = [failure for guest in guests for failure in guest.failures]
    served = [int(row["hrsp_2xx"] or 0) for row in balancer.rows() if row["svname"].startswith("node")]
    record("rolling restart", requests=total(), failures=len(failures), restarts=4, served_by_node=served)
    assert not failures, f"{len(failures)} of {total()} failed: {failures[:5]}"
    assert all(served), "both nodes served"
