"""A desk's mailbox: Dovecot to read it, and an SMTP server that keeps what the desk sent; both on loopback."""

from __future__ import annotations

import email
import email.policy
import imaplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.parts.dovecot import dovecot
from tests.parts.processes import eventually, free_port, listens, scratch


class Kept:
    """What an SMTP server does with mail here: keep it, or refuse it."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.refuses = False

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        """Somebody to deliver to."""
        if self.refuses:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002
        """A whole mail."""
        self.envelopes.append(envelope)
        return "250 OK"


class MailboxPart:
    """`imap_url` and `smtp_url` are for NGOMON_SUPPORT_*; `deliver` puts a mail in, `sent` is what went out."""

    user = "hotro"
    password = "tests only"

    def __init__(self) -> None:
        self.imap_port, self.smtp_port = free_port(), free_port()
        folder = scratch("mailbox")
        (folder / "users").write_text(f"{self.user}:{{PLAIN}}{self.password}::::::\n", encoding="utf-8")
        self._mail = folder / "mail"
        self._dovecot = dovecot(folder, self.imap_port, name="mailbox", mechanisms="plain login")
        self._kept = Kept()
        self._smtp: Any = None

    @property
    def imap_url(self) -> str:
        """The blank of the password is escaped."""
        return f"imap://{self.user}:tests%20only@127.0.0.1:{self.imap_port}/INBOX"

    @property
    def smtp_url(self) -> str:
        """Without a password: it is this machine."""
        return f"smtp://127.0.0.1:{self.smtp_port}"

    def start(self) -> None:
        """Both."""
        self._dovecot.start(lambda: listens(self.imap_port))
        self.smtp_up()

    def stop(self) -> None:
        """Both."""
        self.smtp_down()
        self._dovecot.stop()

    def reset(self) -> None:
        """Up, empty and willing, whatever the last test did."""
        self.smtp_up()
        self._kept.refuses = False
        self._kept.envelopes.clear()
        with self._open() as imap:
            imap.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Deleted)")
            imap.expunge()

    def smtp_up(self) -> None:
        """Mail leaves (again)."""
        if self._smtp is None:
            self._smtp = Controller(
                self._kept,
                hostname="127.0.0.1",
                port=self.smtp_port,
                decode_data=False,
                enable_SMTPUTF8=False,
            )
            self._smtp.start()

    def smtp_down(self) -> None:
        """The mail server is out of reach."""
        if self._smtp is not None:
            self._smtp.stop()
            self._smtp = None

    def smtp_refuses(self, refuses: bool = True) -> None:
        """It is there and takes nobody's mail."""
        self._kept.refuses = refuses

    def deliver(self, raw: bytes | EmailMessage) -> None:
        """A mail as it arrived, byte by byte."""
        content = raw if isinstance(raw, bytes) else raw.as_bytes(policy=email.policy.SMTP)
        with self._open() as imap:
            status, said = imap.append("INBOX", "", "", content)
            assert status == "OK", said

    @property
    def sent(self) -> list[EmailMessage]:
        """What the desk sent, oldest first, as a mail program reads it."""
        return [_read(one.content) for one in self._kept.envelopes]

    @property
    def envelopes(self) -> list[tuple[str, list[str]]]:
        """From whom and to whom each was sent."""
        return [(str(one.mail_from), list(one.rcpt_tos)) for one in self._kept.envelopes]

    def keywords(self) -> list[set[str]]:
        """The keywords of each mail in the mailbox, oldest first."""
        with self._open() as imap:
            _, found = imap.uid("SEARCH", "ALL")
            flags = [imap.uid("FETCH", uid, "(FLAGS)")[1] for uid in found[0].split()]
        words = [b" ".join(part for part in one if isinstance(part, bytes)).decode() for one in flags]
        return [{word for word in ("$NgoMonCase", "$NgoMonUntagged") if word in text} for text in words]

    async def all_marked(self, *, patience: float = 15) -> list[set[str]]:
        """The same, once every mail has been dealt with."""
        return await eventually(
            lambda: found if (found := self.keywords()) and all(found) else None,
            what="every mail to be marked",
            patience=patience,
        )

    async def sends(self, count: int, *, patience: float = 15) -> list[EmailMessage]:
        """What was sent, once there are so many."""
        return await eventually(
            lambda: self.sent if len(self.sent) >= count else None, what=f"{count} mails", patience=patience
        )

    @contextmanager
    def _open(self) -> Iterator[imaplib.IMAP4]:
        imap = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=10)
        try:
            imap.login(self.user, self.password)
            imap.select("INBOX")
            yield imap
        finally:
            imap.logout()


def _read(content: bytes | str | None) -> EmailMessage:
    raw = content if isinstance(content, bytes) else (content or "").encode()
    return email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
