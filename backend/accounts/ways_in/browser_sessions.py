"""A session of the workspace begins, whatever has let somebody in at a browser (rules 309, 821)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account_rows import AnyAccount
from backend.accounts.self import history
from backend.crypto import new_token, token_hash
from backend.db import new_id
from backend.devices import sessions
from backend.devices.models import Session
from backend.facts import SessionOpened
from backend.figures import counted
from backend.kit import Kit
from backend.words import mark as _


class Arrival(msgspec.Struct, frozen=True):
    """How somebody came to a browser: by what, how strong it was, when the person was last seen, where it is."""

    method: str
    level: int
    shown: datetime
    browser: str
    place: str | None = None


async def end_earlier(
    tx: AsyncSession, kit: Kit, session_id: UUID | None, *, by: UUID, now: datetime
) -> None:
    """One browser, one session: whoever had the earlier one here, its cookie is worth nothing now."""
    earlier = await tx.get(Session, session_id) if session_id is not None else None
    if earlier is not None:
        await sessions.end(tx, kit, earlier, reason="signed_out", by=by, now=now)


async def open_session(
    tx: AsyncSession,
    kit: Kit,
    account: AnyAccount,
    came: Arrival,
    *,
    now: datetime,
    session_id: UUID | None = None,
) -> str:
    """The session of somebody who was let in, in the journal and in the person's own history; its token."""
    token = new_token()
    session = _session(kit, account, came, token, session_id or new_id(), now)
    await tx.flush()
    tx.add(session)
    fact = SessionOpened(
        subject=account.id, session=session.id, kind="workspace", method=came.method, epoch=account.epoch
    )
    kit.journal.record(tx, fact, by=account.id, now=now)
    counted(tx, "ngomon_logins", came.method, "let_in")
    history.remember(
        tx,
        account.id,
        method=came.method,
        good=True,
        device=session.device_name,
        place=came.place,
        now=now,
        session_id=session.id,
    )
    return token


def _session(
    kit: Kit, account: AnyAccount, came: Arrival, token: str, session_id: UUID, now: datetime
) -> Session:
    return Session(
        id=session_id,
        account_id=account.id,
        kind="workspace",
        epoch=account.epoch,
        access_hash=token_hash(token),
        access_expires_at=now + timedelta(seconds=kit.limits.workspace_idle),
        absolute_expires_at=now + timedelta(seconds=kit.limits.workspace_absolute),
        method=came.method,
        assurance_level=came.level,
        authenticated_at=came.shown,
        device_platform="web",
        device_name=came.browser or _("Trình duyệt"),
        device_model="",
        created_at=now,
        last_seen_at=now,
    )
