"""What is asked of a role falls with it: nobody decides about a post that is gone (case R12)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.facts import RequestExpired, RequestWithdrawn
from backend.kit import Kit
from backend.roles import policy, rows
from backend.roles.models import WANTED, Role, RoleRequest, Unit
from backend.support import notices


async def fall(
    tx: AsyncSession,
    kit: Kit,
    role: Role,
    *,
    request_id: UUID | None,
    by: UUID | None,
    now: datetime,
    due: datetime,
) -> None:
    """After a role has ended: whatever else is open about it is over, and its owner reads so.

    What somebody decides at this very moment is left to them, for they wait for this account and then find no role.
    """
    about = (
        RoleRequest.role_id == role.id,
        RoleRequest.id != request_id,
        RoleRequest.status.in_(policy.OPEN),
    )
    await withdraw(tx, kit, list(await _held(tx, *about)), by=by, now=now, due=due)


async def everything(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, but: UUID, by: UUID | None, now: datetime
) -> None:
    """The same of everything that somebody who leaves has open or planned."""
    whose = (RoleRequest.account_id == account_id, RoleRequest.id != but)
    await withdraw(
        tx, kit, list(await _held(tx, *whose, RoleRequest.status.in_(policy.OPEN))), by=by, now=now, due=now
    )
    planned = (*whose, RoleRequest.status == policy.APPROVED, RoleRequest.applied_at.is_(None))
    for plan in await tx.scalars(select(RoleRequest).where(*planned)):
        plan.applied_at = now


async def withdraw(
    tx: AsyncSession, kit: Kit, requests: list[RoleRequest], *, by: UUID | None, now: datetime, due: datetime
) -> None:
    """They are over, each with a word to whom it was about."""
    for found in requests:
        await rows.move(tx, found, to=policy.WITHDRAWN, decided_at=now, decided_by=by)
        fact = RequestWithdrawn(subject=found.account_id, request=found.id, because="role_ended")
        kit.journal.record(tx, fact, by=by, now=now)
        unit = await tx.scalar(select(Unit.name).where(Unit.id == found.unit_id)) or ""
        notices.tell(tx, kit, found.account_id, "request_fell", now=now, due=due, unit=unit)


async def expire(tx: AsyncSession, kit: Kit, account_id: UUID, today: date, *, now: datetime) -> int:
    """What nobody decided before the last day that it asks for was over can be granted no more; how many.

    What somebody decides at this very moment is left to them, and is refused for that day.
    """
    lapsed = await _held(tx, RoleRequest.account_id == account_id, *past(today))
    for found in lapsed:
        await rows.move(tx, found, to=policy.EXPIRED, decided_at=now, decided_by=None)
        fact = RequestExpired(subject=found.account_id, request=found.id)
        kit.journal.record(tx, fact, by=None, now=now)
        unit = await tx.scalar(select(Unit.name).where(Unit.id == found.unit_id)) or ""
        day = f"{found.until_on:%d/%m/%Y}"
        notices.tell(tx, kit, found.account_id, "request_expired", now=now, due=now, unit=unit, day=day)
    return len(lapsed)


def past(today: date | ColumnElement[date]) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """The requests that nobody has decided, and whose last day is over."""
    return text(WANTED), RoleRequest.until_on < today


async def _held(tx: AsyncSession, *where: object) -> list[RoleRequest]:
    query = select(RoleRequest).where(*where).order_by(RoleRequest.id)  # type: ignore[arg-type]
    return list(await tx.scalars(query.with_for_update(skip_locked=True).execution_options(**rows.FRESH)))
