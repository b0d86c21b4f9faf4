"""A real SMTP server that keeps what it is sent, and can be told to misbehave."""

import email
import email.policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from harness import until

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
