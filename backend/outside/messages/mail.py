"""The desk's mailbox: IMAP to read (RFC 9051), SMTP to send (RFC 5321), each call in a thread of its own.

Passwords travel only over TLS, or to this machine itself.
"""

from __future__ import annotations

import asyncio
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from backend.outside.trust import trusted

if TYPE_CHECKING:
    import imaplib
    import smtplib

T = TypeVar("T")
TIMEOUT = 20.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOTHING: Mapping[str, int] = {}
FETCHED = 256 * 1024  # of a larger mail only the beginning is read
# addresses and message ids that we write into headers: no blank, no line's end, and no `?`, so no encoded word either
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=^_`{|}~@:\[\]-]{1,250}>")
LINE = re.compile(r"[\x20-\x3e\x40-\x7e]{1,200}")  # may stand in a header as it is
PHRASE = re.compile(r"[A-Za-z0-9 ]{1,60}")  # may stand before an address as it is
NAMES = re.compile(rb"^([^\s:]+):", re.MULTILINE)
STRAY = re.compile(rb"\r(?!\n)|(?<!\r)\n|[^\r\n\x20-\x7e]")


class MailUnreachable(Exception):
    """The mail server does not answer, refuses us, or is to be reached without TLS."""


class MailRefused(Exception):
    """The mail server is there and does not take this one mail."""


class MailUnfit(MailRefused):
    """What the mail holds cannot be written as one: trying again would change nothing."""


class Fetched(msgspec.Struct, frozen=True):
    """One mail of the mailbox, by its place in it; without `raw` where the server does not give it."""

    uid: str
    raw: bytes | None


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

    async def fetch_new(
        self, keywords: tuple[str, ...], *, most: int, tried: Mapping[str, int] = NOTHING
    ) -> tuple[str, list[Fetched]]:
        """UIDVALIDITY and the oldest mails that carry none of the keywords; raises MailUnreachable.

        What was `tried` (UID to how often) comes after the others, so that it is never in their way.
        """
        return await _in_thread(lambda: self._fetch(keywords, most, tried))

    async def mark(self, uids: list[str], keyword: str) -> None:
        """Give mails a keyword (RFC 9051 §2.3.2); they stay where they are, and unread."""
        await _in_thread(lambda: self._mark(",".join(uids), keyword))

    def _fetch(
        self, keywords: tuple[str, ...], most: int, tried: Mapping[str, int]
    ) -> tuple[str, list[Fetched]]:
        with self._open() as imap:
            validity = (imap.response("UIDVALIDITY")[1] or [b"0"])[0]
            wanted = " ".join(f"UNKEYWORD {keyword}" for keyword in keywords)
            found = _done(imap.uid("SEARCH", f"UNDELETED {wanted}"))
            uids = sorted((found[0] or b"").decode().split(), key=lambda uid: tried.get(uid, 0))
            return (validity or b"0").decode(), [Fetched(uid, self._raw(imap, uid)) for uid in uids[:most]]

    def _raw(self, imap: imaplib.IMAP4, uid: str) -> bytes | None:
        """The mail, or its beginning; a NO, or a mail that was taken out meanwhile, is no empty mail."""
        _, parts = imap.uid("FETCH", uid, f"(BODY.PEEK[]<0.{FETCHED}>)")
        return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)

    def _mark(self, uids: str, keyword: str) -> None:
        with self._open() as imap:
            _done(imap.uid("STORE", uids, "+FLAGS.SILENT", f"({keyword})"))

    @contextmanager
    def _open(self) -> Iterator[imaplib.IMAP4]:
        import imaplib  # most installations read and send no mail

        host, port = _place(self._url, {"imap": 143, "imaps": 993})
        if self._url.scheme == "imaps":
            imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=trusted(), timeout=TIMEOUT)
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
        """Hand one mail over; raises MailUnreachable, MailRefused, MailUnfit."""
        content = message_of(mail)
        await _in_thread(lambda: self._send(content, mail))

    def _send(self, content: bytes, mail: Outgoing) -> None:
        import smtplib

        host, port = _place(self._url, {"smtp": 25, "smtps": 465})
        context = trusted()
        if self._url.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
        else:
            smtp = smtplib.SMTP(host, port, timeout=TIMEOUT)
        try:
            if self._url.scheme == "smtp" and host not in LOOPBACK:
                smtp.starttls(context=context)
            if self._url.username:
                smtp.login(unquote(self._url.username), unquote(self._url.password or ""))
            smtp.sendmail(mail.sender, [mail.recipient], content)
            with suppress(smtplib.SMTPException, OSError):  # it has the mail, however it takes its leave
                smtp.quit()
        finally:
            smtp.close()


def message_of(mail: Outgoing) -> bytes:
    """The mail as RFC 5322 and 2045 want it; raises MailUnfit.

    The headers are written letter by letter and never parsed: a library that reads them may find an encoded word in
    what a stranger sent, and line breaks in that.
    """
    headers = {
        "From": f"{_words(PHRASE, mail.sender_name)} <{_sound(ADDRESS, mail.sender)}>",
        "To": _sound(ADDRESS, mail.recipient),
        "Subject": _words(LINE, mail.subject),
        "Date": format_datetime(mail.at),
        "Message-ID": _sound(MESSAGE_ID, f"<{mail.name}@{mail.sender.partition('@')[2]}>"),
    }
    if mail.answers is not None:
        headers["In-Reply-To"] = headers["References"] = _sound(MESSAGE_ID, mail.answers)
    if mail.is_automatic:
        headers["Auto-Submitted"] = "auto-replied"  # RFC 3834: nobody's machine answers this
    headers |= {
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    content = head + b"\r\n" + _body(mail.body)
    if [name.decode() for name in NAMES.findall(head)] != [*headers] or STRAY.search(content):
        raise MailUnfit("headers")
    return content


def _sound(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        raise MailUnfit("address")
    return text


def _words(plain: re.Pattern[str], text: str) -> str:
    """A text as it is, or as encoded words, which say nothing but themselves (RFC 2047)."""
    if plain.fullmatch(text):
        return text
    if not text.isprintable():
        raise MailUnfit("characters")
    return Header(text, "utf-8", header_name="Subject").encode(linesep="\r\n")


def _body(text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        return binascii.b2a_qp(lines.encode()).replace(b"\n", b"\r\n") + b"\r\n"
    except UnicodeEncodeError as error:
        raise MailUnfit("characters") from error


def _done(answer: tuple[str, list[Any]]) -> list[Any]:
    """What the server says to a command that it has carried out; the words of a NO are nobody's mail."""
    status, said = answer
    if status != "OK":
        raise MailUnreachable("command refused")
    return said


def _place(url: SplitResult, ports: dict[str, int]) -> tuple[str, int]:
    host = url.hostname or ""
    if url.scheme == "imap" and host not in LOOPBACK:
        raise MailUnreachable("imaps is wanted outside this machine")
    return host, url.port or ports[url.scheme]


async def _in_thread(job: Callable[[], T]) -> T:
    import imaplib
    import smtplib

    try:
        return await asyncio.to_thread(job)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        raise MailRefused(type(error).__name__) from error
    except (imaplib.IMAP4.error, smtplib.SMTPException, OSError, ValueError) as error:
        raise MailUnreachable(type(error).__name__) from error
