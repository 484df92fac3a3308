"""The row of somebody new, and that its person has proved to be its owner (rule 101)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend import account_rows, likeness
from backend.account_rows import AccountNow
from backend.accounts.identity import following, opened_here
from backend.accounts.identity.evidence import VNEID, Evidence
from backend.db import new_id
from backend.kit import Kit

NOT_YET = (
    "active_session_id",
    "recovery_frozen_at",
    "phone_changed_at",
    "recovered_at",
    "joined_into",
)  # of a new account


async def opened(tx: AsyncSession, kit: Kit, evidence: Evidence, now: datetime) -> AccountNow:
    """The row of a new account."""
    row = new_id()
    name, born = following.sealed_names(kit, row, evidence.full_name, evidence.birth_date)
    blank = AccountNow(
        id=row,
        status="active",
        kind=evidence.kind,
        full_name=name,
        birth_date=born,
        gender=evidence.gender,
        assurance_level=evidence.level,
        vouched_by=evidence.by,
        differs="",
        epoch=0,
        frozen_at=None,
        vneid_at=None,
        certificate_at=None,
    )
    account = _owned(blank, evidence, now)
    await account_rows.OPEN.run(
        tx,
        **account._asdict(),
        **dict.fromkeys(NOT_YET),
        person_blind=likeness.blind_of(kit.keys, evidence.full_name, evidence.birth_date),
        vouched_at=now,
        version=1,
        role_version=0,
        created_at=now,
    )
    opened_here.begin(tx, row)
    return account


async def own(tx: AsyncSession, account: AccountNow, evidence: Evidence, now: datetime) -> AccountNow:
    """Remember that the person has proved to be the account's owner."""
    owned = _owned(account, evidence, now)
    if owned != account:
        await account_rows.OWN.run(
            tx, account=account.id, by_vneid=owned.vneid_at, by_certificate=owned.certificate_at
        )
    return owned


def _owned(account: AccountNow, evidence: Evidence, now: datetime) -> AccountNow:
    if not evidence.vouches:
        return account
    if evidence.by == VNEID:
        return account._replace(vneid_at=account.vneid_at or now)
    return account._replace(certificate_at=account.certificate_at or now)
