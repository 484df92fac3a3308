"""What one person may decide and see: one object, asked of the database once in the transaction that needs it.

Everything that asks "may this person decide that, see that" asks the object (rules 613, 616).
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.kit import Kit
from backend.roles.models import Manager, Unit

MANAGER = "manager"


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
    return Authority(account_id, frozenset(blinds), await _posts(tx, blinds, hold=hold))


async def _posts(tx: AsyncSession, blinds: Iterable[bytes], *, hold: bool) -> dict[UUID, Post]:
    if not blinds:
        return {}
    query = (
        select(Unit.id, Unit.code, Unit.name, Unit.path)
        .join(Manager, Manager.unit_id == Unit.id)
        .where(Manager.national_id_blind.in_(blinds), Manager.decides())
    )
    if hold:
        query = query.with_for_update(read=True, of=Manager)
    return {row.id: Post(*row) for row in await tx.execute(query)}
