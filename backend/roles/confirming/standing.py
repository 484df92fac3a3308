"""Whose word it is about a role in a review: as of any act upon it, nobody's about the own (rules 613, 642)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Identifier
from backend.roles import policy, rights, undecided
from backend.roles.authority import Authority
from backend.roles.confirming.models import WAITS, Review, ReviewedRole
from backend.roles.models import Role, Unit

CHUNK = 500


class Asked(NamedTuple):
    """A role that waits for a word: its row, its review, itself, whose it is, and where."""

    id: UUID
    review_id: UUID
    role_id: UUID
    account_id: UUID
    unit_id: UUID
    path: str


class Theirs(NamedTuple):
    """What waits for one person: everybody in these units but those who manage, and single rows about such people."""

    units: list[UUID]
    managing: set[UUID]
    single: list[UUID]


def waiting(*where: ColumnElement[bool]) -> Select[UUID, UUID, UUID, UUID, UUID, str]:
    """The roles of open reviews that are in force and have no word yet: `Asked`, in the order of the list."""
    return (
        select(
            ReviewedRole.id,
            ReviewedRole.review_id,
            ReviewedRole.role_id,
            Role.account_id,
            ReviewedRole.unit_id,
            Unit.path,
        )
        .join(Role, Role.id == ReviewedRole.role_id)
        .join(Unit, Unit.id == ReviewedRole.unit_id)
        .join(Review, Review.id == ReviewedRole.review_id)
        .where(WAITS, Review.closed_at.is_(None), Role.state == policy.ACTIVE, *where)
        .order_by(ReviewedRole.unit_id, ReviewedRole.id)
    )


async def read(tx: AsyncSession, query: Select[UUID, UUID, UUID, UUID, UUID, str]) -> list[Asked]:
    """What a question about `waiting` finds."""
    return [Asked._make(row) for row in await tx.execute(query)]


async def deciders(tx: AsyncSession, asked: Iterable[Asked], *, on: date | None) -> dict[UUID, UUID | None]:
    """By row, the unit whose managers say the word; the day as of Appointment.counts."""
    rows = list(asked)
    managers = await rights.managers_over(tx, {one.path for one in rows}, on=on)
    managing = set[bytes]().union(*managers.values())
    own = await undecided.own_among(tx, {one.account_id for one in rows}, managing)
    return {one.id: rights.decider(one.path, managers, own.get(one.account_id, set())) for one in rows}


async def of(tx: AsyncSession, who: Authority) -> Theirs:
    """What waits for this person by a right of their own; what is lent does not reach this far."""
    if not who.posts:
        return Theirs([], set(), [])
    managers = await rights.managers_by_unit(tx, on=who.today)
    below = (await tx.execute(select(Unit.id, Unit.path).where(who.below()))).all()
    units = sorted(unit.id for unit in below if rights.reads(who, unit.path, managers))
    about = await _about_managers(tx, who, managers)
    placed = await deciders(tx, about, on=who.today)
    single = [one.id for one in about if who.decides(placed[one.id]) and one.account_id != who.account_id]
    return Theirs(units, {one.account_id for one in about}, single)


async def _about_managers(tx: AsyncSession, who: Authority, managers: dict[UUID, set[bytes]]) -> list[Asked]:
    blinds, found = sorted(set[bytes]().union(*managers.values())), list[Asked]()
    for start in range(0, len(blinds), CHUNK):
        held = select(Identifier.account_id).where(
            Identifier.blind.in_(blinds[start : start + CHUNK]), Identifier.ended_at.is_(None)
        )
        query = waiting(Role.account_id.in_(held), who.below())
        found += await read(tx, query)
    return found
