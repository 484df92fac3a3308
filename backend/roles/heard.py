"""What whoever asked hears of a word that is not the last (case R08)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.kit import Kit
from backend.roles.models import RequestStep, RoleRequest
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
