"""A role that a reorganisation takes along stays in its review, under its new name and in its new unit (rule 640)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.roles.confirming.models import WAITS, ReviewedRole
from backend.roles.models import Role


async def follow(tx: AsyncSession, pairs: Mapping[UUID, UUID]) -> None:
    """Of these pairs the second role stands in for the first."""
    waiting = (ReviewedRole.role_id.in_(pairs), WAITS)
    for row_id, old in (
        await tx.execute(select(ReviewedRole.id, ReviewedRole.role_id).where(*waiting))
    ).all():
        unit = select(Role.unit_id).where(Role.id == pairs[old]).scalar_subquery()
        moved = update(ReviewedRole).where(ReviewedRole.id == row_id).values(role_id=pairs[old], unit_id=unit)
        await tx.execute(moved.execution_options(synchronize_session=False))
