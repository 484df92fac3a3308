"""Which account a proved person has: found by (issuer, subject), linked by number, or opened (security O8)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Account, Identifier, Identity, Phone
from backend.db import new_id
from backend.facts import AccountOpened, IdentifierChanged, IdentityLinked
from backend.kit import Kit
from backend.names import masked, masked_phone
from backend.outside.eid_claims import Person

NATIONAL_ID = "national_id"


async def account_of(tx: AsyncSession, kit: Kit, person: Person, *, now: datetime) -> Account | None:
    """The person's account, brought up to date with what the e-ID says today, or nothing."""
    query = select(Identity).where(Identity.issuer == person.issuer, Identity.subject == person.subject)
    identity = (await tx.execute(query)).scalar_one_or_none()
    if identity is None:
        holder = await holder_of(tx, kit, person.national_id)
        if holder is None:
            return None
        identity = _identity(holder, person, now)
        tx.add(identity)
        kit.journal.record(tx, IdentityLinked(subject=holder, issuer=person.issuer), by=holder, now=now)
    account = await tx.get(Account, identity.account_id, with_for_update=True)
    assert account is not None
    identity.last_used_at, identity.level = now, person.level
    await _refresh(tx, kit, account, person, now)
    return account


async def open_account(tx: AsyncSession, kit: Kit, person: Person, *, now: datetime) -> Account:
    """Give a proved person the one account; of two at once one opens it and the other finds it."""
    try:
        async with tx.begin_nested():
            account = Account(
                id=new_id(),
                status="active",
                gender=person.gender,
                assurance_level=person.level,
                epoch=0,
                version=1,
                role_version=0,
                created_at=now,
            )
            _seal_names(kit, account, person)
            tx.add(account)
            await tx.flush()
            tx.add(_identity(account.id, person, now))
            tx.add(_identifier(kit, account.id, person, now))
    except IntegrityError:
        existing = await account_of(tx, kit, person, now=now)
        if existing is None:
            raise
        return existing
    kit.journal.record(tx, AccountOpened(subject=account.id, issuer=person.issuer), by=account.id, now=now)
    return account


async def holder_of(tx: AsyncSession, kit: Kit, national_id: str) -> UUID | None:
    """Who holds a personal number at present."""
    return (
        await tx.execute(
            select(Identifier.account_id).where(
                Identifier.kind == NATIONAL_ID,
                Identifier.blind.in_(kit.keys.blinds(NATIONAL_ID, national_id)),
                Identifier.ended_at.is_(None),
            )
        )
    ).scalar_one_or_none()


async def _refresh(tx: AsyncSession, kit: Kit, account: Account, person: Person, now: datetime) -> None:
    """VNeID's attributes are read-only here and follow VNeID (source 003, II)."""
    before = (
        kit.keys.open("accounts.full_name", account.id, account.full_name),
        kit.keys.open("accounts.birth_date", account.id, account.birth_date) if account.birth_date else None,
        account.gender,
        account.assurance_level,
    )
    if before != (person.full_name, person.birth_date, person.gender, person.level):
        _seal_names(kit, account, person)
        account.gender, account.assurance_level = person.gender, person.level
        account.version += 1
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
        tx.add(_identifier(kit, account.id, person, now))
        account.version += 1
        kit.journal.record(tx, IdentifierChanged(subject=account.id, issuer=person.issuer), by=None, now=now)


def _seal_names(kit: Kit, account: Account, person: Person) -> None:
    account.full_name = kit.keys.seal("accounts.full_name", account.id, person.full_name)
    birth = person.birth_date
    account.birth_date = kit.keys.seal("accounts.birth_date", account.id, birth) if birth else None


def _identity(account_id: UUID, person: Person, now: datetime) -> Identity:
    return Identity(
        id=new_id(),
        account_id=account_id,
        issuer=person.issuer,
        subject=person.subject,
        level=person.level,
        created_at=now,
        last_used_at=now,
    )


def _identifier(kit: Kit, account_id: UUID, person: Person, now: datetime) -> Identifier:
    row = Identifier(
        id=new_id(),
        account_id=account_id,
        kind=NATIONAL_ID,
        blind=kit.keys.blind(NATIONAL_ID, person.national_id),
        source=person.issuer,
        created_at=now,
    )
    row.value = kit.keys.seal("identifiers.value", row.id, person.national_id)
    return row


def bind_phone(tx: AsyncSession, kit: Kit, account_id: UUID, phone: str, *, now: datetime) -> None:
    """Give the account a phone that a code has just proved."""
    row = Phone(id=new_id(), account_id=account_id, blind=kit.keys.blind("phone", phone), confirmed_at=now)
    row.number = kit.keys.seal("phones.number", row.id, phone)
    tx.add(row)


async def phones_of(tx: AsyncSession, account_id: UUID) -> list[Phone]:
    """The account's present phones, oldest first."""
    query = select(Phone).where(Phone.account_id == account_id, Phone.ended_at.is_(None))
    return list(await tx.scalars(query.order_by(Phone.confirmed_at)))


async def accounts_with(tx: AsyncSession, kit: Kit, phone: str) -> int:
    """How many accounts this number serves."""
    query = select(func.count(Phone.account_id.distinct())).where(
        Phone.blind.in_(kit.keys.blinds("phone", phone)), Phone.ended_at.is_(None)
    )
    return int(await tx.scalar(query) or 0)


async def described(tx: AsyncSession, kit: Kit, account: Account) -> dict[str, object]:
    """What a person is shown of themselves, numbers masked (contract-accounts, 31)."""
    query = select(Identifier).where(Identifier.account_id == account.id, Identifier.ended_at.is_(None))
    identifiers = [
        {"type": row.kind, "value": masked(kit.keys.open("identifiers.value", row.id, row.value))}
        for row in await tx.scalars(query.order_by(Identifier.created_at))
    ]
    phones = [
        masked_phone(kit.keys.open("phones.number", row.id, row.number))
        for row in await phones_of(tx, account.id)
    ]
    return {
        "id": account.id,
        "kind": "citizen",
        "full_name": kit.keys.open("accounts.full_name", account.id, account.full_name),
        "identifiers": identifiers,
        "phones": phones,
        "assurance_level": account.assurance_level,
        "assurance_scheme": "vneid",
    }
