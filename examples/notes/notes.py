#!/usr/bin/env python3
"""Notes: a small web service whose users sign in at Doorward. Python's standard library, nothing else.

    notes.py                        checks each caller's session itself, with GET /auth/v1/session
    notes.py --behind-proxy         believes the X-Doorward-* headers of the proxy in front of it

GET /notes lists the caller's own notes, POST /notes adds one: {"text": "…"}. They are gone when the service ends.
"""

import argparse
import json
import os
import pathlib
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = pathlib.Path(__file__).resolve().parent
LONGEST_BODY, LONGEST_READ = 10_000, 1_000_000
notes, lock = defaultdict(list), threading.Lock()


class Refused(Exception):
    """Whoever calls gets this answer."""

    def __init__(self, status, problem):
        super().__init__(problem)
        self.status = status


# --- the caller ---


def from_session(headers, doorward):
    """Whose session it is that the request brings: what Doorward says to the same cookie or token."""
    carried = {name: headers[name] for name in ("Authorization", "Cookie") if headers[name]}
    request = urllib.request.Request(doorward + "/auth/v1/session", headers=carried)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)["user"]
    except urllib.error.HTTPError as error:
        if error.code == 401:  # no session, or one that still owes its second factor
            raise Refused(401, "sign in first") from None
        raise Refused(503, "the login server cannot say who you are") from None
    except OSError:
        raise Refused(503, "the login server cannot be reached") from None


def from_headers(headers):
    """Whose request it is as the proxy says, which lets nobody through without a session and writes these headers itself."""
    if not headers["X-Doorward-User-Id"]:
        raise Refused(401, "this service must be called through its proxy")
    unescaped = urllib.parse.unquote(headers["X-Doorward-Username"])
    return {"id": headers["X-Doorward-User-Id"], "username": unescaped}


# --- the service ---


class Notes(BaseHTTPRequestHandler):
    """One request and no more: the connection ends with it, so that nothing of a body can pass for a request that no proxy has seen."""

    protocol_version = "HTTP/1.0"
    timeout = 30
    caller = staticmethod(from_headers)

    def do_GET(self):
        """The public page, the page to sign in at, and the caller's notes."""
        self.with_body(self.get)

    def do_POST(self):
        """Adds a note."""
        self.with_body(self.post)

    def with_body(self, work):
        """Does the work with the request's body, read whole: an answer may be lost if a connection is closed on what is unread."""
        try:
            body = self.body()
        except Refused as refused:
            self.answer(refused.status, {"problem": str(refused)})
        else:
            work(body)

    def body(self):
        """The body, whose length must be beyond doubt."""
        if "Transfer-Encoding" in self.headers:
            raise Refused(501, "send the body with a Content-Length")
        lengths = self.headers.get_all("Content-Length", ["0"])
        if len(lengths) != 1 or not re.fullmatch("[0-9]{1,18}", lengths[0]):
            raise Refused(400, "Content-Length is not a number")
        body = self.rfile.read(min(int(lengths[0]), LONGEST_READ))
        if int(lengths[0]) > LONGEST_BODY:
            raise Refused(413, f"the body is longer than {LONGEST_BODY} bytes")
        return body

    def get(self, _):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/":
            self.answer(200, {"service": "notes"})
        elif path == "/enter":
            self.page(HERE / "sign-in.html")
        elif path == "/notes":
            self.guarded(lambda user: {"user": user["username"], "notes": notes[user["id"]]})
        else:
            self.answer(404, {"problem": "no such page"})

    def post(self, body):
        if self.path == "/notes":
            self.guarded(lambda user: self.add(user, body))
        else:
            self.answer(404, {"problem": "no such page"})

    def add(self, user, body):
        """A form of another site cannot send this content type with our cookie; do not take any other."""
        try:
            text = json.loads(body)["text"] if self.headers["Content-Type"] == "application/json" else None
        except (ValueError, KeyError, TypeError):
            text = None
        if not isinstance(text, str):
            raise Refused(400, 'send {"text": "…"} as application/json')
        with lock:
            notes[user["id"]].append(text)
        return {"notes": notes[user["id"]]}

    def guarded(self, work):
        """Does the work for whoever has signed in."""
        try:
            self.answer(200, work(self.caller(self.headers)))
        except Refused as refused:
            self.answer(refused.status, {"problem": str(refused)})

    def answer(self, status, body):
        self.send(status, "application/json", json.dumps(body).encode() + b"\n")

    def page(self, path):
        self.send(200, "text/html; charset=utf-8", path.read_bytes())

    def send(self, status, kind, body):
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": len(body), "Cache-Control": "no-store", "X-Frame-Options": "DENY"}
        headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=os.environ.get("NOTES_PORT", 9000))
    parser.add_argument("--doorward", default=os.environ.get("NOTES_DOORWARD", "http://localhost:8080"), metavar="URL")
    parser.add_argument("--behind-proxy", action="store_true")
    arguments = parser.parse_args()
    if not arguments.behind_proxy:
        Notes.caller = staticmethod(lambda headers: from_session(headers, arguments.doorward))
    # On the loopback only: nobody gets past the proxy.
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Notes).serve_forever()


if __name__ == "__main__":
    main()
