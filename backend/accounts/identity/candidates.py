"""Accounts that may be one person's: registered by CMND first, come by VNeID with a CCCD later (case R26).

A name and a birth date prove nothing: they make a candidate, of which the person is told a masked number and
nothing else. Who proves both joins them (`backend.roles.joins`).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Exists, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend import likeness
from backend.account import Account
from backend.account_rows import AnyAccount
from backend.accounts.identity.evidence import VNEID
from backend.accounts.identity.following import names_of
from backend.accounts.identity.numbers import NATIONAL_ID, OLD_ID
from backend.accounts.models import Identifier
from backend.db import Database
from backend.kit import Kit
from backend.names import masked, same_birth_date, same_name
from backend.statements import Question, given
from backend.support import notices
from backend.support.models import Notice
from backend.trouble import apart

NOTICE = "same_person"
BATCH = 200


class Candidate(NamedTuple):
    """Another account, and all that may be told of it."""

    account_id: UUID
    number: str  # masked


class Alike(NamedTuple):
    """An account that may be the same person's, and the number by which it is known."""

    id: UUID
    created_at: datetime
    full_name: bytes
    birth_date: bytes | None
    number: UUID
    value: bytes


OWN, SURE = aliased(Identifier), aliased(Identifier)


def _held(kind: str) -> Exists:
    """Whether the account itself has a number of this kind."""
    held = exists().where(OWN.account_id == given("account", OWN.account_id))
    return held.where(OWN.kind == kind, OWN.ended_at.is_(None))


ALIKE = Question(  # open accounts with a CMND only, where the account itself has a CCCD only
    Alike,
    select(
        Account.id,
        Account.created_at,
        Account.full_name,
        Account.birth_date,
        Identifier.id.label("number"),
        Identifier.value,
    )
    .join(Identifier, Identifier.account_id == Account.id)
    .where(
        Account.person_blind == given("person", Account.person_blind),
        Account.id != given("account", Account.id),
        Account.status == "active",
        Account.kind == "citizen",
        Identifier.kind == OLD_ID,
        Identifier.ended_at.is_(None),
        ~exists().where(SURE.account_id == Account.id, SURE.kind == NATIONAL_ID, SURE.ended_at.is_(None)),
        _held(NATIONAL_ID),
        ~_held(OLD_ID),
    ),
)


async def of(tx: AsyncSession, kit: Kit, account: AnyAccount) -> list[Candidate]:
    """Open accounts of the same name and birth date with a CMND only, where VNeID knows a CCCD only."""
    name, born = names_of(kit, account)
    proved = account.vneid_at is not None and account.vouched_by == VNEID and account.kind == "citizen"
    if not proved or not born:
        return []
    blinds = likeness.blinds_of(kit.keys, name, born)
    found = [one for blind in blinds for one in await ALIKE.all(tx, person=blind, account=account.id)]
    return [
        Candidate(one.id, masked(kit.keys.open("identifiers.value", one.number, one.value)))
        for one in sorted(found, key=lambda one: (one.created_at, one.id))
        if _is_same(kit, one, name, born)
    ]


async def tell(tx: AsyncSession, kit: Kit, account: AnyAccount, *, now: datetime) -> None:
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
                with apart("candidates", account.id):
                    account.person_blind = likeness.blind_of(kit.keys, *names_of(kit, account))
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def _is_same(kit: Kit, other: Alike, name: str, born: str) -> bool:
    their_name = kit.keys.open("accounts.full_name", other.id, other.full_name)
    if not same_name(their_name, name) or other.birth_date is None:
        return False
    return same_birth_date(kit.keys.open("accounts.birth_date", other.id, other.birth_date), born)
