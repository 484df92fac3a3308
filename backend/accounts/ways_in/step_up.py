"""Strengthening a session by a fresh VNeID sign-in: same session, new tokens, newer proof (RFC 9470 §5; rule 311)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.account_rows import AccountNow
from backend.accounts.identity import people
from backend.accounts.self import history
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
) -> Done:
    """The caller has locked the account row, and knows how `fresh` the sign-in is. Raises why the session ended, if it
    did meanwhile.
    """
    session = await tx.get_one(Session, session_id, with_for_update=True)
    tokens = await rotation.renew(tx, kit, session, now=now)
    session.method, session.authenticated_at = "vneid", now
    session.assurance_level = max(session.assurance_level, level)  # one proof more never counts for less
    fact = SteppedUp(subject=account.id, session=session_id, level=level, fresh=fresh)
    kit.journal.record(tx, fact, by=account.id, now=now)
    history.remember(
        tx,
        account.id,
        method="vneid",
        good=True,
        device=session.device_name,
        place=None,
        now=now,
        session_id=session_id,
    )
    return Done(tokens=tokens, account=await people.described(tx, kit, account), replaced=None)
