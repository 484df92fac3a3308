"""What one person may decide and see: one object, asked of the database once in the transaction that needs it.

Everything that asks "may this person decide that, see that" asks the object (rules 613, 616).
"""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.appointment import CLERK, MANAGER, Appointment
from backend.kit import Kit
from backend.roles.models import Unit
from backend.support.models import Desk


class Post(msgspec.Struct, frozen=True):
    """One unit that somebody decides for now, and in which capacity."""

    id: UUID
    code: str
    name: str
    path: str
    capacity: str = MANAGER


class Authority(msgspec.Struct, frozen=True):
    """Who asks: the person, the keyed indexes of the person's number, and the posts of this moment by unit."""

    account_id: UUID
    blinds: frozenset[bytes]
    posts: dict[UUID, Post]
    desks: tuple[Desk, ...] = ()  # where the person works as a clerk

    @property
    def units(self) -> list[Post]:
        """The units that the person decides for, by code."""
        return sorted(self.posts.values(), key=lambda post: post.code)

    def decides(self, unit_id: UUID | None) -> bool:
        """Whether the word of that unit is this person's to say."""
        return unit_id in self.posts

    def reaches(self, path: str) -> bool:
        """Whether a unit is one of the person's or lies below one."""
        return any(path.startswith(post.path) for post in self.posts.values())

    def below(self) -> ColumnElement[bool]:
        """The same of `Unit`, as the database answers it."""
        return or_(false(), *(Unit.path.startswith(post.path) for post in self.posts.values()))


async def of(tx: AsyncSession, kit: Kit, account_id: UUID, *, hold: bool = False) -> Authority:
    """What somebody may do now; `hold` keeps the right until the commit."""
    blinds = await numbers.blinds_of(tx, kit, account_id)
    if not blinds:
        return Authority(account_id, frozenset(), {})
    query = (
        select(Unit, Desk)
        .select_from(Appointment)
        .outerjoin(Unit, Unit.id == Appointment.unit_id)
        .outerjoin(Desk, and_(Desk.id == Appointment.desk_id, Desk.removed_at.is_(None)))
        .where(Appointment.national_id_blind.in_(blinds))
        .where(or_(Appointment.counts(MANAGER), Appointment.counts(CLERK)))
        .order_by(Desk.added_at, Desk.id)
    )
    if hold:
        query = query.with_for_update(read=True, of=Appointment)
    found = (await tx.execute(query)).all()
    posts = {unit.id: Post(unit.id, unit.code, unit.name, unit.path) for unit, _ in found if unit is not None}
    return Authority(
        account_id, frozenset(blinds), posts, tuple(desk for _, desk in found if desk is not None)
    )
