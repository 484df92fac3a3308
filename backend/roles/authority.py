"""What one person may decide and see: one object, asked of the database once in the transaction that needs it.

Everything that asks "may this person decide that, see that" asks the object (rules 613, 616).
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.accounts.identity import numbers
from backend.appointment import CLERK, DELEGATE, MANAGER, Appointment
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles.models import Unit
from backend.support.models import Desk


class Post(msgspec.Struct, frozen=True):
    """One unit that somebody decides for now, and in which capacity."""

    id: UUID
    code: str
    name: str
    path: str
    appointment_id: UUID

    @property
    def is_root(self) -> bool:
        """Whether nothing stands above it: whoever manages it operates the province."""
        return self.path.strip("/").count("/") == 0


class Lent(msgspec.Struct, frozen=True):
    """What a manager has lent: the word of the unit `decider_id`, for steps at or below `path` and of some kinds."""

    id: UUID
    unit_id: UUID
    path: str
    decider_id: UUID
    kinds: frozenset[str]
    by: UUID
    until_on: date


class Authority(msgspec.Struct, frozen=True):
    """Who asks, and on which day: the person, the keyed indexes of the person's number, and the posts by unit."""

    account_id: UUID
    today: date
    blinds: frozenset[bytes]
    posts: dict[UUID, Post]
    desks: tuple[Desk, ...] = ()  # where the person works as a clerk
    lent: tuple[Lent, ...] = ()  # whose delegate the person is

    @property
    def speaks(self) -> bool:
        """Whether any word is this person's to say, by a right of their own or one that is lent."""
        return bool(self.posts or self.lent)

    @property
    def units(self) -> list[Post]:
        """The units that the person decides for, by code."""
        return sorted(self.posts.values(), key=lambda post: post.code)

    def decides(self, unit_id: UUID | None) -> bool:
        """Whether the word of that unit is this person's to say."""
        return unit_id in self.posts

    def stands_in(self, unit_id: UUID | None, path: str, kind: str, *, about: UUID) -> Lent | None:
        """By which delegation the word of that unit may be said about a step there; nothing more follows from one.

        `about` whom: nobody's own wish is decided by that person's right.
        """
        for lent in self.lent:
            if (
                lent.decider_id == unit_id
                and kind in lent.kinds
                and path.startswith(lent.path)
                and lent.by != about
            ):
                return lent
        return None

    def stands_over(self, path: str) -> bool:
        """Whether a unit is one of the person's or lies below one; more than its name and counts is rights.reads."""
        return any(path.startswith(post.path) for post in self.posts.values())

    def below(self) -> ColumnElement[bool]:
        """The same of `Unit`, as the database answers it: a first choice, from which a reader's units are taken."""
        return or_(false(), *(Unit.path.startswith(post.path) for post in self.posts.values()))


async def of(tx: AsyncSession, kit: Kit, account_id: UUID, *, now: datetime, hold: bool = False) -> Authority:
    """What somebody may do now, by own and by lent rights; `hold` keeps them until the commit.

    The day decides, not whether the worker has been there since: a right is over with its last day.
    """
    today = local_day(now)
    blinds = await numbers.blinds_of(tx, kit, account_id)
    if not blinds:
        return Authority(account_id, today, frozenset(), {})
    source = aliased(Appointment)  # what is lent lasts no longer than the right that it was lent from
    lent_from = exists().where(source.id == Appointment.lent_from, source.counts(MANAGER, today))
    rights = [
        *(Appointment.counts(kind, today) for kind in (MANAGER, CLERK)),
        and_(Appointment.counts(DELEGATE, today), lent_from),
    ]
    query = (
        select(Appointment, Unit, Desk)
        .select_from(Appointment)
        .outerjoin(Unit, Unit.id == Appointment.unit_id)
        .outerjoin(Desk, and_(Desk.id == Appointment.desk_id, Desk.removed_at.is_(None)))
        .where(Appointment.national_id_blind.in_(blinds))
        .where(or_(*rights))
        .order_by(Desk.added_at, Desk.id)
    )
    if hold:
        query = query.with_for_update(read=True, of=Appointment)
    posts, desks, lends = dict[UUID, Post](), list[Desk](), list[Lent]()
    for one, unit, desk in await tx.execute(query):
        if one.kind == MANAGER:
            posts[unit.id] = Post(unit.id, unit.code, unit.name, unit.path, one.id)
        elif one.kind == DELEGATE:
            lends.append(_lent(one, unit))
        elif desk is not None:
            desks.append(desk)
    return Authority(account_id, today, frozenset(blinds), posts, tuple(desks), tuple(lends))


def _lent(one: Appointment, unit: Unit) -> Lent:
    assert one.kinds is not None  # as the table promises (appointment.PLACE)
    assert one.decider_id is not None
    assert one.by is not None
    assert one.until_on is not None
    kinds = frozenset(one.kinds.split())
    return Lent(one.id, unit.id, unit.path, one.decider_id, kinds, one.by, one.until_on)
