"""What tells something to whoever asks, and is counted for that: personal numbers at a desk, quoted codes.

Whoever helps by telephone needs to know whether a number has an account here; it is counted and journalled
for each clerk, so that nobody finds out with it who of a long list is here (rule 121).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import TooMany
from backend.facts import PersonLookedUp
from backend.kit import Kit
from backend.support import desks
from backend.support.cases import Clerk
from backend.throttle import Window

HOURS = 5  # as many busy hours as a day at the desk may have


class TooManyLookups(TooMany):
    """The clerk has typed as many personal numbers as anybody on the telephone explains."""

    code = "too_many_lookups"
    title = "Bạn đã tra cứu quá nhiều số định danh, vui lòng thử lại sau"


async def count(tx: AsyncSession, kit: Kit, clerk: Clerk, *, now: datetime) -> None:
    """Count one number before it is looked up; raises NotAtADesk, TooManyLookups."""
    if not await desks.staffed_by(tx, clerk.blinds, now=now):
        raise desks.NotAtADesk
    most = kit.limits.desk_lookups_per_hour
    windows = [Window(most, 3600), Window(most * HOURS, 86400)]
    wanted = [("desk lookups", str(clerk.account_id), windows)]
    await kit.throttle.spend(tx, wanted, now=now, refusal=TooManyLookups)


async def count_code(tx: AsyncSession, kit: Kit, address: str, *, now: datetime) -> None:
    """Count one quoted code before it is looked up, for the network address that asks; raises TooMany."""
    most = [Window(kit.limits.support_codes_per_address_per_hour, 3600)]
    await kit.throttle.spend(tx, [("support codes", address, most)], now=now)


def journal(tx: AsyncSession, kit: Kit, clerk: Clerk, found: UUID | None, *, now: datetime) -> None:
    """Write down who asked, and about whom."""
    kit.journal.record(tx, PersonLookedUp(subject=found), by=clerk.account_id, now=now)
