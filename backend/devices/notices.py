"""What a person's phone is told while the app is closed: a push without personal data (rules 303, 304).

The notice in the app is the promise; the push is best effort, after the commit.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.branding.brand import Brand
from backend.crypto import KeyRing
from backend.db import Database, after_commit
from backend.devices.models import Session
from backend.outside.messages.push import Push

log = structlog.get_logger("push")
DENY = "Nếu không phải bạn, hãy mở ứng dụng và chọn “Không phải tôi”."
PLAIN = ("request_waits", "account_frozen")  # nothing that somebody did in the receiver's name
LOOK = "Mở ứng dụng để xem nội dung và việc cần làm."  # of a manager's word
MOST = 1000  # under way at once: while the push service is silent more of them would fill the memory
PATIENCE = 3.0  # seconds that an answer waits for the push service at most


class PushedPhones:
    """Implements `backend.kit.Phones`; one per process, made by the composition root."""

    def __init__(self, db: Database, keys: KeyRing, push: Push, brand: Brand) -> None:
        self._db, self._keys, self._push, self._brand = db, keys, push, brand
        self._under_way: dict[asyncio.Task[None], UUID] = {}

    def __deepcopy__(self, _: object) -> PushedPhones:
        """Shared by everybody: a framework that copies its routes must not copy this."""
        return self

    def tell_after(self, tx: AsyncSession, account_id: UUID, kind: str, title: str, *, now: datetime) -> None:
        """Push `title` when this transaction has been committed."""
        after_commit(tx, partial(self._begin, account_id, kind, title, now))

    async def told(self, account_id: UUID) -> None:
        """Wait, `PATIENCE` seconds at most, until what was begun for an account has left."""
        own = [task for task, receiver in self._under_way.items() if receiver == account_id]
        if own:
            await asyncio.wait(own, timeout=PATIENCE)

    async def close(self) -> None:
        """At the end of the process, the same for everybody."""
        if self._under_way:
            await asyncio.wait(list(self._under_way), timeout=PATIENCE)

    def _begin(self, account_id: UUID, kind: str, title: str, at: datetime) -> None:
        if len(self._under_way) >= MOST:
            log.warning("push_dropped", kind=kind)
            return
        task = asyncio.create_task(self._tell(account_id, kind, title, at))
        self._under_way[task] = account_id
        task.add_done_callback(self._under_way.pop)

    async def _tell(self, account_id: UUID, kind: str, title: str, at: datetime) -> None:
        try:
            async with self._db.read() as tx:
                receivers = await self._receivers(tx, account_id, at)
            for session_id, token in receivers:
                await self._send(session_id, token, kind, title)
        except Exception as error:  # noqa: BLE001 - whatever the push service does, the act stands
            log.warning("push_failed", kind=kind, error=type(error).__name__)

    async def _receivers(self, tx: AsyncSession, account_id: UUID, at: datetime) -> list[tuple[UUID, str]]:
        """Whoever was signed in then, also if the act signed them out; not the phone that came in by it."""
        query = select(Session).where(
            Session.account_id == account_id,
            Session.push_token.is_not(None),
            Session.created_at < at,
            or_(Session.ended_at.is_(None), Session.ended_at >= at),
        )
        return [
            (one.id, self._keys.open("sessions.push_token", one.id, one.push_token))
            for one in await tx.scalars(query)
            if one.push_token is not None
        ]

    async def _send(self, session_id: UUID, token: str, kind: str, title: str) -> None:
        """A dead address is forgotten."""
        data = {"kind": kind, "session_id": str(session_id)}
        more = LOOK if kind.startswith(("role_", "request_")) else DENY
        body = title if kind in PLAIN else f"{title}. {more}"
        if not await self._push.send(token, self._brand.name, body, data):
            async with self._db.write() as tx:
                dead = update(Session).where(Session.id == session_id)
                await tx.execute(dead.values(push_token=None))
