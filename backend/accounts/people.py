"""Which account a proved person has: found by (issuer, subject), linked by number, or opened (security O8)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import following, unproved
from backend.accounts.following import VNEID
from backend.accounts.models import Account, Identifier, Identity, Phone
from backend.accounts.numbers import OLD_ID, holder_among, holder_of, identifier_row
from backend.db import new_id
from backend.errors import Conflict, Forbidden
from backend.facts import AccountOpened, IdentityLinked
from backend.kit import Kit
from backend.names import masked, masked_phone
from backend.outside.eid_claims import Person
from backend.support import notices

POST_OFFICE = "post_office"


class AccountExists(Conflict):
    """Whoever proved to be this person or organisation has an account already."""

    code = "account_exists"
    title = "Bạn đã có tài khoản, vui lòng đăng nhập hoặc lấy lại mật khẩu"


class LinkRequired(Forbidden):
    """The post office names a person who has an account; it is never linked by number alone (contract-accounts, 2)."""

    code = "link_required"
    title = "Bạn đã có tài khoản. Hãy đăng nhập bằng cách đã dùng"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody proved, as an account is opened for them; `vouched_by` proved it, `source` is its name in full."""

    full_name: str
    level: int
    vouched_by: str
    source: str
    identifiers: dict[str, str]
    kind: str = "citizen"
    birth_date: str | None = None
    gender: str | None = None


def profile_of(person: Person, vouched_by: str) -> Profile:
    """An e-ID's person as the account will hold them."""
    return Profile(
        full_name=person.full_name,
        level=following.level_of(person, vouched_by),
        vouched_by=vouched_by,
        source=person.issuer,
        identifiers=following.numbers_of(person),
        kind=person.kind,
        birth_date=person.birth_date,
        gender=person.gender,
    )


async def account_of(
    tx: AsyncSession, kit: Kit, person: Person, *, now: datetime, by: str = VNEID
) -> Account | None:
    """The person's account, brought up to date with what the e-ID says today, or nothing.

    Raises LinkRequired when another provider than VNeID names somebody who has one.
    """
    query = select(Identity).where(Identity.issuer == person.issuer, Identity.subject == person.subject)
    identity = (await tx.execute(query)).scalar_one_or_none()
    is_linked = identity is not None
    if identity is None:
        holder = await _named(tx, kit, person, by)
        if holder is None:
            return None
        if by != VNEID:
            raise LinkRequired
        identity = _identity(holder, person, now)
        tx.add(identity)
        kit.journal.record(tx, IdentityLinked(subject=holder, issuer=person.issuer), by=holder, now=now)
        notices.tell(tx, kit, holder, "method_added", now=now, method=VNEID)  # also if another opened it
    account = await tx.get(Account, identity.account_id, with_for_update=True)
    assert account is not None
    if not is_linked:
        await unproved.drop(tx, kit, account, now=now)
    identity.last_used_at, identity.level = now, person.level
    await following.refresh(tx, kit, account, person, by, now)
    return account


async def _named(tx: AsyncSession, kit: Kit, person: Person, by: str) -> UUID | None:
    """Whose account the numbers name; an old number alone must fit name and birth date too.

    Nine digits were given out by each province, and the same ones to two people now and then: they
    let nobody into a stranger's account.
    """
    stated = profile_of(person, by).identifiers
    old = stated.pop(OLD_ID, None)
    holder = await holder_among(tx, kit, stated)
    if holder is not None or old is None:
        return holder
    holder = await holder_of(tx, kit, old, OLD_ID)
    account = await tx.get(Account, holder) if holder is not None else None
    return holder if account is not None and not following.differences(kit, account, person) else None


async def open_account(
    tx: AsyncSession, kit: Kit, person: Person, *, now: datetime, by: str = VNEID
) -> Account:
    """Give a proved person the one account; of two at once one opens it and the other finds it."""
    profile = profile_of(person, by)
    old = profile.identifiers.get(OLD_ID)
    if old is not None and len(profile.identifiers) > 1 and await holder_of(tx, kit, old, OLD_ID) is not None:
        profile.identifiers.pop(
            OLD_ID
        )  # a stranger's: `account_of` has found that this is not the same person
    try:
        async with tx.begin_nested():
            account = await open_with(tx, kit, profile, now=now)
            tx.add(_identity(account.id, person, now))
    except AccountExists:
        existing = await account_of(tx, kit, person, now=now, by=by)
        if existing is None:
            raise
        return existing
    return account


async def open_with(tx: AsyncSession, kit: Kit, profile: Profile, *, now: datetime) -> Account:
    """Open the one account of somebody proved; raises AccountExists when one of the numbers is held."""
    if await holder_among(tx, kit, profile.identifiers) is not None:
        raise AccountExists
    account = Account(
        id=new_id(),
        status="active",
        kind=profile.kind,
        gender=profile.gender,
        assurance_level=profile.level,
        vouched_by=profile.vouched_by,
        vouched_at=now,
        differs="",
        epoch=0,
        version=1,
        role_version=0,
        created_at=now,
    )
    following.seal_names(kit, account, profile.full_name, profile.birth_date)
    try:
        async with tx.begin_nested():
            tx.add(account)
            await tx.flush()
            for kind, value in profile.identifiers.items():
                tx.add(identifier_row(kit, account.id, kind, value, source=profile.source, now=now))
    except IntegrityError:
        raise AccountExists from None
    kit.journal.record(tx, AccountOpened(subject=account.id, issuer=profile.source), by=account.id, now=now)
    return account


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


def bind_phone(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    phone: str,
    *,
    now: datetime,
    source: str = "code",
    is_main: bool = True,
) -> Phone:
    """Give the account a phone that a code has just proved; where `source` is subscriber, the carrier too."""
    row = Phone(id=new_id(), account_id=account_id, blind=kit.keys.blind("phone", phone), confirmed_at=now)
    row.source, row.is_main = source, is_main
    row.number = kit.keys.seal("phones.number", row.id, phone)
    tx.add(row)
    return row


async def phones_of(tx: AsyncSession, account_id: UUID) -> list[Phone]:
    """The account's present phones, the main one first, then by age."""
    query = select(Phone).where(Phone.account_id == account_id, Phone.ended_at.is_(None))
    return list(await tx.scalars(query.order_by(Phone.is_main.desc(), Phone.confirmed_at)))


def number_of(kit: Kit, phone: Phone) -> str:
    """The number itself, E.164."""
    return kit.keys.open("phones.number", phone.id, phone.number)


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
    phones = [masked_phone(number_of(kit, row)) for row in await phones_of(tx, account.id)]
    return {
        "id": account.id,
        "kind": account.kind,
        "full_name": kit.keys.open("accounts.full_name", account.id, account.full_name),
        "identifiers": identifiers,
        "phones": phones,
        "assurance_level": account.assurance_level,
        "assurance_scheme": account.assurance_scheme,
    }
