"""What a hotline asks an operator for: who has a number, that nobody gets in, that its owner does again (case O23).

Why stands sealed in the notice that the person reads; the journal names the operator and that notice.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.models import Phone
from backend.devices import sessions, takeover
from backend.facts import FreezeOrdered, PersonLookedUp
from backend.kit import Kit
from backend.names import masked, masked_phone
from backend.support import notices, texts


class Found(msgspec.Struct, frozen=True):
    """An account as it may be read out on the telephone: what names its person is masked."""

    id: UUID
    name: str
    status: str
    level: int
    vouched_by: str
    phone: str
    frozen_at: datetime | None
    recovery_frozen_at: datetime | None
    sessions: dict[str, int]  # by their kind


async def find(tx: AsyncSession, kit: Kit, number: str, *, now: datetime) -> Found | None:
    """Who has this number, if anybody; that it was asked is journalled. Raises FieldsInvalid."""
    account_id = await _holder(tx, kit, number)
    kit.journal.record(tx, PersonLookedUp(subject=account_id), by=None, now=now)
    return await shown(tx, kit, account_id, now=now) if account_id is not None else None


async def shown(tx: AsyncSession, kit: Kit, account_id: UUID, *, now: datetime) -> Found:
    """An account as it may be read out on the telephone."""
    account = await tx.get_one(Account, account_id)
    main = select(Phone).where(Phone.account_id == account_id, Phone.is_main, Phone.ended_at.is_(None))
    phone = (await tx.scalars(main)).first()
    kinds = [one.kind for one in await sessions.of_account(tx, account_id, now=now)]
    return Found(
        id=account_id,
        name=masked(kit.keys.open("accounts.full_name", account_id, account.full_name)),
        status=account.status,
        level=account.assurance_level,
        vouched_by=account.vouched_by,
        phone=masked_phone(kit.keys.open("phones.number", phone.id, phone.number)) if phone else "",
        frozen_at=account.frozen_at,
        recovery_frozen_at=account.recovery_frozen_at,
        sessions={kind: kinds.count(kind) for kind in sorted(set(kinds))},
    )


async def freeze(
    tx: AsyncSession, kit: Kit, number: str, *, reason: str | None, now: datetime
) -> bool | None:
    """Nobody gets in by phone any more and every session ends; False when it was so, None when nobody has the number.

    The owner lifts it at VNeID, or an operator does (`thaw`). Raises FieldsInvalid.
    """
    why = texts.line_of_the_desk("reason", reason) if reason else ""
    account_id = await _holder(tx, kit, number)
    if account_id is None:
        return None
    if not await takeover.shut(tx, account_id, now=now):
        return False
    what = "" if why else "no_reason"
    notice = notices.tell(tx, kit, account_id, "account_frozen", now=now, what=what, reason=why)
    kit.journal.record(tx, FreezeOrdered(subject=account_id, notice=notice.id), by=None, now=now)
    await takeover.end_everything(tx, kit, account_id, reason="account_frozen", by=None, now=now)
    return True


async def thaw(tx: AsyncSession, kit: Kit, number: str, *, reason: str, now: datetime) -> None:
    """Lift the freeze, and that of recovery, once the person was checked. Raises NotFrozen, FieldsInvalid."""
    why = texts.line_of_the_desk("reason", reason)
    account_id = await _holder(tx, kit, number)
    if account_id is None:
        raise takeover.NotFrozen
    notice = notices.tell(tx, kit, account_id, "account_thawed", now=now, what="checked", reason=why)
    await takeover.thaw(tx, kit, account_id, notice=notice.id, now=now)


async def _holder(tx: AsyncSession, kit: Kit, number: str) -> UUID | None:
    written, _ = numbers.typed(number, None)
    assert written is not None, "a number was given"
    return await numbers.holder_of_any(tx, kit, written)
