"""What becomes of a code at the browser that asked for it: it waits, is over, or somebody is in (rule 313)."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import select

from backend import flows
from backend.account import Account
from backend.accounts.door import Door
from backend.accounts.ways_in import browser_sessions
from backend.accounts.ways_in.browser_sessions import Arrival
from backend.accounts.ways_in.scanned import LOGIN, METHOD, Asked, is_over
from backend.caller import Caller
from backend.crypto import token_hash
from backend.devices.models import Session


class Waiting(msgspec.Struct, frozen=True):
    """Nobody has answered yet."""

    id: UUID
    number: str
    until: datetime


class Over(msgspec.Struct, frozen=True):
    """Nobody comes in by this code any more."""

    why: Literal["expired", "wrong_number", "used", "withdrawn"]


async def ask(door: Door, caller: Caller, *, cookie: str, signed_in: UUID | None) -> Waiting | Over | str:
    """How the code of this cookie stands; the token of a new session, once, for whom the phone has let in."""
    login_id, _, secret = cookie.partition(".")
    try:
        async with door.db.read() as tx:
            flow = await LOGIN.find(tx, door.kit, UUID(login_id), Caller(caller.now))
            asked = flow.data
    except (ValueError, flows.FlowNotFound):
        return Over("expired")
    if not hmac.compare_digest(token_hash(secret).hex(), asked.secret):
        return Over("expired")  # of another browser: nothing is told of it
    if flow.row.step == "confirm":
        return (
            Over("expired")
            if is_over(door.kit, flow, caller.now)
            else Waiting(flow.id, asked.number, asked.until)
        )
    if flow.row.step != "exchange":
        return Over("wrong_number" if asked.outcome == "wrong_number" else "used")
    return await _enter(door, caller, flow, signed_in=signed_in)


async def _enter(
    door: Door, caller: Caller, found: flows.Handle[Asked], *, signed_in: UUID | None
) -> Over | str:
    """The phone has said yes; the account and the phone's session are asked once more, in this transaction."""
    kit, now = door.kit, caller.now
    async with door.db.write() as tx:
        query = select(Account).where(Account.id == found.account).with_for_update()
        account = (await tx.scalars(query)).one()
        try:
            flow = await found.again(tx, "exchange")
            await flow.advance("done")
        except (flows.FlowNotFound, flows.FlowStepMismatch):
            return Over("used")
        asked = flow.data
        phone = await tx.get(Session, asked.by_session)
        is_shut = account.status != "active" or account.frozen_at is not None
        if is_shut or phone is None or phone.ended_at is not None or asked.shown is None:
            return Over("withdrawn")
        await browser_sessions.end_earlier(tx, kit, signed_in, by=account.id, now=now)
        came = Arrival(METHOD, asked.level, asked.shown, asked.browser, asked.province)
        return await browser_sessions.open_session(
            tx, kit, account, came, now=now, session_id=asked.session_id
        )
