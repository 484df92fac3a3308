"""The reorganisations that there were, and how far each is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.kit import Kit
from backend.names import masked
from backend.paging import CursorInvalid
from backend.roles.reorganising.acts import Act
from backend.roles.reorganising.models import Reorganisation
from backend.roles.reorganising.plan import Wanted
from backend.roles.reorganising.running import ReorganisationNotFound

MOST = 200


class Line(msgspec.Struct, frozen=True):
    """One of them."""

    id: UUID
    decision: str
    state: str
    people: int
    started_at: datetime
    acts: list[Act]
    on: date
    done_at: datetime | None
    reversed_at: datetime | None
    asked_by: UUID | None  # in the workspace


class Heading(NamedTuple):
    """One of them in a list, without its plan, which may be long."""

    id: UUID
    decision: str
    state: str
    people: int
    started_at: datetime


async def page(tx: AsyncSession, *, after: UUID | None = None, most: int = MOST) -> list[Heading]:
    """So many, the newest first, behind one of them; raises CursorInvalid where there is none of that identifier."""
    query = select(*(getattr(Reorganisation, name) for name in Heading._fields))
    if after is not None:
        if await tx.scalar(select(Reorganisation.id).where(Reorganisation.id == after)) is None:
            raise CursorInvalid
        query = query.where(Reorganisation.id < after)
    return [Heading(*row) for row in await tx.execute(query.order_by(Reorganisation.id.desc()).limit(most))]


async def some(tx: AsyncSession, *, after: UUID | None = None) -> list[Line]:
    """The newest first, so many; behind one of them."""
    query = select(Reorganisation).order_by(Reorganisation.id.desc()).limit(MOST)
    if after is not None:
        query = query.where(Reorganisation.id < after)
    return [_line(one) for one in await tx.scalars(query)]


async def one(tx: AsyncSession, run_id: UUID) -> Line:
    """Raises ReorganisationNotFound."""
    found = await tx.get(Reorganisation, run_id)
    if found is None:
        raise ReorganisationNotFound
    return _line(found)


async def names(tx: AsyncSession, kit: Kit, people: Sequence[UUID]) -> list[str]:
    """Full names, each with the masked number: two may have one name."""
    found = await full_names(tx, kit, people)
    known = await numbers.personal(tx, kit, people)
    return sorted(f"{found[one]} ({masked(known.get(one, ''))})" for one in people)


def _line(found: Reorganisation) -> Line:
    wanted = msgspec.json.decode(found.plan, type=Wanted)
    return Line(
        id=found.id,
        decision=found.decision,
        state=found.state,
        people=found.people,
        started_at=found.started_at,
        acts=wanted.acts,
        on=found.effective_on,
        done_at=found.done_at,
        reversed_at=found.reversed_at,
        asked_by=found.asked_by,
    )
