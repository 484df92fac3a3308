"""What a person's phone is told while the app is closed: a push without personal data (rules 303, 304, 720).

The notice in the app is the promise. A push is owed with the act, and tried again while it is news; a phone that gets
one twice shows it once, for it has a name of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.branding.brand import Brand
from backend.crypto import KeyRing
from backend.db import Database, new_id
from backend.devices.models import Session
from backend.kit import Kit
from backend.outbox.bell import ring_after
from backend.outside.messages.push import Push
from backend.owed import queue
from backend.owed.line import NotSent, Sending
from backend.owed.models import Message
from backend.statements import Act, given
from backend.support import notices

DENY = "Nếu không phải bạn, hãy mở ứng dụng và chọn “Không phải tôi”."
PLAIN = ("request_waits", "account_frozen")  # nothing that somebody did in the receiver's name
LOOK = "Mở ứng dụng để xem nội dung và việc cần làm."  # of a manager's word
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


def _hears(account_id: Any, at: Any) -> ColumnElement[bool]:
    """A session whose phone hears of an act: there when it was done, also if it signed it out, and not by it."""
    return and_(
        Session.account_id == account_id,
        Session.push_token.is_not(None),
        Session.created_at < at,
        or_(Session.ended_at.is_(None), Session.ended_at >= at),
    )


OWED = ("id", "channel", "kind", "account_id", "content", "at", "due_at", "attempts")
OWE_LEFT = Act(
    insert(Message).from_select(
        OWED,
        select(*(given(name, getattr(Message, name)) for name in OWED)).where(
            exists().where(_hears(given("account_id", Message.account_id), given("at", Message.at)))
        ),
    )
)


async def tell_replaced(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, device: str, by: str, now: datetime
) -> None:
    """A device has gone for another one: the person reads so in the app, and the phones that had to go get a push."""
    kind = "device_replaced"
    notices.tell(tx, kit, account_id, kind, now=now, device=device, by=by)
    if kit.phones is not None:
        await kit.phones.tell_left(tx, account_id, kind, notices.title_of(kind), now=now)


class PushedPhones:
    """Implements `backend.kit.Phones`, and the channel that its pushes leave by; one per process."""

    name, once, most = queue.PUSH, False, 32
    lease, news = timedelta(minutes=5), timedelta(days=1)

    def __init__(self, db: Database, keys: KeyRing, push: Push, brand: Brand) -> None:
        self._db, self._keys, self._push, self._brand = db, keys, push, brand

    def tell_after(self, tx: AsyncSession, account_id: UUID, kind: str, title: str, *, now: datetime) -> None:
        """Push `title` when this transaction has been committed."""
        queue.owe(tx, self._keys, queue.PUSH, kind, account_id=account_id, content=title, now=now)

    async def tell_left(
        self, tx: AsyncSession, account_id: UUID, kind: str, title: str, *, now: datetime
    ) -> None:
        """Owed only where one of them has left an address: whoever is out can leave none later."""
        row = new_id()
        content = self._keys.seal("messages.content", row, title)
        owed = await OWE_LEFT.touched(
            tx,
            id=row,
            channel=queue.PUSH,
            kind=kind,
            account_id=account_id,
            content=content,
            at=now,
            due_at=now,
            attempts=0,
        )
        if owed:
            ring_after(tx, queue.topic(queue.PUSH))

    def pause(self, attempts: int) -> timedelta:
        """Longer each time."""
        return min(FIRST_PAUSE * (1 << min(attempts - 1, 10)), LONGEST_PAUSE)

    async def prepared(self, row: Message, now: datetime) -> Sending | None:  # noqa: ARG002 - as Channel
        """To the phones that are to hear of it; nothing where there is none."""
        async with self._db.read() as tx:
            receivers = await self._receivers(tx, row)
        return partial(self._send, row, receivers) if receivers else None

    def _opened(self, row_id: UUID, content: bytes) -> str:
        return self._keys.open("messages.content", row_id, content)

    async def _receivers(self, tx: AsyncSession, row: Message) -> list[tuple[UUID, str]]:
        """Whoever was signed in then, also if the act signed them out; not the phone that came in by it."""
        query = select(Session).where(_hears(row.account_id, row.at))
        return [
            (one.id, self._keys.open("sessions.push_token", one.id, one.push_token))
            for one in await tx.scalars(query)
            if one.push_token is not None
        ]

    async def _send(self, row: Message, receivers: list[tuple[UUID, str]]) -> str:
        """A dead address is forgotten; one that Firebase does not take keeps the news from no other phone."""
        trouble: Exception | None = None
        title = notices.title_of(row.kind) if row.content is None else self._opened(row.id, row.content)
        more = LOOK if row.kind.startswith(("role_", "request_")) else DENY
        body = title if row.kind in PLAIN else f"{title}. {more}"
        for session_id, token in receivers:
            data = {"kind": row.kind, "session_id": str(session_id)}
            try:
                lives = await self._push.send(token, self._brand.name, body, data, mark=str(row.id))
            except Exception as error:  # noqa: BLE001 - whatever the push service does, the act stands
                trouble = error
                continue
            if not lives:
                async with self._db.write() as tx:
                    dead = update(Session).where(Session.id == session_id)
                    await tx.execute(dead.values(push_token=None))
        if trouble is not None:
            raise NotSent from trouble
        return queue.SENT
