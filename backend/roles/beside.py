"""The posts beside a home post: they end with it unless the request that ends it names them as kept (rule 619)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from backend.errors import FieldError
from backend.roles import movements, policy
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.movements import Fate, Movement
from backend.words import Label

KEEPS = frozenset({Fate.REPLACED, Fate.LENT, Fate.OVER})  # nothing outlives a separation


class Beside(msgspec.Struct, frozen=True):
    """One such post, in words, and whether it is kept when the home post ends."""

    id: UUID
    position_code: str
    position: Label
    unit: str
    until_on: date | None
    kept: bool = False


def kept(found: RoleRequest) -> list[UUID]:
    """The posts that a request names as kept."""
    return msgspec.json.decode(found.keeps, type=list[UUID]) if found.keeps else []


def may_keep(move: Movement) -> bool:
    """Whether a movement may name what outlives the role."""
    return move.fate in KEEPS


async def why_not_keep(
    tx: AsyncSession, move: Movement, role_id: UUID | None, named: Sequence[UUID]
) -> FieldError | None:
    """Only what stands on the role can outlive it; a movement that ends nothing beside it takes the names as well."""
    standing = select(Role.id).where(_stands_on(role_id))
    if not named or (may_keep(move) and set(named) <= set(await tx.scalars(standing))):
        return None
    return FieldError("keeps", "not_standing", "Không phải vai trò kiêm nhiệm đi cùng vai trò này")


async def standing_on(tx: AsyncSession, role_id: UUID) -> list[Beside]:
    """What would end with a role, in the order in which it was given."""
    return await _shown(tx, _stands_on(role_id), ())


async def of_request(tx: AsyncSession, found: RoleRequest) -> list[Beside]:
    """What ends with the role that a request ends, and what it keeps; what has ended by it is told afterwards too."""
    move, named = movements.of(found), kept(found)
    if found.role_id is None or not move.ends_beside:
        return []
    ended = (Role.ended_by_request == found.id) & ~Role.is_home
    if found.status in policy.OPEN or found.applied_at is None:
        return await _shown(tx, _stands_on(found.role_id), named)
    return await _shown(tx, or_(ended, Role.id.in_(named)), named)


async def words_of(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What each is called: the unit's name, which is no word of a catalogue."""
    query = select(Role.id, Unit.name).join(Unit, Unit.id == Role.unit_id).where(Role.id.in_(set(ids)))
    return {row[0]: row[1] for row in await tx.execute(query)}


def _stands_on(role_id: UUID | None) -> ColumnElement[bool]:
    return (Role.stands_on == role_id) & ~Role.is_home & Role.state.in_(policy.HELD)


async def _shown(tx: AsyncSession, where: ColumnElement[bool], named: Sequence[UUID]) -> list[Beside]:
    catalogue = await in_force(tx)
    query = select(Role, Unit.name).join(Unit, Unit.id == Role.unit_id).where(where).order_by(Role.id)
    return [
        Beside(
            role.id,
            role.position,
            catalogue.position_label(role.position),
            unit,
            role.until_on,
            role.id in named,
        )
        for role, unit in ((row[0], row[1]) for row in await tx.execute(query))
    ]
