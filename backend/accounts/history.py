"""Every try to get in, for the person's own eyes: device, coarse place, method, result (source 001, III)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Access
from backend.db import new_id


def remember(
    tx: AsyncSession,
    account_id: UUID,
    *,
    method: str,
    good: bool,
    device: str | None,
    place: str | None,
    now: datetime,
    session_id: UUID | None = None,
) -> None:
    """Add one line to the account's access history; `place` is a province or nothing, never an address."""
    line = Access(id=new_id(), account_id=account_id, at=now, method=method, device=device, place=place)
    line.result, line.session_id = "success" if good else "failure", session_id
    tx.add(line)
