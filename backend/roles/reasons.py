"""The reasons that a unit usually gives, from its own words of late (rule 820; ecosystem: one press away)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from backend.kit import Kit
from backend.roles.models import RequestStep

# what applicants read is Vietnamese whatever the manager's page speaks
FIRST = (
    "Thiếu số quyết định",
    "Chức vụ chưa đúng với quyết định",
    "Người này không thuộc đơn vị",
    "Thông tin liên hệ công vụ chưa đúng",
)
LATELY, UNITS_MOST, MOST, LONGEST = 40, 10, 5, 90


async def usual(tx: AsyncSession, kit: Kit, units: Sequence[UUID]) -> list[str]:
    """What these units have said more than once, most often first, then what everybody says."""
    parts = [select(_lately(unit).subquery()) for unit in list(units)[:UNITS_MOST]]
    said = await tx.execute(union_all(*parts)) if parts else ()
    words = [kit.keys.open("request_steps.reason", row.id, row.reason) for row in said]
    again = [text for text, times in Counter(words).most_common() if times > 1 and len(text) <= LONGEST]
    return list(dict.fromkeys([*again, *FIRST]))[:MOST]


def _lately(unit: UUID) -> Select[UUID, bytes | None]:
    given = select(RequestStep.id, RequestStep.reason)
    given = given.where(
        RequestStep.unit_id == unit, RequestStep.at.is_not(None), RequestStep.reason.is_not(None)
    )
    return given.order_by(RequestStep.at.desc()).limit(LATELY)
