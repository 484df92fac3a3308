"""What a unit was called, where it stood and who took its work over, with the days (rule 1003)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ForeignKey, String, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.retention import Stays
from backend.roles.models import Unit
from backend.roles.unit_tree import Tree

NAMED, PLACED, ENDED, REVIVED = "named", "placed", "ended", "revived"
CHUNK = 500
MOST = 50  # on a page


class UnitChange(Base):
    """One thing about a unit that is otherwise from a day on."""

    __tablename__ = "unit_changes"
    retention = Stays("what a unit was called, and who took its work over, belongs to every old decision")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    on_day: Mapped[date]  # the first day on which it is so
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    before: Mapped[str] = mapped_column(String(200), default="")  # the names, where it was named
    after: Mapped[str] = mapped_column(String(200), default="")
    from_id: Mapped[UUID | None]  # the parents, where it was placed
    to_id: Mapped[UUID | None]  # or who took its work over
    run_id: Mapped[UUID | None] = mapped_column(index=True)  # of the reorganisation that did it


class Was(msgspec.Struct, frozen=True):
    """One line of a unit's history, with the names of today's units."""

    kind: str
    on: date
    before: str
    after: str


def change(
    unit_id: UUID,
    kind: str,
    on: date,
    now: datetime,
    *,
    before: str = "",
    after: str = "",
    moved: tuple[UUID | None, UUID | None] = (None, None),
    run: UUID | None = None,
) -> dict[str, Any]:
    """A row; `moved` are the parents before and after, or nobody and the successor."""
    return {
        "id": new_id(),
        "unit_id": unit_id,
        "kind": kind,
        "on_day": on,
        "at": now,
        "before": before,
        "after": after,
        "from_id": moved[0],
        "to_id": moved[1],
        "run_id": run,
    }


def between(
    known: Tree, after: Tree, on: date, now: datetime, run: UUID | None = None
) -> list[dict[str, Any]]:
    """What the units of `known` are called, and stand below, otherwise in `after`."""
    found = []
    for code, old in known.items():
        new = after[code]
        if new.name != old.name:
            found.append(change(old.id, NAMED, on, now, before=old.name, after=new.name, run=run))
        if new.parent_id != old.parent_id:
            found.append(change(old.id, PLACED, on, now, moved=(old.parent_id, new.parent_id), run=run))
    return found


async def keep(tx: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write them, in the transaction that changes the units."""
    for start in range(0, len(rows), CHUNK):
        await tx.execute(insert(UnitChange), rows[start : start + CHUNK])


async def history(tx: AsyncSession, unit_id: UUID) -> list[Was]:
    """The newest changes of a unit, and whose work it took over."""
    own = select(UnitChange).where(UnitChange.unit_id == unit_id).order_by(UnitChange.id.desc()).limit(MOST)
    found = (await tx.scalars(own)).all()
    named = {one for row in found for one in (row.from_id, row.to_id) if one is not None}
    names = {
        row.id: row.name for row in await tx.execute(select(Unit.id, Unit.name).where(Unit.id.in_(named)))
    }
    return [
        Was(
            row.kind,
            row.on_day,
            row.before or (names.get(row.from_id, "") if row.from_id else ""),
            row.after or (names.get(row.to_id, "") if row.to_id else ""),
        )
        for row in found
    ]


async def heirs(tx: AsyncSession, unit: Unit) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Code and name of whoever took the unit's work over, and of whose work it took over."""
    after = select(UnitChange.to_id).where(UnitChange.unit_id == unit.id, UnitChange.kind == ENDED)
    later = select(Unit.code, Unit.name).where((Unit.id == unit.successor_id) | Unit.id.in_(after))
    earlier = select(Unit.code, Unit.name).where(Unit.successor_id == unit.id)
    went = [] if unit.ended_on is None else (await tx.execute(later.order_by(Unit.code).limit(MOST))).all()
    came = (await tx.execute(earlier.order_by(Unit.code).limit(MOST))).all()
    return [(row[0], row[1]) for row in went], [(row[0], row[1]) for row in came]
