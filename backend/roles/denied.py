"""Somebody says "Không phải tôi" to a sign-in: what that sign-in asked for goes with it (R03, rule 303).

What waits is withdrawn. What was approved and has not left the house yet, or waits for its day, is taken back as the
manager could still do it. What is in force stays, marked, for the unit to judge: an approval was a manager's word.
A right to decide that was lent, or to be lent, by whoever it was is over.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import correcting, taken_over
from backend.devices import takeover
from backend.devices.models import Session
from backend.errors import Refusal
from backend.facts import RequestWithdrawn
from backend.kit import Kit
from backend.roles import delegates, desk_joins, policy, reversal, rows
from backend.roles.models import RoleRequest, Unit
from backend.support import notices
from backend.support.models import Case, Desk, Notice


async def report(tx: AsyncSession, kit: Kit, session_id: UUID, *, now: datetime) -> Case | None:
    """The replaced device says so (takeover.report): every sign-in since then is denied."""
    session = await tx.get(Session, session_id)
    since = session.ended_at if session is not None else None
    if session is None or since is None:
        return await takeover.report(tx, kit, session_id, now=now)  # and its refusal
    requests = await _made(tx, session.account_id, since, but=None)
    case = await takeover.report(tx, kit, session_id, now=now)
    await _withdraw(tx, kit, requests, now)
    return case


async def deny(
    tx: AsyncSession, kit: Kit, notice_id: UUID, *, by: UUID, session_id: UUID, now: datetime
) -> tuple[Case, Desk] | Refusal:
    """The same to a notice (takeover.deny), by somebody who is signed in: that sign-in is the one believed."""
    notice = await tx.get(Notice, notice_id)
    requests: list[RoleRequest] = []
    if notice is not None and (notice.account_id, notice.kind, notice.is_denied) == (
        by,
        "device_replaced",
        False,
    ):
        own = await tx.get(Session, session_id)
        believed = own is not None and own.created_at > notice.at
        requests = await _made(tx, by, notice.at, but=session_id if believed else None)
    if notice is not None:
        await desk_joins.denied(tx, kit, notice, by=by, now=now)
        await correcting.denied(tx, kit, notice, by=by, now=now)
        await delegates.denied(tx, kit, notice, by=by, now=now)
    outcome = await takeover.deny(tx, kit, notice_id, by=by, now=now)
    await _withdraw(tx, kit, requests, now)
    return outcome


async def _made(
    tx: AsyncSession, account_id: UUID, since: datetime, *, but: UUID | None
) -> list[RoleRequest]:
    """The person's own requests, locked before the account is (rows.py), that say what a sign-in since then wished.

    A release before this one did not write which sign-in it was: there the time tells, for one phone is signed in.
    """
    accounts = await taken_over.ever(
        tx, {account_id}
    )  # a sign-in to one that was taken over is theirs to deny
    sessions = select(Session.id).where(Session.account_id.in_(accounts), Session.created_at >= since)
    if but is not None:
        sessions = sessions.where(Session.id != but)
    unknown = and_(RoleRequest.session_id.is_(None), RoleRequest.created_at >= since)
    made = (
        select(RoleRequest)
        .where(RoleRequest.account_id == account_id, RoleRequest.created_by == account_id)
        .where(or_(RoleRequest.session_id.in_(sessions), unknown))
        .order_by(RoleRequest.id)
        .with_for_update()
    )
    return list(await tx.scalars(made.execution_options(**rows.FRESH)))


async def _withdraw(tx: AsyncSession, kit: Kit, requests: list[RoleRequest], now: datetime) -> None:
    for found in requests:
        await rows.account_locked(tx, found.account_id)
        found.denied_at = found.denied_at or now
        await tx.flush()
        if not (found.status in policy.OPEN or await _taken_back(tx, kit, found, now)):
            continue
        await rows.move(tx, found, to=policy.WITHDRAWN, **rows.stamp(now, by=found.account_id))
        fact = RequestWithdrawn(subject=found.account_id, request=found.id, because="denied")
        kit.journal.record(tx, fact, by=found.account_id, now=now)
        unit = await tx.scalar(select(Unit.name).where(Unit.id == found.unit_id))
        notices.tell(tx, kit, found.account_id, "request_withdrawn", now=now, unit=unit or "")


async def _taken_back(tx: AsyncSession, kit: Kit, found: RoleRequest, now: datetime) -> bool:
    """Whether an approval could be undone because nothing of it has left the house."""
    if found.status != policy.APPROVED:
        return False
    try:
        async with tx.begin_nested():
            await reversal.revert(tx, kit, found, now=now)
            await notices.take_back(tx, found.id, now=now)
    except policy.UndoTooLate:
        await tx.refresh(found)
        return False
    return True
