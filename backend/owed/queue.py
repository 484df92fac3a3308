"""What is owed, row by row: written with the act, taken on by one process, settled under its token (rule 720)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.crypto import KeyRing
from backend.db import changed_one, new_id
from backend.objects import Together
from backend.outbox.bell import MESSAGES, ring_after
from backend.owed.models import Message

SMS, PUSH = "sms", "push"
SENT, UNCERTAIN, DROPPED = "sent", "uncertain", "dropped"
OWED = Together(Message)  # in the transaction of the act
log = structlog.get_logger("messages")


def owe(
    tx: AsyncSession,
    keys: KeyRing,
    channel: str,
    kind: str,
    *,
    account_id: UUID | None,
    now: datetime,
    due: datetime | None = None,
    about: UUID | None = None,
    content: str | None = None,
    leaves: bool = True,
    rings: bool = True,
) -> None:
    """Write down what is to leave once this is committed, and not before it is `due`; `content` is sealed.

    What must not leave costs the same write: `leaves`. What must not leave before the answer wakes nobody: `rings`.
    """
    row_id = new_id()
    row = {
        "id": row_id,
        "channel": channel,
        "kind": kind,
        "account_id": account_id,
        "about": about,
        "content": keys.seal("messages.content", row_id, content) if content is not None else None,
        "at": now,
        "due_at": (due or now) if leaves else None,
        "attempts": 0,
        "lease": None,
        "handed_at": None,
        "done_at": None if leaves else now,
        "outcome": None if leaves else DROPPED,
    }
    OWED.add(tx, row)
    if rings:
        ring_after(tx, topic(channel))


def topic(channel: str) -> str:
    """What rings when something is owed."""
    return f"{MESSAGES}:{channel}"


async def take_back(tx: AsyncSession, act: UUID, *, now: datetime) -> None:
    """Of an act that was taken back nothing leaves that could not leave yet."""
    await OWED.write(tx)
    unsent = delete(Message).where(Message.about == act, Message.due_at > now, Message.lease.is_(None))
    await tx.execute(unsent.execution_options(synchronize_session=False))


async def next_moment(tx: AsyncSession, channel: str) -> datetime | None:
    """When something of this channel is due, or was; nothing when nothing is owed."""
    owed = select(Message.due_at).where(Message.channel == channel, Message.due_at.is_not(None))
    found: datetime | None = await tx.scalar(owed.order_by(Message.due_at).limit(1))
    return found


async def take(tx: AsyncSession, channel: str, *, now: datetime, until: datetime, most: int) -> list[Message]:
    """Lease up to so many, oldest first; whoever has one for longer than `until` has it no more.

    What may have left by a holder who was not heard of since is not sent again (`begins`; case TO13).
    """
    query = select(Message).where(Message.channel == channel, Message.due_at <= now)
    query = query.order_by(Message.due_at).limit(most).with_for_update(skip_locked=True)
    taken, token = [], new_id()
    for row in (await tx.scalars(query)).all():
        if row.handed_at is not None:
            log.warning("message_uncertain", about=row.kind)
            await settle(tx, row, UNCERTAIN, now=now)
        else:
            row.lease, row.due_at, row.attempts = token, until, row.attempts + 1
            taken.append(row)
    return taken


async def begins(tx: AsyncSession, taken: Message, *, now: datetime) -> bool:
    """Said before the only try at what leaves at most once; False when somebody else has it by now."""
    mine = update(Message).where(Message.id == taken.id, Message.lease == taken.lease)
    return await changed_one(tx, mine.values(handed_at=now))


async def settle(tx: AsyncSession, taken: Message, outcome: str, *, now: datetime) -> None:
    """It is over, unless somebody else has it by now."""
    await _say(tx, taken, _over(outcome, now))


async def put_off(tx: AsyncSession, taken: Message, until: datetime) -> None:
    """It has certainly not left: it is due again then."""
    await _say(tx, taken, {"lease": None, "handed_at": None, "due_at": until})


async def _say(tx: AsyncSession, taken: Message, values: dict[str, object]) -> None:
    """The fence: nothing is written about a message except under its token."""
    mine = update(Message).where(Message.id == taken.id, Message.lease == taken.lease)
    await tx.execute(mine.values(**values).execution_options(synchronize_session=False))


async def forget(tx: AsyncSession, *, now: datetime) -> None:
    """Nothing that is owed leaves any more."""
    owed = update(Message).where(Message.due_at.is_not(None)).values(**_over(DROPPED, now))
    await tx.execute(owed.execution_options(synchronize_session=False))


def _over(outcome: str, now: datetime) -> dict[str, object]:
    """What a row says in the end: how it went, and nothing of what it was."""
    return {"due_at": None, "lease": None, "content": None, "done_at": now, "outcome": outcome}
