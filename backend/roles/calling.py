"""Whoever decides hears at once that something waits: a push to the manager's own phone, which names nobody (R44)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.appointment import MANAGER, Appointment
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import hearing
from backend.roles.models import RoleRequest
from backend.statements import Question, given
from backend.throttle import Window
from backend.words import mark as _

KIND, TITLE = "request_waits", _("Có yêu cầu về vai trò chờ bạn quyết định")


class Managing(NamedTuple):
    """Whoever decides for a unit."""

    id: UUID
    national_id: bytes


MANAGING = Question(
    Managing,
    select(Appointment.id, Appointment.national_id).where(
        Appointment.unit_id == given("unit", Appointment.unit_id),
        Appointment.counts(MANAGER, given("today", Appointment.from_on)),
    ),
)


async def call(
    tx: AsyncSession, kit: Kit, found: RoleRequest, units: Iterable[UUID | None], *, now: datetime
) -> None:
    """After the commit, the managers of these units; neither the applicant nor who began it.

    Whoever asks and takes back in a loop rings nobody awake: the request arrives, the phone stays still.
    """
    if kit.phones is None:
        return
    deciders = await managers_of(tx, kit, units, now=now) - {found.account_id, found.created_by}
    deciders -= await hearing.without_push(tx, deciders)
    if not deciders or not await _may_ring(tx, kit, found.account_id, now):
        return
    for account_id in sorted(deciders):
        kit.phones.tell_after(tx, account_id, KIND, TITLE, now=now)


async def _may_ring(tx: AsyncSession, kit: Kit, applicant: UUID, now: datetime) -> bool:
    """Spend one of the pushes that the applicant's requests may set off, if there is one."""
    most = kit.limits.request_pushes_per_hour
    windows = [Window(most, 3600), Window(most * 3, 86400)]
    wanted = [("request pushes", str(applicant), windows)]
    return bool(await kit.throttle.spend(tx, [], now=now, if_room=wanted))


async def managers_of(
    tx: AsyncSession, kit: Kit, units: Iterable[UUID | None], *, now: datetime
) -> set[UUID]:
    """The accounts of those who decide for some units."""
    found = set()
    for unit in {unit for unit in units if unit is not None}:
        for one in await MANAGING.all(tx, unit=unit, today=local_day(now)):
            number = kit.keys.open("appointments.national_id", one.id, one.national_id)
            found.add(await numbers.holder_of(tx, kit, number))
    return {one for one in found if one is not None}
