"""The word about one role in a review: it is as it should be. Its end is an act like any other (acts.py)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import changed_one
from backend.errors import Conflict, Refusal
from backend.facts import RoleConfirmed
from backend.kit import Kit
from backend.roles import acts, policy, requests, rows
from backend.roles.confirming.models import CONFIRMED, WAITING, ReviewedRole
from backend.roles.models import Unit


class AlreadyReviewed(Conflict):
    """Somebody has said the word about this role, or it waits for none any more."""

    code = "already_reviewed"
    title = "Vai trò này đã được xác nhận hoặc không còn trong đợt rà soát"


async def confirm(
    tx: AsyncSession, kit: Kit, row_id: UUID, *, by: UUID, now: datetime
) -> ReviewedRole | Refusal:
    """The manager's word that somebody still has this role; said once.

    A refusal that has to be remembered is returned (`settle` it after the commit).
    """
    row = await tx.get(ReviewedRole, row_id)
    if row is None:
        return requests.refused(tx, kit, policy.RoleNotFound(), row_id, by, now)
    role = await acts.theirs(tx, kit, row.role_id, by, now)
    if isinstance(role, Refusal):
        return role
    waits = (ReviewedRole.id == row_id, ReviewedRole.role_id == role.id, ReviewedRole.state == WAITING)
    said = update(ReviewedRole).where(*waits).values(state=CONFIRMED, by=by, at=now)
    if role.state != policy.ACTIVE or not await changed_one(tx, said):
        raise AlreadyReviewed
    fact = RoleConfirmed(subject=role.account_id, role=role.id, review=row.review_id)
    kit.journal.record(tx, fact, by=by, now=now)
    rows.tell_pages(tx, [(await tx.get_one(Unit, role.unit_id)).path])
    return row
