"""Reads the mails that the server writes as .eml files, and finds links and codes in them."""

import email
import email.policy
import email.utils
import re
import time
import urllib.parse


def text_of(message):
    """The plain text part."""
    part = message.get_body(preferencelist=("plain",))
    return part.get_content() if part else ""


def html_of(message):
    """The HTML part."""
    part = message.get_body(preferencelist=("html",))
    return part.get_content() if part else ""


def links(message):
    """The links that stand on a line of their own in the text part."""
    return re.findall(r"^[ \t]*(https?://\S+)[ \t]*\r?$", text_of(message), re.M)


def link_with(*names):
    """Finds the first link that carries all these query parameters."""

    def find(message):
        for link in links(message):
            if set(names) <= set(query_of(link)):
                return link
        return None

    return find


def query_of(link):
    """The query parameters of a link."""
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))


def reset_link(message):
    """The link of a mail about a forgotten password, whichever dialect asked for it."""
    return link_with("code", "user_id")(message) or link_with("token")(message)


def code(message):
    """A login code that stands on a line of its own in the text part."""
    found = re.search(r"^[ \t]*([A-Z0-9]{4,10})[ \t]*\r?$", text_of(message), re.M)
    return found and found.group(1)


class Mailbox:
    """The folder of .eml files of one server."""

    def __init__(self, folder):
        self.folder = folder
        self._parsed = {}

    def messages(self, to=None):
        """All whole mails (to one address), oldest first."""
        found = []
        for path in self.folder.rglob("*.eml"):
            stat = path.stat()
            if path not in self._parsed:
                self._parsed[path] = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            message = self._parsed[path]
            addresses = [address for _, address in email.utils.getaddresses(message.get_all("To", []))]
            if to is None or to in addresses:
                found.append((stat.st_mtime_ns, path.name, message))
        return [message for _, _, message in sorted(found, key=lambda row: row[:2])]

    def found(self, to, find):
        """What `find` finds in the mails to an address, oldest first; mails in which it finds nothing are passed over."""
        return [value for value in map(find, self.messages(to)) if value]

    def wait(self, to, find, count=1, seconds=15.0):
        """The same, as soon as there are `count`."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.found(to, find)
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(found)} mails to {to} with what was looked for, wanted {count}")
            time.sleep(0.01)

    def after(self, action, to, find):
        """Does something that sends a mail, and gives back what `find` finds in that mail."""
        before = len(self.found(to, find))
        action()
        return self.wait(to, find, before + 1)[-1]
