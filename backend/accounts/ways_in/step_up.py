"""Strengthening a session by a fresh VNeID sign-in: same session, new tokens, newer proof (RFC 9470 §5; rule 311)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.account_rows import AccountNow
from backend.accounts.identity import people
from backend.accounts.identity.evidence import SURE, VNEID
from backend.accounts.self import history
from backend.accounts.ways_in.assurance import LevelNeeded
from backend.accounts.ways_in.entering import Done
from backend.devices import rotation
from backend.devices.models import Session
from backend.facts import SteppedUp
from backend.kit import Kit


async def strengthen(
    tx: AsyncSession,
    kit: Kit,
    account: AccountNow,
    session_id: UUID,
    *,
    level: int,
    fresh: str,
    now: datetime,
) -> Done | LevelNeeded:
    """The caller has locked the account row, and knows how `fresh` the sign-in is. Raises why the session ended, if it
    did meanwhile.

    What is weaker than the session, and sure of nobody, makes nothing new of it; that refusal is returned.
    """
    session = await tx.get_one(Session, session_id, with_for_update=True)
    if session.ended_at is None and level < min(SURE, session.assurance_level):
        return LevelNeeded(required={"level": SURE, "method": VNEID})
    tokens = await rotation.renew(tx, kit, session, now=now)
    session.method, session.authenticated_at = VNEID, now
    session.assurance_level = max(session.assurance_level, level)  # one proof more never counts for less
    fact = SteppedUp(subject=account.id, session=session_id, level=level, fresh=fresh)
    kit.journal.record(tx, fact, by=account.id, now=now)
    history.remember(
        tx,
        account.id,
        method=VNEID,
        good=True,
        device=session.device_name,
        place=None,
        now=now,
        session_id=session_id,
    )
    return Done(tokens=tokens, account=await people.described(tx, kit, account), replaced=None)
