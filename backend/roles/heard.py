"""What whoever asked hears before the last word: one of several yeses, or that nobody can say one (R04, R05, R08)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarms import alarm
from backend.db import after_commit
from backend.kit import Kit
from backend.roles.models import RequestStep, RoleRequest, Unit
from backend.support import notices


def tell_word(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    said: list[RequestStep],
    steps: list[RequestStep],
    now: datetime,
) -> None:
    """One yes of several: that it is there, and who is waited for; once nobody can take it back."""
    then = next((step.unit.name for step in steps if step not in said and step.decision is None), None)
    unit = said[0].unit.name
    notices.tell(
        tx,
        kit,
        found.account_id,
        "request_word",
        now=now,
        due=now + timedelta(seconds=kit.limits.undo_window),
        about=found.id,
        unit=unit,
        then=then or unit,
    )


def tell_undecided(
    tx: AsyncSession, kit: Kit, found: RoleRequest, units: Sequence[Unit], *, now: datetime
) -> None:
    """These units' words are wanted, and nobody can say them. Operators find the units by `ngomon managers list`."""
    for unit in units:
        notices.tell(tx, kit, found.account_id, "nobody_decides", now=now, about=found.id, unit=unit.name)
    if units:
        after_commit(tx, partial(alarm, "request_undecided"))
