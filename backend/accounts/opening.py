"""Accounts of people who have none, opened many at once from a list that proves nothing (cases R35, O15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend import likeness
from backend.account import Account
from backend.accounts.identity.evidence import IMPORTED
from backend.accounts.identity.numbers import kind_of
from backend.accounts.models import Identifier, Phone
from backend.accounts.phones import binding
from backend.db import new_id
from backend.facts import AccountsImported
from backend.kit import Kit
from backend.outside.clock import LOCAL


class AccountRow(msgspec.Struct, frozen=True):
    """One row of the file, checked."""

    line: int
    number: str
    full_name: str
    birth_date: str
    phone: str | None
    opened_on: date | None

    @property
    def kind(self) -> str:
        """What kind of number it is: nine digits are an old CMND."""
        return kind_of(self.number)


class Sealed(NamedTuple):
    """The rows of one person as they are written."""

    account: dict[str, Any]
    number: dict[str, Any]
    phone: dict[str, Any] | None
    spellings: tuple[bytes, ...] = ()  # the phone's index under every live key


async def open_all(
    tx: AsyncSession, kit: Kit, sealed: Sequence[Sealed], *, by: UUID | None, now: datetime
) -> int:
    """Open the accounts of people who have none; of how many the number serves as many accounts as it may already."""
    if not sealed:
        return 0
    await tx.execute(insert(Account), [one.account for one in sealed])
    await tx.execute(insert(Identifier), [one.number for one in sealed])
    phones = await _with_room(tx, kit, [one for one in sealed if one.phone])
    if phones:
        await tx.execute(insert(Phone), [one.phone for one in phones if one.phone])
    kit.journal.record(tx, AccountsImported(count=len(sealed)), by=by, now=now)
    return sum(one.phone is not None for one in sealed) - len(phones)


async def _with_room(tx: AsyncSession, kit: Kit, sealed: Sequence[Sealed]) -> list[Sealed]:
    """Those whose number serves fewer than it may, in the order of the file (source 001, 2.1; case A23).

    A list of the old portal may name one number for a whole commune. Whoever comes too late comes in without it.
    """
    most = kit.limits.accounts_per_phone
    if not most:
        return list(sealed)
    await binding.hold(tx, {blind for one in sealed for blind in one.spellings})
    served = await binding.counted(tx, [one.spellings for one in sealed])
    more: Counter[bytes] = Counter()
    found = []
    for one, before in zip(sealed, served, strict=True):
        assert one.phone is not None
        if before + more[one.phone["blind"]] < most:
            more[one.phone["blind"]] += 1
            found.append(one)
    return found


def sealed_rows(kit: Kit, row: AccountRow, now: datetime) -> Sealed:
    """The rows of the tables for one person, of whom the file proves nothing."""
    keys, account_id, number_id = kit.keys, new_id(), new_id()
    opened = datetime.combine(row.opened_on, time(), LOCAL).astimezone(UTC) if row.opened_on else now
    account = {
        "id": account_id,
        "status": "active",
        "kind": "citizen",
        "full_name": keys.seal("accounts.full_name", account_id, row.full_name),
        "birth_date": keys.seal("accounts.birth_date", account_id, row.birth_date),
        "person_blind": likeness.blind_of(keys, row.full_name, row.birth_date),
        "assurance_level": 1,
        "vouched_by": IMPORTED,
        "differs": "",
        "epoch": 0,
        "version": 1,
        "role_version": 0,
        "created_at": opened,
    }
    number = {
        "id": number_id,
        "account_id": account_id,
        "kind": row.kind,
        "value": keys.seal("identifiers.value", number_id, row.number),
        "blind": keys.blind(row.kind, row.number),
        "source": IMPORTED,
        "created_at": now,
    }
    if not row.phone:
        return Sealed(account, number, None)
    spellings = tuple(keys.blinds("phone", row.phone))
    return Sealed(account, number, _sealed_phone(kit, account_id, row.phone, now), spellings)


def _sealed_phone(kit: Kit, account_id: UUID, phone: str, now: datetime) -> dict[str, Any]:
    keys, phone_id = kit.keys, new_id()
    return {
        "id": phone_id,
        "account_id": account_id,
        "number": keys.seal("phones.number", phone_id, phone),
        "blind": keys.blind("phone", phone),
        "is_main": True,
        "source": IMPORTED,
        "confirmed_at": now,
    }
