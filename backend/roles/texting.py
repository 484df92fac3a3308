"""The decision on one's own role request as a text message, for whoever has allowed that (rule 903).

The transaction that decides writes when the message is due, so that no crash forgets it; it leaves after the undo
window, so that a word which was taken back reaches nobody. Whether it is allowed is asked when it leaves.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.codes.texts import decided_text
from backend.accounts.identity import people
from backend.accounts.self import consents
from backend.db import Database
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.outside.messages.sms import Sms, SmsUnavailable, SmsUncertain
from backend.roles import policy, rows
from backend.roles.models import RoleRequest
from backend.rounds import rounds
from backend.watch import Watch

LOOK = 5.0  # seconds between two looks
PAUSE = timedelta(
    minutes=1
)  # before the next try; also how long one process may take over one message, at least
NEWS = timedelta(days=1)  # nobody is told of what was decided longer ago
AT_ONCE = 50
DECISIONS = (policy.APPROVED, policy.RETURNED, policy.REJECTED)
log = structlog.get_logger("texting")


class Message(NamedTuple):
    """What one process has taken on to send; `until` is the mark that it is the one."""

    request_id: UUID
    version: int
    until: datetime
    phone: str
    text: str


def due_at(kit: Kit, found: RoleRequest, now: datetime) -> datetime | None:
    """When the decision of now is to be told; never where the person has not asked for anything."""
    own = found.created_by == found.account_id
    return now + timedelta(seconds=kit.limits.undo_window) if own else None


class Texting:
    """Sends what is due; any number of processes may do so beside each other."""

    def __init__(self, db: Database, kit: Kit, sms: Sms, clock: Clock) -> None:
        self._db, self._kit, self._sms, self._clock = db, kit, sms, clock
        self._watch = Watch(db)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; where nobody has written since nothing was owed, nobody is asked."""
        seen: int | None = None

        async def look() -> None:
            nonlocal seen
            version = self._watch.version()
            if version is None or version != seen:
                seen = None if await self.round() else version

        await rounds(stop, LOOK, look)
        self._watch.close()

    async def round(self) -> bool:
        """Everything that is due now, outside any transaction; whether anything is owed, now or later."""
        query = select(RoleRequest.id).where(RoleRequest.text_due_at <= self._clock.now())
        owed = select(RoleRequest.id).where(RoleRequest.text_due_at.is_not(None)).limit(1)
        async with self._db.read() as tx:
            waiting = list(await tx.scalars(query.order_by(RoleRequest.text_due_at).limit(AT_ONCE)))
            is_owed = await tx.scalar(owed) is not None
        for request_id in waiting:
            async with self._db.write() as tx:
                message = await self._taken(tx, request_id, self._clock.now())
            if message is not None:
                await self._send(message)
        return is_owed

    async def _taken(self, tx: AsyncSession, request_id: UUID, now: datetime) -> Message | None:
        found = await rows.request_locked(tx, request_id)
        if found is None or found.text_due_at is None or found.text_due_at > now:
            return None  # another process was first
        phones = []
        told = found.status in DECISIONS and found.decided_at is not None and found.decided_at > now - NEWS
        if told and await consents.allows(tx, found.account_id, consents.NOTICES_BY_SMS):
            phones = await people.phones_of(tx, found.account_id)
        if not phones:
            found.text_due_at = None
            return None
        patience = timedelta(seconds=self._kit.limits.sms_timeout)
        found.text_due_at = now + max(PAUSE, 2 * patience)
        phone, text = people.number_of(self._kit, phones[0]), decided_text(self._kit.brand, found.status)
        return Message(found.id, found.version, found.text_due_at, phone, text)

    async def _send(self, message: Message) -> None:
        """Once it may have left it is not sent again (case TO13)."""
        name = f"decision-{message.request_id}-{message.version}"
        try:
            await self._sms.send(message.phone, message.text, message_id=name)
        except SmsUncertain:
            log.warning("message_uncertain")
        except SmsUnavailable:
            log.warning("message_not_sent")  # its pause has begun
            return
        async with self._db.write() as tx:
            sent = update(RoleRequest).where(RoleRequest.id == message.request_id)
            await tx.execute(sent.where(RoleRequest.text_due_at == message.until).values(text_due_at=None))
