"""Whoever decides hears at once that something waits: a push to the manager's own phone, which names nobody (R44)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.appointment import MANAGER, Appointment
from backend.kit import Kit
from backend.roles import hearing
from backend.roles.models import RoleRequest
from backend.words import mark as _

KIND, TITLE = "request_waits", _("Có yêu cầu về vai trò chờ bạn quyết định")


async def call(
    tx: AsyncSession, kit: Kit, found: RoleRequest, units: Iterable[UUID | None], *, now: datetime
) -> None:
    """After the commit, the managers of these units; neither the applicant nor who began it."""
    if kit.phones is None:
        return
    called = await managers_of(tx, kit, units) - {found.account_id, found.created_by}
    for account_id in sorted(called - await hearing.without_push(tx, called)):
        kit.phones.tell_after(tx, account_id, KIND, TITLE, now=now)


async def managers_of(tx: AsyncSession, kit: Kit, units: Iterable[UUID | None]) -> set[UUID]:
    """The accounts of those who decide for some units."""
    wanted = {unit for unit in units if unit is not None}
    query = select(Appointment).where(Appointment.unit_id.in_(wanted), Appointment.counts(MANAGER))
    found = set()
    for one in (await tx.scalars(query)).all():
        number = kit.keys.open("appointments.national_id", one.id, one.national_id)
        found.add(await numbers.holder_of(tx, kit, number))
    return {one for one in found if one is not None}
