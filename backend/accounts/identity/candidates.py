"""Accounts that may be one person's: registered by CMND first, come by VNeID with a CCCD later (case R26).

A name and a birth date prove nothing: they make a candidate, of which the person is told a masked number and
nothing else. Who proves both joins them (`backend.roles.joins`).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend import likeness
from backend.account import Account
from backend.accounts.identity.evidence import VNEID
from backend.accounts.identity.following import names_of
from backend.accounts.identity.identity_rows import ALIKE, NUMBERS
from backend.accounts.identity.numbers import NATIONAL_ID, OLD_ID
from backend.accounts.models import Identifier
from backend.db import Database
from backend.kit import Kit
from backend.names import masked, same_birth_date, same_name
from backend.support import notices
from backend.support.models import Notice

NOTICE = "same_person"
BATCH = 200


class Candidate(NamedTuple):
    """Another account, and all that may be told of it."""

    account_id: UUID
    number: str  # masked


async def of(tx: AsyncSession, kit: Kit, account: Account) -> list[Candidate]:
    """Open accounts of the same name and birth date with a CMND only, where VNeID knows a CCCD only."""
    name, born = names_of(kit, account)
    proved = account.vneid_at is not None and account.vouched_by == VNEID and account.kind == "citizen"
    if not proved or not born or await _kinds(tx, account.id) & {NATIONAL_ID, OLD_ID} != {NATIONAL_ID}:
        return []
    blinds = likeness.blinds_of(kit.keys, name, born)
    if not any([await ALIKE.all(tx, person=blind, account=account.id) for blind in blinds]):
        return []
    sure = aliased(Identifier)
    has_sure = exists().where(
        sure.account_id == Account.id, sure.kind == NATIONAL_ID, sure.ended_at.is_(None)
    )
    query = (
        select(Account, Identifier)
        .join(Identifier, Identifier.account_id == Account.id)
        .where(Account.person_blind.in_(blinds))
        .where(Account.id != account.id, Account.status == "active", Account.kind == "citizen")
        .where(Identifier.kind == OLD_ID, Identifier.ended_at.is_(None), ~has_sure)
        .order_by(Account.created_at, Account.id)
    )
    return [
        Candidate(other.id, masked(kit.keys.open("identifiers.value", row.id, row.value)))
        for other, row in await tx.execute(query.execution_options(populate_existing=True))
        if _is_same(kit, other, name, born)
    ]


async def tell(tx: AsyncSession, kit: Kit, account: Account, *, now: datetime) -> None:
    """Tell the person of each candidate, once."""
    for one in await of(tx, kit, account):
        told = select(Notice.id).where(
            Notice.account_id == account.id, Notice.kind == NOTICE, Notice.about == one.account_id
        )
        if await tx.scalar(told.limit(1)) is None:
            notices.tell(tx, kit, account.id, NOTICE, now=now, about=one.account_id, number=one.number)


async def fill(db: Database, kit: Kit) -> None:
    """Make accounts findable that an earlier release wrote, beside a living service."""
    last = UUID(int=0)
    while True:
        async with db.write() as tx:
            query = select(Account).where(
                Account.person_blind.is_(None), Account.birth_date.is_not(None), Account.id > last
            )
            rows = list(await tx.scalars(query.order_by(Account.id).limit(BATCH).with_for_update()))
            for account in rows:
                account.person_blind = likeness.blind_of(kit.keys, *names_of(kit, account))
        if len(rows) < BATCH:
            return
        last = rows[-1].id


async def _kinds(tx: AsyncSession, account_id: UUID) -> set[str]:
    return {one.kind for one in await NUMBERS.all(tx, account=account_id)}


def _is_same(kit: Kit, other: Account, name: str, born: str) -> bool:
    their_name, their_birth = names_of(kit, other)
    return same_name(their_name, name) and their_birth is not None and same_birth_date(their_birth, born)
