"""Mails over a real SMTP server: delivery with and without TLS and login, refusal, outage, and a crash in between."""

import ssl
import threading

import pytest

import mailbox_reader
from authority import Authority
from harness import free_port, new_password, until
from post_office import LOGIN, Office, Post

RESET = mailbox_reader.link_with("code", "user_id")


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def office(post):
    """Opens and closes the post office on one port."""
    running, port = [], free_port()

    def opened(**kwargs):
        one = Office(post, port, **kwargs)
        one.start()
        running.append(one)
        return one

    opened.port = port
    yield opened
    for one in running:
        if one.server is not None:
            one.stop()


def ask(server, user):
    assert server.post("/v1/passwords/reset", json={"email": user.email}).status_code == 202


def rows(server, address):
    """The mails to an address, newest first, as the command line tells them."""
    return [row for row in server.items("mail", "list") if row["to"] == address]


def row_with(server, address, **wanted):
    """The newest mail to an address, as soon as it is so."""

    def found():
        newest = next(iter(rows(server, address)), {})
        return newest if all(newest.get(name) == value for name, value in wanted.items()) else None

    return until(found, f"a mail to {address} with {wanted}")


# Delivery


def test_plain_delivery(serve, office, post):
    office()
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://127.0.0.1:{office.port}"})
    user = server.user()
    ask(server, user)
    query = mailbox_reader.query_of(post.wait(user.email, RESET)[0])
    sender, recipients, message, _ = post.mails[-1]
    assert recipients == [user.email]
    assert sender and sender in message["From"]
    assert message["Subject"] and message["Date"] and message["Message-ID"]
    assert message["Auto-Submitted"] == "auto-generated"
    html = mailbox_reader.html_of(message)
    assert query["code"] in html
    body = {"password": new_password(), "user_id": user.id}
    assert server.call("PUT", f"/v1/passwords/reset/{query['code']}/confirm", json=body).status_code == 204
    assert not server.mail.messages(), "no .eml files when there is a post office"
    row_with(server, user.email, status="sent")


def test_every_kind_of_mail_has_two_parts(serve, office, post):
    office()
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://127.0.0.1:{office.port}"})
    user = server.user()
    ask(server, user)
    server.get(f"/api/v1/request-code/{user.email}")
    server.get("/api/v1/forgotten-password", params={"username": user.username})
    link = server.cli("invitation", "create", "new@example.net")["link"]
    post.wait(user.email, RESET)
    code = post.wait(user.email, mailbox_reader.code)[0]
    post.wait(user.email, mailbox_reader.link_with("token"))
    assert link in post.wait("new@example.net", mailbox_reader.links)[0]
    assert any(code in mailbox_reader.html_of(message) for message in post.to(user.email))
    for _, _, message, _ in post.mails:
        assert message.get_content_type() == "multipart/alternative"
        assert mailbox_reader.text_of(message).strip() and mailbox_reader.html_of(message).strip()


