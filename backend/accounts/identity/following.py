"""How an account follows what its e-ID says today, and notices what it says otherwise (source 003, II and VI)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from backend import account_rows, likeness
from backend.account import Account
from backend.account_rows import AccountNow, AnyAccount
from backend.accounts.identity import called
from backend.accounts.identity.evidence import SURE, VNEID, level_of, numbers_of
from backend.accounts.identity.identity_rows import NUMBERS
from backend.accounts.identity.numbers import changed, holder_of, identifier_row
from backend.accounts.models import Identifier
from backend.crypto import KeyRing
from backend.facts import IdentifierChanged
from backend.kit import Kit
from backend.names import fuller_birth_date, same_birth_date, same_name
from backend.outbox import renewal
from backend.outside.eid.eid_claims import Person


async def refresh(
    tx: AsyncSession, kit: Kit, account: AccountNow, person: Person, by: str, now: datetime
) -> AccountNow:
    """VNeID's attributes are read-only here and follow VNeID (source 003, II); others do not overrule it.

    An account that something else vouched for keeps its own and says what VNeID states otherwise
    (source 003, VI: which field to check); when nothing differs, VNeID vouches from now on. Of an owner it follows at
    level 1 nothing but that level: there a number is stated and not proved.
    """
    if account.vouched_by == by == VNEID and account.is_owned and person.level < SURE:
        name, birth = names_of(kit, account)  # it was sure of the person before: what it only states is less
        known = replace(person, full_name=name, birth_date=birth, gender=account.gender)
        account = await _follow(tx, kit, account, known, by, now)
    elif account.vouched_by == by:
        account = await _follow(tx, kit, account, person, by, now)
        await _follow_numbers(tx, kit, account, person, now)
    elif by == VNEID:
        differs = ",".join(differences(kit, account, person))
        if differs != account.differs:
            await account_rows.DIFFER.run(tx, account=account.id, fields=differs)
            account = account._replace(differs=differs)
        if not differs and SURE <= person.level >= account.assurance_level:
            await account_rows.VOUCH.run(tx, account=account.id, by=VNEID, now=now)
            account = account._replace(vouched_by=VNEID)
            account = await _follow(tx, kit, account, person, by, now)
    return account


async def _follow(
    tx: AsyncSession, kit: Kit, account: AccountNow, person: Person, by: str, now: datetime
) -> AccountNow:
    """What the provider does not state stays as it is known; of another name every system hears (R22)."""
    name, birth = names_of(kit, account)
    level = level_of(person, by)
    told = (
        person.full_name,
        fuller_birth_date(person.birth_date, birth),
        person.gender or account.gender,
        level,
    )
    if (name, birth, account.gender, account.assurance_level) != told:
        sealed_name, born = sealed_names(kit, account.id, person.full_name, told[1])
        account = account._replace(
            full_name=sealed_name, birth_date=born, gender=told[2], assurance_level=level
        )
        await account_rows.FOLLOW.run(
            tx,
            account=account.id,
            name=sealed_name,
            born=born,
            person=likeness.blind_of(kit.keys, person.full_name, told[1]),
            said=account.gender,
            level=level,
            now=now,
        )
    if name != person.full_name:
        await called.follow(tx, kit.keys, {account.id: person.full_name})
        await renewal.renew(tx, [account.id], now=now)
    return account


async def _follow_numbers(
    tx: AsyncSession, kit: Kit, account: AccountNow, person: Person, now: datetime
) -> None:
    """Numbers that the provider states now; one that somebody else holds is left alone (case TL10)."""
    held = {one.kind: one for one in await NUMBERS.all(tx, account=account.id)}
    for kind, value in numbers_of(person).items():
        current = held.get(kind)
        if current is not None and current.blind in kit.keys.blinds(kind, value):
            continue
        if await holder_of(tx, kit, value, kind) is not None:
            continue
        if current is not None:
            (await tx.get_one(Identifier, current.id)).ended_at = now
            await tx.flush()
            fact = IdentifierChanged(subject=account.id, issuer=person.issuer)
            kit.journal.record(tx, fact, by=None, now=now)
        tx.add(identifier_row(kit, account.id, kind, value, source=person.issuer, now=now))
        await changed(tx, kit, account.id)
        await account_rows.SHOWN_ANEW.run(tx, account=account.id)


def names_of(kit: Kit, account: AnyAccount) -> tuple[str, str | None]:
    """Full name and birth date."""
    return names_in(kit.keys, account)


def names_in(keys: KeyRing, account: AnyAccount) -> tuple[str, str | None]:
    """The same, where there are keys only."""
    birth = account.birth_date
    return (
        keys.open("accounts.full_name", account.id, account.full_name),
        keys.open("accounts.birth_date", account.id, birth) if birth else None,
    )


def differences(kit: Kit, account: AccountNow, person: Person) -> list[str]:
    """Which of name and birth date the provider states otherwise than the account has them."""
    name, birth = names_of(kit, account)
    found = [] if same_name(name, person.full_name) else ["full_name"]
    if birth and person.birth_date and not same_birth_date(birth, person.birth_date):
        found.append("birth_date")
    return found


def seal_names(kit: Kit, account: Account, full_name: str, birth_date: str | None) -> None:
    """Write full name and birth date, sealed, and by what they are found."""
    account.full_name, account.birth_date = sealed_names(kit, account.id, full_name, birth_date)
    account.person_blind = likeness.blind_of(kit.keys, full_name, birth_date)


def sealed_names(
    kit: Kit, account_id: UUID, full_name: str, birth_date: str | None
) -> tuple[bytes, bytes | None]:
    """Full name and birth date as the account's row has them."""
    return (
        kit.keys.seal("accounts.full_name", account_id, full_name),
        kit.keys.seal("accounts.birth_date", account_id, birth_date) if birth_date else None,
    )
