"""What somebody's data are used for, on which ground, and what they allowed (rule 903).

Law 91/2025/QH15: nothing is allowed by default, a consent is for one purpose, can be taken back,
and its proof is kept. What the State's task or the service itself needs does not ask.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Consent
from backend.accounts.self import mine
from backend.caller import Who
from backend.db import new_id
from backend.errors import Conflict, NotFound
from backend.facts import ConsentGiven, ConsentWithdrawn
from backend.kit import Kit

CONSENT, PUBLIC_DUTY, CONTRACT = "consent", "public_duty", "contract"
NOTICES_BY_SMS = "notices_by_sms"  # read by `roles.texting`
PURPOSES = {
    "sign_in": PUBLIC_DUTY,  # who somebody is, before a public service answers
    "access_history": PUBLIC_DUTY,  # security of accounts: the person must be able to see a stranger's try
    "roles": PUBLIC_DUTY,  # management of officials: who may act for which unit
    "support": CONTRACT,  # the desk answers whoever asked it
    NOTICES_BY_SMS: CONSENT,
}


class PurposeUnknown(NotFound):
    """Nothing is done for such a purpose."""

    code = "purpose_unknown"
    title = "Không có mục đích xử lý dữ liệu này"


class NotByConsent(Conflict):
    """The ground of this purpose is another than consent; `basis` names it."""

    code = "not_by_consent"
    title = "Mục đích này được thực hiện theo quy định, không dựa trên sự đồng ý"


class Standing(msgspec.Struct, frozen=True):
    """One purpose, and the last word on it."""

    purpose: str
    basis: str
    given_at: datetime | None = None
    withdrawn_at: datetime | None = None


async def standings(tx: AsyncSession, account_id: UUID, *, gone: bool = False) -> list[Standing]:
    """Every purpose, whether or not anything was ever said on it; with `gone` also what was said on former ones."""
    last = {row.purpose: row for row in await proofs(tx, account_id)}
    former = [purpose for purpose in last if purpose not in PURPOSES] if gone else []
    return [_standing(purpose, last.get(purpose)) for purpose in (*PURPOSES, *former)]


async def proofs(tx: AsyncSession, account_id: UUID) -> list[Consent]:
    """Every consent that was ever given, oldest first."""
    query = select(Consent).where(Consent.account_id == account_id)
    return list(await tx.scalars(query.order_by(Consent.given_at, Consent.id)))


async def allows(tx: AsyncSession, account_id: UUID, purpose: str) -> bool:
    """Whether the person's consent to this purpose stands; to be asked at every use."""
    return any(_is_live(row, purpose) for row in await proofs(tx, account_id))


async def say(tx: AsyncSession, kit: Kit, who: Who, purpose: str, *, given: bool, now: datetime) -> Standing:
    """Allow a purpose or take that back; saying the same again changes nothing."""
    basis = PURPOSES.get(purpose)
    if basis is None:
        raise PurposeUnknown
    if basis != CONSENT:
        raise NotByConsent(basis=basis)
    account_id = (await mine.held(tx, who)).id
    live = next((row for row in await proofs(tx, account_id) if _is_live(row, purpose)), None)
    if given and live is None:
        live = Consent(id=new_id(), account_id=account_id, purpose=purpose, given_at=now)
        tx.add(live)
        kit.journal.record(tx, ConsentGiven(subject=account_id, purpose=purpose), by=account_id, now=now)
    elif not given and live is not None:
        _withdraw(tx, kit, live, now)
    await tx.flush()
    return next(one for one in await standings(tx, account_id) if one.purpose == purpose)


async def withdraw_all(tx: AsyncSession, kit: Kit, account_id: UUID, *, now: datetime) -> None:
    """Take everything back that is still given; the rows stay as the proof that it once was."""
    for row in await proofs(tx, account_id):
        if row.withdrawn_at is None:
            _withdraw(tx, kit, row, now)


def _withdraw(tx: AsyncSession, kit: Kit, row: Consent, now: datetime) -> None:
    row.withdrawn_at = now
    fact = ConsentWithdrawn(subject=row.account_id, purpose=row.purpose)
    kit.journal.record(tx, fact, by=row.account_id, now=now)


def _is_live(row: Consent, purpose: str) -> bool:
    return row.purpose == purpose and row.withdrawn_at is None


def _standing(purpose: str, row: Consent | None) -> Standing:
    basis = PURPOSES.get(purpose, CONSENT)  # a former purpose was one of consent: others leave no rows
    return Standing(purpose, basis, row.given_at, row.withdrawn_at) if row else Standing(purpose, basis)
