"""The end of roles that nobody has confirmed: as of any that its day ends, with what it carries (rules 605, 642)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import changed_one
from backend.kit import Kit
from backend.outbox import queue as outbox
from backend.roles import effects, policy, rows, timeline
from backend.roles.confirming.models import ENDED, UNCONFIRMED, WAITING, ReviewedRole
from backend.roles.confirming.standing import Asked
from backend.roles.effects import Act


async def end(tx: AsyncSession, kit: Kit, one: Asked, *, now: datetime) -> bool:
    """The role is over, unless somebody has confirmed or changed it meanwhile.

    Never waits: whom another transaction holds is left for the next round.
    """
    if not await rows.tree_stands(tx, wait=False):
        return False
    query = select(Account.id).where(Account.id == one.account_id)
    if await tx.scalar(query.with_for_update(key_share=True, skip_locked=True)) is None:
        return False
    role = await rows.role_now(tx, one.role_id)
    if role is None or role.state != policy.ACTIVE:
        return False
    waits = (ReviewedRole.id == one.id, ReviewedRole.role_id == role.id, ReviewedRole.state == WAITING)
    if not await changed_one(tx, update(ReviewedRole).where(*waits).values(state=ENDED, at=now)):
        return False
    units = await rows.units_held(tx, role.account_id)
    await effects.finish(tx, kit, role, reason=UNCONFIRMED, request_id=None, act=Act(None, now, due=now))
    await effects.end_sessions(tx, kit, role.account_id, by=None, now=now)
    lane = outbox.REVOCATION
    await timeline.tell(tx, role.account_id, units, request_id=None, lane=lane, now=now, hold=0)
    return True
