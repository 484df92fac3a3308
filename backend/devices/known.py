"""Which devices an account knows: asked where a code alone proves too little (security TO18)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.devices.models import Session
from backend.facts import MethodRemoved, PasswordSet, PhoneChanged, TakeoverReported
from backend.journal import Entry

# after these nobody may be in whom a stranger's password, number or way in has brought
CHANGES = [
    kind.__struct_config__.tag for kind in (PasswordSet, PhoneChanged, MethodRemoved, TakeoverReported)
]


async def knows_key(tx: AsyncSession, account_id: UUID, jkt: str | None) -> bool:
    """Whether the account is on the device that has this key (RFC 7638), or was until it was signed out there.

    A device that was left before the newest of CHANGES may have been a stranger's: it is not known any more. The
    session that made the change, and was kept, is.
    """
    changed = exists().where(
        Entry.subject == account_id, Entry.tag.in_(CHANGES), Entry.at >= Session.ended_at
    )
    left = Session.end_reason.in_(("signed_out", "expired")) & ~changed
    query = select(Session.id).where(
        Session.account_id == account_id, Session.jkt == jkt, Session.end_reason.is_(None) | left
    )
    return jkt is not None and await tx.scalar(query.limit(1)) is not None
