"""The one way in which somebody's own account is held while they change it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.caller import Who
from backend.devices.models import Session
from backend.devices.sessions import SessionRevoked, why_ended

ERASED = "account_erased"  # why the sessions of an erased account ended


async def locked(tx: AsyncSession, account_id: UUID) -> Account:
    """The account as it is now, kept from changing until the commit.

    Raises SessionRevoked when it was erased while this call was under way: the door has let
    the call in, but nothing may be written about somebody who is gone.
    """
    query = select(Account).where(Account.id == account_id).with_for_update()
    account = (await tx.execute(query.execution_options(populate_existing=True))).scalar_one()
    if account.status != "active":
        raise SessionRevoked(reason=ERASED)
    return account


async def held(tx: AsyncSession, who: Who) -> Account:
    """The caller's own account, held, while the session that the door has let in still lives (rules 303, 306).

    Raises what ended the session while the call waited for the account: the owner who came, another phone, a hand
    that took everything back. What is begun or changed after that would be a stranger's.
    """
    account = await locked(tx, who.account_id)
    session = await tx.get_one(Session, who.session_id, populate_existing=True)
    if ended := await why_ended(tx, session):
        raise ended
    return account
