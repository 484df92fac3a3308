"""Reads a stranger's mail: bounded, never trusted, and never a reason to fail (contract-accounts, 36)."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import getaddresses
from html.parser import HTMLParser

import msgspec

from backend.support import texts
from backend.support.codes import CODE
from backend.support.covering import covered
from backend.support.desks import ADDRESS

HEADER_LONGEST = 4000
PARTS_MOST = 50  # a mail of more parts is not a question
AUTOMATIC = ("auto_reply", "bulk", "junk", "list")
MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,250}>")
UNIT = r"[A-Z0-9.]{1,20}"


class Incoming(msgspec.Struct, frozen=True):
    """What matters of one mail. Without `sender` there is nobody to answer."""

    sender: str | None
    recipients: frozenset[str]
    subject: str
    text: str
    tag: str | None
    code: str | None
    message_id: str | None
    is_automatic: bool


def read(raw: bytes, form: str) -> Incoming:
    """Read a mail, or the beginning of a large one, secrets covered; `form` is the tag's form, with `{unit}` in it."""
    headers = _headers(raw)
    subject = texts.from_mail(" ".join(_decoded(headers, "Subject").split()), longest=texts.SUBJECT_LONGEST)
    tag = re.search(UNIT.join(re.escape(part) for part in form.split("{unit}")), subject)
    code = CODE.search(subject)
    answers = MESSAGE_ID.search(_raw(headers, "Message-ID"))
    found = [address for address in _addresses(headers, "From") if ADDRESS.fullmatch(address)]
    return Incoming(
        sender=found[0] if len(found) == 1 and len(found[0]) <= 254 else None,
        recipients=frozenset(_addresses(headers, "To", "Cc", "Delivered-To", "X-Original-To")),
        subject=covered(subject),
        text=covered(_text(raw)) or "…",
        tag=tag.group() if tag else None,
        code=code.group() if code else None,
        message_id=answers.group() if answers else None,
        is_automatic=_is_automatic(headers),
    )


def _headers(raw: bytes) -> Message:
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0][: 64 * 1024]
    try:
        return BytesHeaderParser().parsebytes(head)
    except (MessageError, ValueError, LookupError):
        return Message()


def _is_automatic(headers: Message) -> bool:
    """Machines, lists and bounces (RFC 3834 §2, RFC 2919): whoever answers those starts a loop."""
    submitted = _raw(headers, "Auto-Submitted").strip().lower()
    precedence = _raw(headers, "Precedence").strip().lower()
    bounced = "Return-Path" in headers and _raw(headers, "Return-Path").strip() in ("<>", "")
    from_machine = any(
        address.startswith(("mailer-daemon@", "postmaster@")) for address in _addresses(headers, "From")
    )
    marked = any(
        name in headers for name in ("List-Id", "List-Unsubscribe", "List-Post", "X-Auto-Response-Suppress")
    )
    return (
        (submitted not in ("", "no") and not submitted.startswith("no;"))
        or precedence in AUTOMATIC
        or bounced
        or from_machine
        or marked
    )


def _raw(headers: Message, name: str) -> str:
    return str(headers.get(name, ""))[:HEADER_LONGEST]


def _decoded(headers: Message, name: str) -> str:
    """A header in clear, whatever charset it names (RFC 2047)."""
    text = _raw(headers, name)
    try:
        parts = decode_header(text)
    except (MessageError, ValueError):
        return text
    return "".join(part if isinstance(part, str) else _in_words(part, charset) for part, charset in parts)


def _in_words(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("latin-1")


def _addresses(headers: Message, *names: str) -> list[str]:
    values = [str(value)[:HEADER_LONGEST] for name in names for value in headers.get_all(name, [])][:20]
    return [address.strip().lower() for _, address in getaddresses(values) if address][:100]


def _text(raw: bytes) -> str:
    """The first part that can be read as text; a mail that nobody can take apart has none."""
    try:
        message = BytesParser().parsebytes(raw)
        parts = []
        for part in message.walk():
            parts.append(part)
            if len(parts) >= PARTS_MOST:
                break
        plain = next((part for part in parts if part.get_content_type() == "text/plain"), None)
        if plain is not None:
            return texts.from_mail(_payload(plain))
        html = next((part for part in parts if part.get_content_type() == "text/html"), None)
        return texts.from_mail(_without_tags(_payload(html))) if html is not None else ""
    except (MessageError, ValueError, LookupError, RecursionError, AssertionError):
        return ""


def _payload(part: Message) -> str:
    content = part.get_payload(decode=True)
    return _in_words(content, part.get_content_charset()) if isinstance(content, bytes) else ""


class _Words(HTMLParser):
    """Collects the text of a page that nobody will ever show as one."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - html.parser's own
        """Scripts and styles are not text."""
        self._hidden += tag in ("script", "style")
        if tag in ("br", "p", "div", "tr", "li"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """The end of what was hidden."""
        self._hidden -= tag in ("script", "style") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self._hidden:
            self.words.append(data)


def _without_tags(html: str) -> str:
    words = _Words()
    words.feed(html[: texts.TEXT_LONGEST * 10])
    return "".join(words.words)
