"""The desk's mailbox: IMAP to read (RFC 9051), SMTP to send (RFC 5321), each call in a thread of its own.

Passwords travel only over TLS, or to this machine itself.
"""

from __future__ import annotations

import asyncio
import imaplib
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

T = TypeVar("T")
TIMEOUT = 20.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
FETCHED = 256 * 1024  # of a larger mail only the beginning is read


class MailUnreachable(Exception):
    """The mail server does not answer, refuses us, or is to be reached without TLS."""


class MailRefused(Exception):
    """The mail server is there and does not take this one mail."""


class Fetched(msgspec.Struct, frozen=True):
    """One mail of the mailbox, by its place in it."""

    uid: str
    raw: bytes


class Outgoing(msgspec.Struct, frozen=True):
    """One mail to send; `name` makes its Message-ID, so that a second copy could be told."""

    name: str
    sender_name: str
    sender: str
    recipient: str
    subject: str
    body: str
    answers: str | None
    is_automatic: bool
    at: datetime


class Mailbox:
    """The mailbox behind an `imap(s)://` address."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._folder = unquote(self._url.path.strip("/")) or "INBOX"

    async def fetch_new(self, keywords: tuple[str, ...], *, most: int) -> tuple[str, list[Fetched]]:
        """UIDVALIDITY and the oldest mails that carry none of the keywords; raises MailUnreachable."""
        return await _in_thread(lambda: self._fetch(keywords, most))

    async def mark(self, uids: list[str], keyword: str) -> None:
        """Give mails a keyword (RFC 9051 §2.3.2); they stay where they are, and unread."""
        await _in_thread(lambda: self._mark(",".join(uids), keyword))

    def _fetch(self, keywords: tuple[str, ...], most: int) -> tuple[str, list[Fetched]]:
        with self._open() as imap:
            validity = (imap.response("UIDVALIDITY")[1] or [b"0"])[0]
            wanted = " ".join(f"UNKEYWORD {keyword}" for keyword in keywords)
            _, found = imap.uid("SEARCH", f"UNDELETED {wanted}")
            uids = (found[0] or b"").decode().split()[:most]
            return (validity or b"0").decode(), [Fetched(uid, self._raw(imap, uid)) for uid in uids]

    def _raw(self, imap: imaplib.IMAP4, uid: str) -> bytes:
        _, parts = imap.uid("FETCH", uid, f"(BODY.PEEK[]<0.{FETCHED}>)")
        return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), b"")

    def _mark(self, uids: str, keyword: str) -> None:
        with self._open() as imap:
            imap.uid("STORE", uids, "+FLAGS.SILENT", f"({keyword})")

    @contextmanager
    def _open(self) -> Iterator[imaplib.IMAP4]:
        host, port = _place(self._url, {"imap": 143, "imaps": 993})
        if self._url.scheme == "imaps":
            imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                host, port, ssl_context=ssl.create_default_context(), timeout=TIMEOUT
            )
        else:
            imap = imaplib.IMAP4(host, port, timeout=TIMEOUT)
        try:
            imap.login(unquote(self._url.username or ""), unquote(self._url.password or ""))
            status, _ = imap.select(imaplib.IMAP4._quote(imap, self._folder))  # type: ignore[attr-defined]
            if status != "OK":
                raise MailUnreachable("no such folder")
            yield imap
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                imap.logout()


class Sender:
    """The mail server behind an `smtp(s)://` address."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    async def send(self, mail: Outgoing) -> None:
        """Hand one mail over; raises MailUnreachable, MailRefused."""
        message = message_of(mail)
        await _in_thread(lambda: self._send(message, mail))

    def _send(self, message: EmailMessage, mail: Outgoing) -> None:
        host, port = _place(self._url, {"smtp": 25, "smtps": 465})
        context = ssl.create_default_context()
        if self._url.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
        else:
            smtp = smtplib.SMTP(host, port, timeout=TIMEOUT)
        with smtp:
            if self._url.scheme == "smtp" and host not in LOOPBACK:
                smtp.starttls(context=context)
            if self._url.username:
                smtp.login(unquote(self._url.username), unquote(self._url.password or ""))
            smtp.send_message(message, mail.sender, [mail.recipient])


def message_of(mail: Outgoing) -> EmailMessage:
    """The mail as RFC 5322 wants it; the standard library refuses line breaks in headers."""
    message = EmailMessage()
    message["From"] = formataddr((mail.sender_name, mail.sender))
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{mail.name}@{mail.sender.partition('@')[2]}>"
    if mail.answers is not None:
        message["In-Reply-To"] = message["References"] = mail.answers
    if mail.is_automatic:
        message["Auto-Submitted"] = "auto-replied"  # RFC 3834: nobody's machine answers this
    message.set_content(mail.body, cte="quoted-printable")
    return message


def _place(url: SplitResult, ports: dict[str, int]) -> tuple[str, int]:
    host = url.hostname or ""
    if url.scheme == "imap" and host not in LOOPBACK:
        raise MailUnreachable("imaps is wanted outside this machine")
    return host, url.port or ports[url.scheme]


async def _in_thread(job: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(job)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        raise MailRefused(type(error).__name__) from error
    except (imaplib.IMAP4.error, smtplib.SMTPException, OSError) as error:
        raise MailUnreachable(type(error).__name__) from error
