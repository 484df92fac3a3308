"""What a stranger could have left in an account goes when its owner first comes (account fixation; rule 103).

Leaked data, a junk SIM in somebody's name or a post-office counter open an account in another's name. VNeID of
level 2 or a certificate knows better: what neither of them, nor today's subscriber registry, vouches for is
ended in the commit that lets the owner in; what the registry vouches for is kept shut until the owner has said
that it is theirs (rule 104).
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend import account_rows
from backend.account_rows import AccountNow
from backend.accounts.identity import finding
from backend.accounts.identity.evidence import CERTIFICATE, POST_OFFICE, VNEID, Evidence
from backend.accounts.identity.finding import Match
from backend.accounts.identity.numbers import kind_of
from backend.accounts.models import Certificate, Identity, OneTimeCode, Password, Phone
from backend.db import Database
from backend.devices import sessions
from backend.facts import MethodRemoved, OwnerCame
from backend.flows import Flow
from backend.kit import Kit
from backend.names import masked_phone, same_birth_date, same_name
from backend.outside.registries import Registries, RegistryUnavailable, Subscriber
from backend.support import notices

REASON = "owner_came"


class Unasked(Exception):
    """Something ends, and the registry must say first what it vouches for: never inside a transaction."""


class Coming(NamedTuple):
    """With what the owner comes: the numbers that `vouched_phones` found, and the session and flow that prove it.

    Where nobody has asked for them yet, `Unasked` says so when they are wanted.
    """

    vouched: frozenset[str] | None = frozenset()
    session: UUID | None = None
    flow: UUID | None = None


async def vouched_phones(
    db: Database, kit: Kit, registries: Registries, evidence: Evidence, *, signed_in: bool = False
) -> frozenset[str]:
    """Which numbers of the account today's subscriber registry gives to the person who comes now.

    Asked before the transaction that lets them in, and only where something ends with it. While the registry does
    not answer it vouches for nothing.
    """
    async with db.read() as tx:
        match = await finding.find(tx, kit, evidence, hold=False)
        if match is None or not finding.decided(evidence, match, signed_in=signed_in).ends:
            return frozenset()
        phones = [_number(kit, row) for row in await _phones_of(tx, match.account.id)]
    found = await asyncio.gather(*(_asked(registries, phone) for phone in phones))
    return frozenset(one.phone for one in found if one is not None and _is_of(one, evidence))


async def _asked(registries: Registries, phone: str) -> Subscriber | None:
    try:
        return await registries.subscriber(phone)
    except RegistryUnavailable:
        return None


def _is_of(found: Subscriber, evidence: Evidence) -> bool:
    number = evidence.identifiers.get(kind_of(found.national_id))
    born = evidence.birth_date is None or same_birth_date(found.birth_date, evidence.birth_date)
    return (
        found.active
        and number == found.national_id
        and same_name(found.full_name, evidence.full_name)
        and born
    )


async def owner_came(
    tx: AsyncSession, kit: Kit, match: Match, evidence: Evidence, coming: Coming, *, now: datetime
) -> None:
    """End all that nobody vouches for, shut the rest, and tell the owner; the caller holds the account row."""
    if coming.vouched is None:
        raise Unasked
    account = match.account
    until = now + timedelta(days=kit.limits.kept_days)
    ended, kept = await _phones(tx, kit, account, coming.vouched, until, now)
    for row in await _others(tx, match, evidence):
        is_kept = (bool(kept) and isinstance(row, Password)) or isinstance(row, Certificate)
        if is_kept and not isinstance(row, Identity):
            row.kept_until = until
        else:
            await tx.delete(row)
        kind = _kind(row, account, evidence)
        (kept if is_kept else ended).append(kind)
        if not is_kept:
            of = account.id if isinstance(row, Password) else row.id
            fact = MethodRemoved(subject=account.id, method=of, kind=kind)
            kit.journal.record(tx, fact, by=account.id, now=now)
    await sessions.end_all(tx, kit, account.id, reason=REASON, by=account.id, now=now, but=coming.session)
    await _half_way(tx, account.id, coming.flow, now)
    came = OwnerCame(subject=account.id, proved_by=evidence.by, ended=len(ended), kept=len(kept))
    kit.journal.record(tx, came, by=account.id, now=now)
    gone, shut = "|".join(ended) or "nothing", "|".join(kept) or "nothing"
    notices.tell(tx, kit, account.id, REASON, now=now, ended=gone, kept=shut)
    await account_rows.SHOWN_ANEW.run(tx, account=account.id)


async def _phones(
    tx: AsyncSession, kit: Kit, account: AccountNow, vouched: frozenset[str], until: datetime, now: datetime
) -> tuple[list[str], list[str]]:
    """End or shut each number; both lists as they are told."""
    ended: list[str] = []
    kept: list[str] = []
    for phone in await _phones_of(tx, account.id):
        number = _number(kit, phone)
        if number in vouched:
            phone.kept_until, phone.is_main = until, False
            kept.append(masked_phone(number))
            continue
        phone.ended_at = now
        ended.append(masked_phone(number))
        fact = MethodRemoved(subject=account.id, method=phone.id, kind="phone")
        kit.journal.record(tx, fact, by=account.id, now=now)
    return ended, kept


async def _others(
    tx: AsyncSession, match: Match, evidence: Evidence
) -> list[Password | Certificate | Identity]:
    """Password, certificates and identities but what the owner comes with."""
    account, own = match.account, match.identity
    certificates = select(Certificate).where(
        Certificate.account_id == account.id, Certificate.ended_at.is_(None)
    )
    found: list[Password | Certificate | Identity] = []
    if (password := await tx.get(Password, account.id, populate_existing=True)) is not None:
        found.append(password)
    found += [one for one in await tx.scalars(certificates) if one.thumbprint != evidence.key]
    identities = select(Identity).where(Identity.account_id == account.id)
    return found + [one for one in await tx.scalars(identities) if own is None or one.id != own.id]


def _kind(row: Password | Certificate | Identity, account: AccountNow, evidence: Evidence) -> str:
    if isinstance(row, Password):
        return "password"
    if isinstance(row, Certificate):
        return CERTIFICATE
    return VNEID if row.issuer == evidence.source or account.vouched_by == VNEID else POST_OFFICE


async def _phones_of(tx: AsyncSession, account_id: UUID) -> list[Phone]:
    query = select(Phone).where(Phone.account_id == account_id, Phone.ended_at.is_(None))
    return list(await tx.scalars(query.execution_options(populate_existing=True)))


def _number(kit: Kit, phone: Phone) -> str:
    return kit.keys.open("phones.number", phone.id, phone.number)


async def _half_way(tx: AsyncSession, account_id: UUID, flow: UUID | None, now: datetime) -> None:
    """Whatever waits for a step, and every code that could still be right."""
    other = Flow.id != flow if flow is not None else Flow.id.is_not(None)
    waiting = delete(Flow).where(Flow.account_id == account_id, other)
    await tx.execute(waiting.execution_options(synchronize_session=False))
    living = update(OneTimeCode).where(
        OneTimeCode.account_id == account_id, OneTimeCode.used_at.is_(None), OneTimeCode.voided_at.is_(None)
    )
    await tx.execute(living.values(voided_at=now).execution_options(synchronize_session=False))
