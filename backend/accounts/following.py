"""How an account follows what its e-ID says today, and notices what it says otherwise (source 003, II and VI)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Account, Identifier
from backend.accounts.numbers import NATIONAL_ID, holder_of, identifier_row
from backend.facts import IdentifierChanged
from backend.kit import Kit
from backend.names import same_name
from backend.outside.eid_claims import Person

VNEID = "vneid"


async def refresh(
    tx: AsyncSession, kit: Kit, account: Account, person: Person, by: str, now: datetime
) -> None:
    """VNeID's attributes are read-only here and follow VNeID (source 003, II); others do not overrule it.

    An account that something else vouched for keeps its own and says what VNeID states otherwise
    (source 003, VI: which field to check); when nothing differs, VNeID vouches from now on.
    """
    if account.vouched_by == by:
        _follow(kit, account, person, by, now)
        await _follow_number(tx, kit, account, person, now)
    elif by == VNEID:
        differs = ",".join(_differences(kit, account, person))
        if differs != account.differs:
            account.differs = differs
            account.version += 1
        if not differs and person.level >= account.assurance_level:
            account.vouched_by, account.vouched_at = VNEID, now
            _follow(kit, account, person, by, now)


def _follow(kit: Kit, account: Account, person: Person, by: str, now: datetime) -> None:
    name, birth = names_of(kit, account)
    level = person.level if by == VNEID else 2
    if (name, birth, account.gender, account.assurance_level) != (
        person.full_name,
        person.birth_date,
        person.gender,
        level,
    ):
        seal_names(kit, account, person.full_name, person.birth_date)
        account.gender, account.assurance_level = person.gender, level
        account.vouched_at = now
        account.version += 1


async def _follow_number(tx: AsyncSession, kit: Kit, account: Account, person: Person, now: datetime) -> None:
    if not person.national_id:
        return
    query = select(Identifier).where(
        Identifier.account_id == account.id, Identifier.kind == NATIONAL_ID, Identifier.ended_at.is_(None)
    )
    current = (await tx.execute(query)).scalar_one_or_none()
    if current is None or current.blind not in kit.keys.blinds(NATIONAL_ID, person.national_id):
        if await holder_of(tx, kit, person.national_id) is not None:
            return  # somebody else holds that number: the accounts stay apart (security TL10)
        if current is not None:
            current.ended_at = now
            await tx.flush()
        tx.add(
            identifier_row(kit, account.id, NATIONAL_ID, person.national_id, source=person.issuer, now=now)
        )
        account.version += 1
        kit.journal.record(tx, IdentifierChanged(subject=account.id, issuer=person.issuer), by=None, now=now)


def names_of(kit: Kit, account: Account) -> tuple[str, str | None]:
    """Full name and birth date."""
    birth = account.birth_date
    return (
        kit.keys.open("accounts.full_name", account.id, account.full_name),
        kit.keys.open("accounts.birth_date", account.id, birth) if birth else None,
    )


def _differences(kit: Kit, account: Account, person: Person) -> list[str]:
    name, birth = names_of(kit, account)
    found = [] if same_name(name, person.full_name) else ["full_name"]
    if birth and person.birth_date and birth != person.birth_date:
        found.append("birth_date")
    return found


def seal_names(kit: Kit, account: Account, full_name: str, birth_date: str | None) -> None:
    """Write full name and birth date, sealed."""
    account.full_name = kit.keys.seal("accounts.full_name", account.id, full_name)
    account.birth_date = kit.keys.seal("accounts.birth_date", account.id, birth_date) if birth_date else None
