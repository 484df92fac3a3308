"""What crosses the wire about support cases, their codes, and notices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.support.notices import NoticeView
from backend.support.reading import Stands


class CaseIn(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody asks; `desk` is the code of a desk, the first one takes what names none."""

    subject: Annotated[str, Meta(max_length=1000)]
    text: Annotated[str, Meta(max_length=20000)]
    desk: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


class DeskOut(msgspec.Struct):
    """A desk as the public knows it: compare mailbox and number with whoever calls."""

    code: str
    name: str
    mailbox: str
    phone: str


class CaseOut(msgspec.Struct, omit_defaults=True):
    """A case that was opened; `code` is what the desk must be able to quote.

    `covered` is there, and true, only when a password, PIN or code was replaced by dots before anything was stored.
    """

    id: UUID
    code: str
    status: str
    desk: DeskOut
    covered: bool = False


class MessageOut(msgspec.Struct):
    """One contribution, by the `person` or the `desk`."""

    author: str
    text: str
    at: datetime


class CaseRow(msgspec.Struct):
    """One of one's own cases; the code is genuine until `valid_until`."""

    id: UUID
    code: str
    status: str
    desk: DeskOut
    subject: str
    opened_at: datetime
    closed_at: datetime | None
    valid_until: datetime
    messages: list[MessageOut]


class CaseList(msgspec.Struct):
    """One's own cases, newest first."""

    items: list[CaseRow]
    next_cursor: str | None = None


class CodeOut(msgspec.Struct, omit_defaults=True):
    """Whether a quoted code is genuine, and who stands behind it; a code that is not says nothing more.

    `desk_wrote: false` is said without a session, of a case that somebody opened and no clerk has answered: the code
    is ours, and does not show that whoever quotes it is.
    """

    genuine: bool
    desk: str | None = None
    mailbox: str | None = None
    phone: str | None = None
    valid_until: datetime | None = None
    for_you: bool | None = None
    desk_wrote: bool = True

    @classmethod
    def of(cls, found: Stands | None, reader: UUID | None) -> CodeOut:
        """`for_you` is there only for a reader with a session."""
        if found is None:
            return cls(genuine=False)
        return cls(
            genuine=True,
            desk=found.desk,
            mailbox=found.mailbox,
            phone=found.phone,
            valid_until=found.valid_until,
            for_you=None if reader is None else found.account_id == reader,
            desk_wrote=found.desk_wrote or reader is not None,
        )


class NoticeList(msgspec.Struct):
    """What to show before anything else stands first."""

    items: list[NoticeView]
    next_cursor: str | None = None
