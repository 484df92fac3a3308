"""What somebody had chosen and typed when a fresher sign-in was asked for: kept, sealed, until they are back (A11)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.kit import Kit

KIND = "kept_form"


class Left(msgspec.Struct, frozen=True):
    """A form as JSON, and of which page."""

    page: str
    form: str


def keep(tx: AsyncSession, kit: Kit, account_id: UUID, left: Left, *, now: datetime) -> UUID:
    """Where it is found again by the same person, for as long as a sign-in may take."""
    flow = flows.start(
        tx,
        kit.keys,
        kind=KIND,
        step="done",  # nothing follows: it is only kept
        data=left,
        jkt=None,
        lifetime=kit.limits.flow_lifetime,
        now=now,
        account_id=account_id,
    )
    return flow.id


async def left_by(
    tx: AsyncSession, kit: Kit, kept_id: UUID, account_id: UUID, *, page: str, now: datetime
) -> str | None:
    """The form that this person left on this page; nothing for anybody else, or when its time is over."""
    try:
        flow = await flows.find(tx, kept_id, kind=KIND, jkt=None, now=now)
    except flows.FlowNotFound:
        return None
    left = flows.data_of(flow, kit.keys, Left)
    return left.form if flow.account_id == account_id and left.page == page else None
