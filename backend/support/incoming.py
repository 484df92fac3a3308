"""Reads a stranger's mail: bounded, never trusted, and never a reason to fail (rule 1104)."""

from __future__ import annotations

import re

import msgspec

from backend.outside.messages.mail import MESSAGE_ID
from backend.support import mime, texts
from backend.support.codes import CODE
from backend.support.covering import covered
from backend.support.desks import is_address

AUTOMATIC = ("auto_reply", "bulk", "junk", "list")
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


UNREADABLE = Incoming(None, frozenset(), "", "…", None, None, None, is_automatic=True)


def read(raw: bytes, form: str) -> Incoming:
    """Read a mail, or the beginning of a large one, secrets covered; `form` is the tag's form, with `{unit}` in it."""
    mail = mime.opened(raw)
    title = " ".join(mime.words(mail.first("subject")).split())
    subject = texts.from_mail(title, longest=texts.SUBJECT_LONGEST)
    tag = re.search(UNIT.join(re.escape(part) for part in form.split("{unit}")), subject)
    code = CODE.search(subject)
    answers = MESSAGE_ID.search(mail.first("message-id"))
    found = [one for one in _addresses(mail, "from") if is_address(one)]
    return Incoming(
        sender=found[0] if len(found) == 1 else None,
        recipients=frozenset(_addresses(mail, "delivered-to", "x-original-to", "to", "cc")),
        subject=covered(subject),
        text=covered(_text(mail)) or "…",
        tag=tag.group() if tag else None,
        code=code.group() if code else None,
        message_id=answers.group() if answers else None,
        is_automatic=_is_automatic(mail),
    )


def _is_automatic(mail: mime.Part) -> bool:
    """Machines, lists and bounces (RFC 3834 §2, RFC 2919, RFC 3462): whoever answers those starts a loop."""
    submitted = mail.first("auto-submitted").lower()
    precedence = mail.first("precedence").lower()
    bounced = "return-path" in mail.fields and mail.first("return-path") in ("<>", "")
    from_machine = any(
        address.startswith(("mailer-daemon@", "postmaster@")) for address in _addresses(mail, "from")
    )
    marked = "x-auto-response-suppress" in mail.fields or any(
        name.startswith("list-") for name in mail.fields
    )
    return (
        (submitted not in ("", "no") and not submitted.startswith("no;"))
        or precedence in AUTOMATIC
        or mail.kind == "multipart/report"
        or bounced
        or from_machine
        or marked
    )


def _addresses(mail: mime.Part, *names: str) -> list[str]:
    return mime.addresses([value for name in names for value in mail.fields.get(name, [])])


def _text(mail: mime.Part) -> str:
    """The first part that can be read as text; a mail that holds none has none."""
    found = list(mime.parts(mail))
    plain = next((part for part in found if part.kind == "text/plain"), None)
    if plain is not None:
        return texts.from_mail(plain.text)
    page = next((part for part in found if part.kind == "text/html"), None)
    return texts.from_mail(mime.without_tags(page.text)) if page is not None else ""
