"""The numbers that name a person or an organisation, and who holds one (source 001: CMT/CCCD, MST, agency code)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import opened_here
from backend.accounts.identity.identity_rows import HOLDER, Held, held_by
from backend.accounts.models import Identifier
from backend.db import new_id
from backend.errors import FieldError, FieldsInvalid
from backend.kit import Kit
from backend.statements import listed

NATIONAL_ID, OLD_ID, TAX_CODE, AGENCY_CODE = "national_id", "old_id_number", "tax_code", "agency_code"
PERSONAL = "personal numbers"
FEW = 32  # whose numbers are asked for by a statement of the hot paths
Follows = Callable[[AsyncSession, Kit, UUID], Awaitable[None]]
followers: list[Follows] = []  # of the layers above, which this one does not know
MAIL = re.compile(r"[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,190}")


def kind_of(number: str) -> str:
    """Which number of a person this is: twelve digits are a CCCD, nine an old CMND."""
    return NATIONAL_ID if len(number) == 12 else OLD_ID


def is_of(kind: str) -> ColumnElement[bool]:
    """Of the numbers of people who are known: which kind one is. Said so that no index is asked for it.

    Those of one kind are as many as the province has people; SQLite, which counts a part of an index, thinks them few.
    """
    return Identifier.kind.concat("") == kind


async def holder_of(tx: AsyncSession, kit: Kit, value: str, kind: str = NATIONAL_ID) -> UUID | None:
    """Who holds a number of this kind at present."""
    for blind in kit.keys.blinds(kind, value):
        if (found := await HOLDER.maybe(tx, of_kind=kind, number=blind)) is not None:
            return found.account_id
    return None


async def holders_of(tx: AsyncSession, kit: Kit, values: Iterable[str]) -> dict[str, UUID]:
    """Who holds each of some personal numbers, all in one question; a number that nobody holds is not there."""
    owners = {blind: value for value in set(values) for blind in kit.keys.blinds(NATIONAL_ID, value)}
    if not owners:
        return {}
    held = select(Identifier.blind, Identifier.account_id).where(
        Identifier.kind == NATIONAL_ID, Identifier.blind.in_(list(owners)), Identifier.ended_at.is_(None)
    )
    return {owners[row.blind]: row.account_id for row in await tx.execute(held)}


async def personal(tx: AsyncSession, kit: Kit, accounts: Iterable[UUID]) -> dict[UUID, str]:
    """Current personal numbers by account; one is read and opened once in a transaction."""
    known: dict[UUID, str | None] = tx.info.setdefault(PERSONAL, {})
    wanted = set(accounts)
    # `wanted - known.keys()` would look at each that is known, for each line of a page
    asked = {one for one in wanted if one not in known}
    known.update(dict.fromkeys(asked))
    rows: Iterable[Held] = ()
    if 0 < len(asked) <= FEW:
        rows = await held_by(len(asked)).all(tx, **listed("account", asked))
    elif asked:
        # of one account there are few: an index by kind is that of half the province
        held = select(Identifier.id, Identifier.account_id, Identifier.kind, Identifier.value)
        current = (Identifier.account_id.in_(asked), Identifier.ended_at.is_(None))
        rows = map(Held._make, await tx.execute(held.where(*current)))
    learn(tx, kit, asked, rows)
    return {one: said for one in wanted if (said := known[one]) is not None}


def learn(tx: AsyncSession, kit: Kit, accounts: Iterable[UUID], rows: Iterable[Held | Identifier]) -> None:
    """What has been read of these accounts' numbers: nobody asks for the personal ones again."""
    known: dict[UUID, str | None] = tx.info.setdefault(PERSONAL, {})
    known.update(dict.fromkeys(accounts))
    for row in rows:
        if row.kind == NATIONAL_ID:
            known[row.account_id] = kit.keys.open("identifiers.value", row.id, row.value)


async def blinds_of(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[bytes]:
    """The blind indexes of the person's current personal number, under every live key."""
    number = (await personal(tx, kit, [account_id])).get(account_id)
    return kit.keys.blinds(NATIONAL_ID, number) if number else []


async def listed_blinds_of(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[bytes]:
    """The same of every number by which a list of people may name the person, an old CMND as well (case R19)."""
    held = await held_by(1).all(tx, **listed("account", [account_id]))
    if account_id not in tx.info.get(PERSONAL, {}):
        learn(tx, kit, [account_id], held)
    blinds = await blinds_of(tx, kit, account_id)
    for number in held:
        if number.kind == OLD_ID:
            blinds += kit.keys.blinds(OLD_ID, kit.keys.open("identifiers.value", number.id, number.value))
    return blinds


def forget(tx: AsyncSession) -> None:
    """Somebody's number has just changed: whoever asks in this transaction reads again."""
    tx.info.pop(PERSONAL, None)


async def changed(tx: AsyncSession, kit: Kit, account_id: UUID) -> None:
    """The same, and whatever leans on whose number it is follows in this transaction."""
    forget(tx)
    opened_here.forget(tx, account_id)
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
