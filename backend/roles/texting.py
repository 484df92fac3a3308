"""The decision on one's own role request as a text message, for whoever has allowed that (rule 903).

The transaction that decides writes it down; it leaves after the undo window, so that a word which was taken back
reaches nobody. Whether it is allowed is asked when it leaves.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.codes.messages import Text
from backend.accounts.codes.texts import decided_text
from backend.accounts.identity import people
from backend.accounts.self import consents
from backend.db import Database
from backend.kit import Kit
from backend.owed import queue
from backend.owed.models import Message
from backend.roles import policy
from backend.roles.models import RoleRequest

DECISION = "decision"  # the kind of message
LEFT = timedelta(minutes=2)  # 0.2.0 looks every five seconds, and has a message for a minute
DECISIONS = (policy.APPROVED, policy.RETURNED, policy.REJECTED)


def owe(tx: AsyncSession, kit: Kit, found: RoleRequest, now: datetime) -> None:
    """Have the decision of now told, where the person has asked for something."""
    if found.created_by == found.account_id:
        due = now + timedelta(seconds=kit.limits.undo_window)
        whose = found.account_id
        queue.owe(tx, kit.keys, queue.SMS, DECISION, account_id=whose, about=found.id, now=now, due=due)


async def carry_over(db: Database, kit: Kit, now: datetime) -> None:
    """What release 0.2.0 has left behind, which kept it with the request; while it runs it sees to that itself."""
    left = RoleRequest.text_due_at < now - LEFT
    async with db.read() as tx:
        if await tx.scalar(select(RoleRequest.id).where(left).limit(1)) is None:
            return
    async with db.write() as tx:
        for found in (await tx.scalars(select(RoleRequest).where(left).with_for_update())).all():
            owe(tx, kit, found, found.decided_at or now)
            found.text_due_at = None


async def words(db: Database, kit: Kit, row: Message, _: datetime) -> Text | None:
    """To the person's main number, while it is the request's last word."""
    async with db.read() as tx:
        found = await tx.get(RoleRequest, row.about)
        if found is None or found.status not in DECISIONS or found.decided_at != row.at:
            return None
        if not await consents.allows(tx, found.account_id, consents.NOTICES_BY_SMS):
            return None
        phones = await people.phones_of(tx, found.account_id)
    return Text(people.number_of(kit, phones[0]), decided_text(kit.brand, found.status)) if phones else None
