"""Mails over a real SMTP server: delivery with and without TLS and login, refusal, outage, and a crash in between."""

import datetime
import email
import email.policy
import ipaddress
import ssl
import threading

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import mailbox_reader
from harness import free_port, new_password, until

RESET = mailbox_reader.link_with("code", "user_id")
LOGIN = ("mailer", "p@ss/word: 7%")


class Post:
    """What a post office does with a mail: keeps it, refuses it, or puts the sender off."""

    def __init__(self):
        self.mails, self.logins, self.refuse, self.deferrals = [], [], set(), 0
        self.hold = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return "550 5.1.1 No such person here"
        if self.deferrals:
            self.deferrals -= 1
            return "451 4.3.0 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.mail_from, list(envelope.rcpt_tos), message, session.ssl is not None))
        if self.hold:
            self.hold()
            return "451 4.3.0 Lost in the crash"
        return "250 Taken"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == LOGIN)

    def to(self, address, find=None):
        """The mails (or what `find` finds in them) for an address."""
        mails = [message for _, to, message, _ in self.mails if address in to]
        return [value for value in map(find, mails) if value] if find else mails

    def wait(self, address, find, count=1, seconds=15):
        return until(
            lambda: (got := self.to(address, find)) and len(got) >= count and got, f"{count} mails to {address}", seconds
        )


class Office(Controller):
    """A controller that takes every keyword of the SMTP class."""

    def __init__(self, post, port, implicit_tls=None, **smtp):
        self.smtp = smtp
        super().__init__(post, hostname="127.0.0.1", port=port, ssl_context=implicit_tls)

    def factory(self):
        return SMTP(self.handler, **self.smtp)


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
    folder = tmp_path_factory.mktemp("tls")
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    authority = signed("test authority", authority_key, "test authority", authority_key, x509.BasicConstraints(True, 0))
    made = signed("localhost", key, "test authority", authority_key, x509.SubjectAlternativeName(addresses))
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    key_text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
    (folder / "key.pem").write_bytes(key_text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return str(folder / "authority.pem"), context


def signed(subject, key, issuer, issuer_key, extension):
    """A certificate that is good for an hour."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .sign(issuer_key, hashes.SHA256())
    )


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
