"""What somebody had chosen and typed when a fresher sign-in was asked for: kept, sealed, until they are back (A11)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.caller import Caller
from backend.flows import Flow
from backend.kit import Kit


class Left(msgspec.Struct, frozen=True):
    """A form as JSON, and of which page."""

    page: str
    form: str


KEPT = flows.Kind("kept_form", Left)
MOST = 20  # of one person: an ended session, too, may send forms, and would send as many as it likes


async def keep(tx: AsyncSession, kit: Kit, account_id: UUID, left: Left, *, now: datetime) -> UUID:
    """Where it is found again by the same person, for as long as a sign-in may take; the newest ones are."""
    theirs = (Flow.kind == KEPT.name, Flow.account_id == account_id)
    older = select(Flow.id).where(*theirs).order_by(Flow.created_at.desc(), Flow.id.desc()).offset(MOST - 1)
    if gone := list(await tx.scalars(older)):
        await tx.execute(delete(Flow).where(Flow.id.in_(gone)))
    kept = await KEPT.start(tx, kit, Caller(now), "done", left, account_id=account_id)  # no step follows
    return kept.id


async def left_by(
    tx: AsyncSession, kit: Kit, kept_id: UUID, account_id: UUID, *, page: str, now: datetime
) -> str | None:
    """The form that this person left on this page; nothing for anybody else, or when its time is over."""
    try:
        flow = await KEPT.find(tx, kit, kept_id, Caller(now))
    except flows.FlowNotFound:
        return None
    return flow.data.form if flow.row.account_id == account_id and flow.data.page == page else None
