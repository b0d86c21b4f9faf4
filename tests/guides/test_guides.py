"""The guides, followed to the letter."""

import pytest
import requests

import guide
import mailbox_reader
from mailbox_reader import Mailbox
from proxies import PROXIES

KEEPING_CLIENTS = ("kalshi.md", "kraken.md", "kestra.md", "kotak.md")


def test_in_front_of_my_app(reader):
    reader.follow("in-front-of-my-app.md")


@pytest.mark.parametrize("proxy", PROXIES)
def test_behind_a_proxy(reader, proxy):
    reader.follow("behind-a-proxy.md", proxy)


def test_bringing_people(reader):
    reader.follow("bringing-people.md")
    # The list given again changes nothing: all that is on it is there.
    ids = (reader.folder / "ids.csv").read_text()
    again = next(block for block in guide.read("bringing-people.md") if "users.csv |" in block.text)
    reader.do(again)
    assert (reader.folder / "ids.csv").read_text() == ids
    # Everybody was mailed a link, by which who never had a password sets one.
    link = Mailbox(reader.folder / "data/mail").wait("ben@example.org", mailbox_reader.reset_link)[-1]
    code, password = mailbox_reader.query_of(link)["code"], "quartz lantern 4711"
    for path, body, status in [
        ("/auth/v1/recovery/confirm", {"code": code, "password": password}, 204),
        ("/auth/v1/sign-in/password", {"identifier": "ben", "password": password}, 200),
    ]:
        assert requests.post(reader.url("8080") + path, json=body, timeout=30).status_code == status


@pytest.mark.parametrize("name", KEEPING_CLIENTS)
def test_keeping_clients(reader, name):
    reader.follow(name)


def test_every_guide_is_followed():
    followed = {"in-front-of-my-app.md", "behind-a-proxy.md", "bringing-people.md", *KEEPING_CLIENTS, "README.md"}
    assert {page.name for page in guide.GUIDES.glob("*.md")} == followed


def test_a_guide_that_is_not_true_is_noticed(reader):
    """Of the tests themselves: what is printed, what ends badly and what nobody knows how to run."""
    for kind, test, text in [
        ("sh", [], "false"),
        ("python", [], "raise SystemExit(1)"),
        ("text", ["prints"], "nothing of the kind"),
        ("python", ["excerpt", "examples/notes/notes.py"], "def no_such_thing():\n"),
        ("ruby", [], ""),
        ("sh", ["once"], ""),
    ]:
        with pytest.raises(AssertionError):
            reader.do(guide.Block(kind, test, text, 0))