def test_login(serve, office, post):
    office(authenticator=post.authenticate, auth_required=True, auth_require_tls=False)
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://mailer:p%40ss%2Fword%3A%207%25@127.0.0.1:{office.port}"})
    user = server.user()
    ask(server, user)
    post.wait(user.email, RESET)
    assert post.logins[0] == LOGIN
    assert "p@ss/word" not in server.log()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """An authority, and a server's side of TLS with a certificate of that authority for this machine."""
    authority = Authority(tmp_path_factory.mktemp("tls"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue())
    return str(authority.path), context


def test_starttls_and_login(serve, office, post, certificate):
    path, context = certificate
    office(tls_context=context, require_starttls=True, authenticator=post.authenticate, auth_required=True)
    url = f"smtp://mailer:p%40ss%2Fword%3A%207%25@localhost:{office.port}?tls=required"
    server = serve(env={"DOORWARD_SMTP_URL": url, "SSL_CERT_FILE": path})
    user = server.user()
    ask(server, user)
    post.wait(user.email, RESET)
    assert post.mails[-1][3], "the mail came through TLS"


def test_tls_from_the_first_byte(serve, office, post, certificate):
    path, context = certificate
    office(implicit_tls=context)
    server = serve(env={"DOORWARD_SMTP_URL": f"smtps://localhost:{office.port}", "SSL_CERT_FILE": path})
    user = server.user()
    ask(server, user)
    post.wait(user.email, RESET)


def test_an_unknown_authority_is_not_trusted(serve, office, post, certificate):
    _, context = certificate
    office(tls_context=context)
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://localhost:{office.port}?tls=required"})
    user = server.user()
    ask(server, user)
    until(lambda: [row for row in rows(server, user.email) if row["last_error"]], "a failure is told")
    assert not post.mails


# Refusal, outage, recovery


def test_a_permanent_refusal_is_recorded_and_not_tried_again(serve, office, post):
    office()
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://127.0.0.1:{office.port}"})
    user = server.user()
    post.refuse.add(user.email)
    ask(server, user)
    row = row_with(server, user.email, status="failed")
    assert "No such person" in row["last_error"]
    shown = server.cli("mail", "show", row["id"])
    assert "code=" not in str(shown) or "***" in str(shown), "the list of mails shows no live secret"
    post.refuse.clear()
    server.cli("mail", "retry", row["id"])
    post.wait(user.email, RESET)
    row_with(server, user.email, status="sent")


def test_one_refused_address_does_not_hold_up_others(serve, office, post):
    office()
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://127.0.0.1:{office.port}"})
    bad, good = server.user(), server.user()
    post.refuse.add(bad.email)
    ask(server, bad)
    ask(server, good)
    post.wait(good.email, RESET)


def test_a_temporary_refusal_is_tried_again_by_itself(serve, office, post):
    office()
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://127.0.0.1:{office.port}"})
    user = server.user()
    post.deferrals = 1
    ask(server, user)
    row = until(lambda: next((r for r in rows(server, user.email) if r["attempts"] >= 1), None), "a try is counted")
    assert row["status"] == "due"
    server.cli("mail", "retry", row["id"])
    post.wait(user.email, RESET)


def test_outage_and_recovery(serve, office, post):
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://127.0.0.1:{office.port}"})
    users = [server.user() for _ in range(3)]
    for user in users:
        ask(server, user)
    waiting = [
        until(lambda u=u: next((r for r in rows(server, u.email) if r["last_error"]), None), "a failure is told") for u in users
    ]
    assert all(row["status"] == "due" for row in waiting)
    assert server.is_ready(), "signing in goes on without the post"
    office()
    for row in waiting:
        server.cli("mail", "retry", row["id"])
    for user in users:
        assert len(post.wait(user.email, RESET)) == 1
        row_with(server, user.email, status="sent")
    server.restart()
    assert all(rows(server, user.email)[0]["status"] == "sent" for user in users)
    assert all(len(post.to(user.email, RESET)) == 1 for user in users), "each of them once"


def test_a_crash_between_sending_and_the_answer(serve, office, post):
    office()
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://127.0.0.1:{office.port}"})
    user = server.user()
    post.hold = server.process.kill
    ask(server, user)
    post.wait(user.email, RESET)
    server.process.wait()
    post.hold = None
    server.start()
    post.wait(user.email, RESET, 2, seconds=30)  # the dead server's hold on the mail lasts ten
    row_with(server, user.email, status="sent")


def test_a_slow_post_office_does_not_slow_the_answers(serve, office, post):
    office()
    server = serve(env={"DOORWARD_SMTP_URL": f"smtp://127.0.0.1:{office.port}"})
    user, gate = server.user(), threading.Event()
    post.hold = lambda: gate.wait(5)
    ask(server, user)
    post.wait(user.email, RESET)
    ask(server, user)  # answers although the post office hangs
    assert server.post("/v1/log_in", json={"email": user.email, "password": user.password}).status_code == 200
    gate.set()
