"""What a stranger with leaked data could have left in an account goes when its owner first comes by VNeID.

A registration by social insurance proves no number of the person's own: whoever knows the insurance
number and three facts of somebody could open their account on a phone of another (account fixation).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Account, Password, Phone
from backend.devices import sessions
from backend.facts import MethodRemoved
from backend.flows import Flow
from backend.kit import Kit


async def drop(tx: AsyncSession, kit: Kit, account: Account, *, now: datetime) -> None:
    """End the password, the phones that only a code has proved, the sessions and what is half way.

    The caller holds the account row, and has just linked VNeID to an account that it did not open. The owner
    is asked for a phone of their own next; an account that the subscriber registry confirmed keeps all.
    """
    if account.vouched_by != "social_insurance":
        return
    query = select(Phone).where(Phone.account_id == account.id, Phone.ended_at.is_(None))
    for phone in await tx.scalars(query.where(Phone.source == "code")):
        phone.ended_at = now
        fact = MethodRemoved(subject=account.id, method=phone.id, kind="phone")
        kit.journal.record(tx, fact, by=account.id, now=now)
    if (password := await tx.get(Password, account.id)) is not None:
        await tx.delete(password)
        fact = MethodRemoved(subject=account.id, method=account.id, kind="password")
        kit.journal.record(tx, fact, by=account.id, now=now)
    await sessions.end_all(tx, kit, account.id, reason="owner_came", by=account.id, now=now)
    half_way = delete(Flow).where(Flow.account_id == account.id, Flow.kind != "login")
    await tx.execute(half_way.execution_options(synchronize_session=False))
    account.version += 1
    await tx.flush()
