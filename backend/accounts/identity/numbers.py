"""The numbers that name a person or an organisation, and who holds one (source 001: CMT/CCCD, MST, agency code)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity.identity_rows import HOLDER, NUMBERS
from backend.accounts.models import Identifier
from backend.db import new_id
from backend.errors import FieldError, FieldsInvalid
from backend.kit import Kit

NATIONAL_ID, OLD_ID, TAX_CODE, AGENCY_CODE = "national_id", "old_id_number", "tax_code", "agency_code"
PERSONAL = "personal numbers"
Follows = Callable[[AsyncSession, Kit, UUID], Awaitable[None]]
followers: list[Follows] = []  # of the layers above, which this one does not know
MAIL = re.compile(r"[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,190}")


def kind_of(number: str) -> str:
    """Which number of a person this is: twelve digits are a CCCD, nine an old CMND."""
    return NATIONAL_ID if len(number) == 12 else OLD_ID


async def holder_of(tx: AsyncSession, kit: Kit, value: str, kind: str = NATIONAL_ID) -> UUID | None:
    """Who holds a number of this kind at present."""
    for blind in kit.keys.blinds(kind, value):
        if (found := await HOLDER.maybe(tx, of_kind=kind, number=blind)) is not None:
            return found.account_id
    return None


async def personal(tx: AsyncSession, kit: Kit, accounts: Iterable[UUID]) -> dict[UUID, str]:
    """Current personal numbers by account; one is read and opened once in a transaction."""
    known: dict[UUID, str | None] = tx.info.setdefault(PERSONAL, {})
    wanted = set(accounts)
    asked = wanted - known.keys()
    known.update(dict.fromkeys(asked))
    if len(asked) == 1:
        (one,) = asked
        for number in await NUMBERS.all(tx, account=one):
            if number.kind == NATIONAL_ID:
                known[one] = kit.keys.open("identifiers.value", number.id, number.value)
    elif asked:
        # of one account there are few: an index by kind is that of half the province
        held = select(Identifier).where(Identifier.account_id.in_(asked), Identifier.ended_at.is_(None))
        for row in await tx.scalars(held):
            if row.kind == NATIONAL_ID:
                known[row.account_id] = kit.keys.open("identifiers.value", row.id, row.value)
    return {one: said for one in wanted if (said := known[one]) is not None}


async def blinds_of(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[bytes]:
    """The blind indexes of the person's current personal number, under every live key."""
    number = (await personal(tx, kit, [account_id])).get(account_id)
    return kit.keys.blinds(NATIONAL_ID, number) if number else []


def forget(tx: AsyncSession) -> None:
    """Somebody's number has just changed: whoever asks in this transaction reads again."""
    tx.info.pop(PERSONAL, None)


async def changed(tx: AsyncSession, kit: Kit, account_id: UUID) -> None:
    """The same, and whatever leans on whose number it is follows in this transaction."""
    forget(tx)
    for follow in followers:
        await follow(tx, kit, account_id)


async def holder_among(tx: AsyncSession, kit: Kit, numbers: dict[str, str]) -> UUID | None:
    """Who holds one of these numbers (source 001: duplicates are found by CMT or CCCD, or by tax code)."""
    for kind, value in numbers.items():
        if (holder := await holder_of(tx, kit, value, kind)) is not None:
            return holder
    return None


async def holder_of_any(tx: AsyncSession, kit: Kit, value: str) -> UUID | None:
    """Who is meant by digits that somebody typed without saying which kind they are: a person before an organisation.

    Every kind is asked each time, so that how long it takes says nothing.
    """
    found: UUID | None = None
    for kind in (NATIONAL_ID, OLD_ID, TAX_CODE, AGENCY_CODE):
        holder = await holder_of(tx, kit, value, kind)
        found = found or holder
    return found


def identifier_row(
    kit: Kit, account_id: UUID, kind: str, value: str, *, source: str, now: datetime
) -> Identifier:
    """A number that an account holds from now."""
    return Identifier(**new_number(kit, account_id, kind, value, source=source, now=now))


def new_number(
    kit: Kit, account_id: UUID, kind: str, value: str, *, source: str, now: datetime
) -> dict[str, Any]:
    """The same as values of a statement."""
    row = new_id()
    return {
        "id": row,
        "account_id": account_id,
        "kind": kind,
        "value": kit.keys.seal("identifiers.value", row, value),
        "blind": kit.keys.blind(kind, value),
        "source": source,
        "created_at": now,
        "ended_at": None,
    }


def typed(number: str | None, mail: str | None) -> tuple[str | None, str | None]:
    """The number or the address of the official mail, as it is looked up; raises FieldsInvalid unless it is one."""
    if (number is None) == (mail is None):
        raise FieldsInvalid(
            FieldError(
                "national_id", "missing", "Cần đúng một trong hai trường national_id và official_email"
            )
        )
    if number is not None:
        number = re.sub(r"\s", "", number).upper()
        if not re.fullmatch(r"[0-9]{10}-[0-9]{3}|[0-9A-Z.]{3,35}", number):
            raise FieldsInvalid(
                FieldError("national_id", "invalid", "Số CCCD gồm 12 chữ số, số CMND gồm 9 chữ số")
            )
        return number, None
    lowered = (mail or "").strip().lower()
    if not MAIL.fullmatch(lowered):
        raise FieldsInvalid(FieldError("official_email", "bad_email", "Địa chỉ thư điện tử chưa đúng"))
    return None, lowered
