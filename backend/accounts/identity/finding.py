"""Which account the evidence of a way in leads to: by the way in itself, else by number; and how the two agree."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account_rows import AccountNow
from backend.accounts.identity import following
from backend.accounts.identity.evidence import Evidence
from backend.accounts.identity.identity_rows import KNOWN, Known, leads_to, leads_to_held
from backend.accounts.identity.joining import Answer, Found, Standing, decide
from backend.accounts.identity.numbers import AGENCY_CODE, OLD_ID
from backend.accounts.models import Certificate
from backend.db import has_waited
from backend.kit import Kit
from backend.names import agency_notations, same_birth_date, same_name
from backend.statements import numbered


class Match(NamedTuple):
    """The account, its row of the e-ID's identity where there is one, and how the evidence fits it."""

    account: AccountNow
    identity: Known | None
    found: Found


async def find(tx: AsyncSession, kit: Kit, evidence: Evidence, *, hold: bool = True) -> Match | None:
    """The account that the evidence leads to; `hold` keeps it from changing until the commit."""
    led = await _led(tx, kit, evidence, hold=hold)
    if led is None:
        return None
    identity, account, sure = led
    # whoever held the account before may have linked it, or taken it away
    now_there = await _identity(tx, evidence) if hold and has_waited(tx) else identity
    if now_there is not None and now_there.account_id == account.id:
        return Match(account, now_there, await _facts(tx, kit, account, evidence, Standing.OPEN, sure=True))
    if identity is not None:
        return await find(tx, kit, evidence, hold=hold)
    standing = await _of_certificate(tx, account, evidence)
    return Match(account, None, await _facts(tx, kit, account, evidence, standing, sure=sure))


def decided(evidence: Evidence, match: Match | None, *, signed_in: bool = False) -> Answer:
    """What `joining` says of this evidence and this account."""
    sure = any(kind != OLD_ID for kind in evidence.identifiers)
    found = match.found if match is not None else None
    return decide(evidence.by, evidence.level, found, signed_in=signed_in, sure=sure)


async def _led(
    tx: AsyncSession, kit: Kit, evidence: Evidence, *, hold: bool
) -> tuple[Known | None, AccountNow, bool] | None:
    """By what the e-ID calls the person, else by number; and whether that is one that only one person ever gets."""
    named = _numbers(kit, evidence)
    question = (leads_to_held if hold else leads_to)(len(named))
    numbers = numbered({"kind": kind, "number": blind} for kind, blind in named)
    found = await question.maybe(tx, issuer=evidence.source, subject=evidence.subject, **numbers)
    if found is None:
        return None
    account = AccountNow._make(found[2:])
    if found.identity is not None:
        return Known(found.identity, account.id), account, True
    return None, account, found.named_by is not None and named[found.named_by][0] != OLD_ID


def _numbers(kit: Kit, evidence: Evidence) -> list[tuple[str, bytes]]:
    """Each number of the evidence in each spelling and under each key; what more than one person had comes last."""
    of_kind = sorted(evidence.identifiers.items(), key=lambda one: one[0] == OLD_ID)
    return [
        (kind, blind)
        for kind, value in of_kind
        for spelling in (agency_notations(value) if kind == AGENCY_CODE else (value,))
        for blind in kit.keys.blinds(kind, spelling)
    ]


async def _identity(tx: AsyncSession, evidence: Evidence) -> Known | None:
    if evidence.subject is None:
        return None
    return await KNOWN.maybe(tx, issuer=evidence.source, subject=evidence.subject)


async def _of_certificate(tx: AsyncSession, account: AccountNow, evidence: Evidence) -> Standing:
    """How the very certificate stands in the account."""
    if evidence.key is None:
        return Standing.UNKNOWN
    query = select(Certificate).where(
        Certificate.account_id == account.id, Certificate.thumbprint == evidence.key
    )
    row = await tx.scalar(query.execution_options(populate_existing=True))
    if row is None:
        return Standing.UNKNOWN
    if row.ended_at is not None:
        return Standing.REMOVED
    return Standing.OPEN if row.kept_until is None else Standing.SHUT


async def _facts(
    tx: AsyncSession, kit: Kit, account: AccountNow, evidence: Evidence, standing: Standing, *, sure: bool
) -> Found:
    name, born = following.names_of(kit, account)
    enrolled = select(Certificate.id).where(
        Certificate.account_id == account.id, Certificate.ended_at.is_(None), Certificate.kept_until.is_(None)
    )
    stated = evidence.birth_date
    return Found(
        vouched_by=account.vouched_by,
        level=account.assurance_level,
        is_owned=account.is_owned,
        standing=standing,
        by_sure_number=sure,
        same_name=same_name(name, evidence.full_name),
        same_birth_date=same_birth_date(born, stated) if born and stated else None,
        has_certificate=evidence.key is not None and await tx.scalar(enrolled.limit(1)) is not None,
    )
