"""Whose word it is about a role in a review: as of any act upon it, nobody's about the own (rules 613, 642)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.roles import policy, rights, territory, undecided
from backend.roles.authority import Authority
from backend.roles.confirming.models import WAITS, Review, ReviewedRole
from backend.roles.models import Role, Unit


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
    units = sorted(unit for _, unit in await territory.own(tx, who))
    about = await read(tx, about_managers(who))
    placed = await deciders(tx, about, on=who.today)
    single = [one.id for one in about if who.decides(placed[one.id]) and one.account_id != who.account_id]
    return Theirs(units, {one.account_id for one in about}, single)


def about_managers(who: Authority) -> Select[UUID, UUID, UUID, UUID, UUID, str]:
    """What waits about those who manage with the reader or next below, each found by the number's own index."""
    held = select(Identifier.account_id).where(
        Identifier.kind == numbers.NATIONAL_ID,
        Identifier.blind.in_(territory.near(who)),
        Identifier.ended_at.is_(None),
    )
    return waiting(Role.account_id.in_(held), who.below())
