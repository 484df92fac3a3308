"""A request that nobody up the tree decides: its owner hears so at once, and so does an operator (R04, R05)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarms import alarm
from backend.db import after_commit
from backend.kit import Kit
from backend.roles.models import RoleRequest, Unit
from backend.support import notices


def tell(tx: AsyncSession, kit: Kit, found: RoleRequest, units: Sequence[Unit], *, now: datetime) -> None:
    """These units' words are wanted, and nobody can say them. Operators find the units by `ngomon managers list`."""
    for unit in units:
        notices.tell(tx, kit, found.account_id, "nobody_decides", now=now, about=found.id, unit=unit.name)
    if units:
        after_commit(tx, partial(alarm, "request_undecided"))
