""" "Không phải tôi": the replaced device says that the newer one is not its owner's (design §4.1).

The account's slot is frozen, the newer session ends, and nobody gets in by phone until
an operator has checked who is who. Opening a support case joins here when cases exist.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.devices import sessions
from backend.devices.models import Session
from backend.errors import Conflict, NotFound
from backend.facts import AccountThawed, TakeoverReported
from backend.kit import Kit


class NotReplaced(Conflict):
    """This device was not replaced by another one within the time for saying so."""

    code = "not_replaced"
    title = "Thiết bị này không bị thay thế gần đây nên không thể báo cáo"


class NotFrozen(NotFound):
    """The account is not frozen, or there is none."""

    code = "not_frozen"
    title = "Tài khoản không ở trạng thái tạm khóa"


async def report(tx: AsyncSession, kit: Kit, session_id: UUID, *, now: datetime) -> None:
    """Freeze the slot and end whatever session holds it; raises NotReplaced."""
    session = await tx.get(Session, session_id)
    window = timedelta(seconds=kit.limits.takeover_report_window)
    if (
        session is None
        or session.end_reason != "replaced"
        or session.replaced_by is None
        or session.ended_at is None
        or now - session.ended_at > window
    ):
        raise NotReplaced
    account_id = session.account_id
    frozen = await tx.execute(
        update(Account)
        .where(Account.id == account_id, Account.frozen_at.is_(None))
        .values(frozen_at=now, epoch=Account.epoch + 1)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(frozen, CursorResult) or frozen.rowcount != 1:
        return  # reported already: saying it twice changes nothing
    fact = TakeoverReported(subject=account_id, session=session_id, by_session=session.replaced_by)
    kit.journal.record(tx, fact, by=account_id, now=now)
    await sessions.end_all(tx, kit, account_id, reason="takeover_reported", by=account_id, now=now)


async def thaw(tx: AsyncSession, kit: Kit, account_id: UUID, *, now: datetime) -> None:
    """Lift the freeze after an operator has checked the person; raises NotFrozen."""
    account = (
        await tx.execute(select(Account).where(Account.id == account_id).with_for_update())
    ).scalar_one_or_none()
    if account is None or account.frozen_at is None:
        raise NotFrozen
    account.frozen_at = None
    kit.journal.record(tx, AccountThawed(subject=account_id), by=None, now=now)
